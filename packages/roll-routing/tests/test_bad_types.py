"""Arguments of another type: each error says what is wrong, and what is expected."""

import enum
from collections.abc import Callable
from decimal import Decimal
from pathlib import PurePosixPath
from typing import Any

import pytest

from roll_routing import BuildError, Converter, Routes, build, nameless, variables

pytestmark = pytest.mark.usefixtures("either")

NO_TEXT: list[Any] = [
    *(None, 5, 1.5, True, b"/a", bytearray(b"/a"), ["/a"], {"/a": 1}, ("/a",), {"/a"}, object()),
    *(PurePosixPath("/a"), range(2), print),
]

TABLES: dict[str, list[str]] = {
    "empty": [],
    "static": ["/a", "/b"],
    "plain": ["/a", "/b/{x}"],
    "many": [f"/{number}/{{x}}" for number in range(40)],
    "no head": ["/{x}", "{y}"],
    "typed": ["/{x:int}/{y}", "/{p:path}"],
}


@pytest.mark.parametrize("value", NO_TEXT, ids=repr)
@pytest.mark.parametrize("name", TABLES)
def test_path_that_is_not_text_is_a_type_error(name: str, value: Any) -> None:
    routes = Routes()
    for pattern in TABLES[name]:
        routes.add(pattern)
    for _ in range(3):  # the first match after a change compiles
        for ask in (routes.match, routes.find):
            with pytest.raises(TypeError) as caught:
                ask(value)
            kind = type(value).__name__
            said = f"A path is text, such as '/users/{{name}}', and not of type {kind}"
            assert str(caught.value) == said
    assert (value in routes) is False


CALLS: dict[str, Callable[[Any], Any]] = {
    "add": lambda value: Routes().add(value),
    "remove": lambda value: Routes().remove(value),
    "conversions": Routes.conversions,
    "Routes.build": Routes.build,
    "build": build,
    "variables": variables,
    "nameless": nameless,
}


@pytest.mark.parametrize("value", NO_TEXT, ids=repr)
@pytest.mark.parametrize("name", CALLS)
def test_pattern_that_is_not_text_is_a_type_error(name: str, value: Any) -> None:
    with pytest.raises(TypeError, match=r"^A path is text, such as '/users/\{name\}', and not of"):
        CALLS[name](value)


def test_a_subclass_of_text_is_text() -> None:
    class Text(str):
        """A path of an application."""

    routes = Routes()
    routes.add(Text("/a/{x}"))
    routes.add(Text("/a"))
    assert routes.match(Text("/a/b")) == ({}, {"x": "b"})
    assert routes.match(Text("/a")) == ({}, {})
    assert routes.match(Text("/b")) == (None, None)
    assert Routes().match(Text("/b")) == (None, None)
    assert build("/{x}", x=Text("é")) == "/%C3%A9"


def test_internal_type_error_is_not_reported_as_wrong_path() -> None:
    def broken(path: str) -> Any:
        raise TypeError("a fault of ours")

    routes = Routes()
    routes._answer = broken
    with pytest.raises(TypeError, match="a fault of ours"):
        routes.match("/a")


VALUES: list[Any] = [
    *(None, b"a", bytearray(b"a"), memoryview(b"a"), [1], {"a": 1}, (1,), {1}, object(), print),
    *(int, iter("a")),
]


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
@pytest.mark.parametrize("pattern", ["/{x}", "/{x:path}", "/{x:any}", "/{x:own}", "/{x:.*}"])
def test_value_without_text_is_a_build_error(pattern: str, value: Any) -> None:
    own = type("Own", (Routes,), {"converters": {"own": Converter(".*")}})
    kind = type(value).__name__
    with pytest.raises(
        BuildError, match=f"'x' got a value of type {kind}, which has no text for "
    ):
        own.build(pattern, x=value)


class Colour(enum.StrEnum):
    RED = "red"


@pytest.mark.parametrize(
    ("value", "url"),
    [
        *((5, "/5"), (1.5, "/1.5"), (True, "/True"), (Decimal("1.50"), "/1.50")),
        *((PurePosixPath("a/b"), "/a/b"), (Colour.RED, "/red"), (1j, "/1j")),
    ],
)
def test_value_with_text_makes_a_url(value: Any, url: str) -> None:
    assert build("/{x:path}", x=value) == url
