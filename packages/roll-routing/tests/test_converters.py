"""Custom types of placeholders."""

import re
import uuid
import warnings
from collections.abc import AsyncIterator, Iterator
from datetime import date
from fractions import Fraction
from functools import partial
from typing import Any

import pytest

from roll_routing import BuildError, Converter, InvalidRoute, Routes, RoutingError, nameless

DATE = Converter(r"\d{4}-\d\d-\d\d", date.fromisoformat, date.isoformat)
SLUG = Converter("[a-z0-9]+(?:-[a-z0-9]+)*")


OWN = {
    "date": DATE,
    "slug": SLUG,
    "hex": Converter("[0-9a-f]+", lambda text: int(text, 16), "{:x}".format),
    "below": Converter("[a-z/]+", lambda text: text.split("/"), "/".join),
}


class MyRoutes(Routes):
    converters = OWN


def routes_with(**converters: Converter) -> type[Routes]:
    """Return a class with other converters."""
    return type("Other", (Routes,), {"converters": converters})


def table(*patterns: str) -> MyRoutes:
    routes = MyRoutes()
    for pattern in patterns:
        routes.add(pattern, route=pattern)
    return routes


def test_a_match_gives_the_text() -> None:
    routes = table(
        "/news/{day:date}", "/news/{title:slug}", "/n/{number:hex}.txt", "/b/{p:below}/x"
    )
    assert routes.match("/news/2026-11-29") == (
        {"route": "/news/{day:date}"},
        {"day": "2026-11-29"},
    )
    assert routes.match("/news/a-b") == ({"route": "/news/{title:slug}"}, {"title": "a-b"})
    assert routes.match("/n/ff.txt") == ({"route": "/n/{number:hex}.txt"}, {"number": "ff"})
    assert routes.match("/b/c/d/x") == ({"route": "/b/{p:below}/x"}, {"p": "c/d"})
    for path in ("/news/A", "/news/a--b", "/n/fg.txt", "/b/1/x"):
        assert routes.match(path) == (None, None)


def test_a_converter_ranks_as_a_type() -> None:
    routes = table("/{x}", "/{x:slug}", "/{p:below}", "/a")
    assert routes.match("/a")[0] == {"route": "/a"}
    assert routes.match("/b")[0] == {"route": "/{x:slug}"}
    assert routes.match("/B")[0] == {"route": "/{x}"}
    assert routes.match("/b/c")[0] == {"route": "/{p:below}"}


def test_conversions_returns_functions_of_placeholders() -> None:
    pattern = "/{day:date}/{number:hex}/{name}/{x:int}"
    values = table(pattern).match("/2026-11-29/ff/n/1")[1]
    assert values == {"day": "2026-11-29", "number": "ff", "name": "n", "x": "1"}
    conversions = MyRoutes.conversions(pattern)
    assert {name: convert(values[name]) for name, convert in conversions.items()} == {
        "day": date(2026, 11, 29),
        "number": 255,
    }


def test_text_that_matches_may_be_refused_by_its_conversion() -> None:
    routes = table("/{day:date}")
    assert routes.match("/2026-99-99") == ({"route": "/{day:date}"}, {"day": "2026-99-99"})
    with pytest.raises(ValueError, match="month"):
        routes.conversions("/{day:date}")["day"]("2026-99-99")


def test_conversions_refuses_invalid_pattern() -> None:
    with pytest.raises(InvalidRoute, match=r"neither a type .*string, digit, .*, date, slug"):
        MyRoutes.conversions("/{x:(}")


def test_urls_are_built_from_python_values() -> None:
    assert MyRoutes.build("/{day:date}", day=date(2026, 11, 29)) == "/2026-11-29"
    assert MyRoutes().build("/n/{number:hex}.txt", number=255) == "/n/ff.txt"
    assert MyRoutes.build("/{p:below}/x", p=["a", "b"]) == "/a/b/x"
    assert MyRoutes.build("/{x:int}/{u:uuid}/{s:slug}", x=1, u=uuid.UUID(int=1), s="a") == (
        "/1/00000000-0000-0000-0000-000000000001/a"
    )
    assert Routes.build("/{x:int}", x=1) == "/1"


REFUSED: list[tuple[str, dict[str, Any], str]] = [
    (
        "/{d:date}",
        {"d": "2026-11-29"},
        "'d' got a value of type str, which has no text for 'date'",
    ),
    ("/{n:hex}", {"n": None}, "'n' got a value of type NoneType, which has no text for 'hex'"),
    ("/{n:hex}", {"n": -1}, "'n' is of type 'hex', which does not accept '-1'"),
    ("/{s:slug}", {"s": "a b"}, "'s' is of type 'slug', which does not accept 'a b'"),
    ("/{p:below}", {"p": 3}, "'p' got a value of type int, which has no text for 'below'"),
]


@pytest.mark.parametrize(("pattern", "values", "reason"), REFUSED)
def test_values_that_a_converter_does_not_take_are_refused(
    pattern: str, values: dict[str, Any], reason: str
) -> None:
    with pytest.raises(BuildError, match=re.escape(reason)):
        MyRoutes.build(pattern, **values)


def test_result_of_a_converter_for_a_url_becomes_text() -> None:
    other = routes_with(number=Converter("[0-9]+", int, lambda value: value))
    assert other.build("/{x:number}", x=1) == "/1"
    with pytest.raises(BuildError, match="does not accept 'None'"):
        other.build("/{x:number}", x=None)


def test_converters_are_set_on_a_class_only() -> None:
    other = routes_with(slug=Converter("[A-Z]+"))
    for routes, answers in (
        (Routes(), {"/slug": {}, "/a-b": None, "/A": None}),
        (MyRoutes(), {"/slug": {}, "/a-b": {}, "/A": None}),
        (other(), {"/slug": None, "/a-b": None, "/A": {}}),
    ):
        routes.add("/{x:slug}")
        assert {path: routes.match(path)[0] for path in answers} == answers


def test_type_and_equal_regex_are_different_routes() -> None:
    routes = table("/{x:slug}")
    routes.add("/{x:" + SLUG.regex + "}", route="regex")
    assert len(routes) == 2
    assert "/{y:slug}" not in routes
    routes.add("/{y:slug}", more=1)
    assert routes.match("/a")[0] == {"route": "/{x:slug}", "more": 1}
    assert nameless("/{x:slug}") == nameless("/{y:slug}") != nameless("/{x:" + SLUG.regex + "}")


def test_built_in_type_may_be_replaced() -> None:
    other = routes_with(int=Converter("[1-9][0-9]*", int))
    routes = other()
    routes.add("/{x:int}")
    assert routes.match("/10") == ({}, {"x": "10"})
    assert routes.match("/01") == (None, None)
    assert other.conversions("/{x:int}") == {"x": int}


@pytest.mark.parametrize("regex", ["(", "a{" + "9" * 5000 + "}", "(" * 5000 + ")" * 5000])
def test_a_converter_without_a_regex_is_refused(regex: str) -> None:
    with pytest.raises(ValueError, match="is not a valid regex"):
        Converter(regex)


@pytest.mark.parametrize("regex", [5, None, b"[a-z]+", re.compile("[a-z]+"), ["a"]], ids=repr)
def test_regex_that_is_not_text_is_refused(regex: Any) -> None:
    with pytest.raises(ValueError, match=r"A regex is text, such as '.a-z.[+]', not "):
        Converter(regex)


async def later(value: Any) -> Any: ...


def one_by_one(value: Any) -> Iterator[Any]:
    yield value


async def one_by_one_later(value: Any) -> AsyncIterator[Any]:
    yield value


class Later:
    async def __call__(self, value: Any) -> Any: ...


NO_FUNCTIONS: dict[str, Any] = {
    "number": 5,
    "text": "int",
    "none": None,
    "async": later,
    "partial": partial(later),
    "partial of a partial": partial(partial(later)),
    "object": Later(),
    "generator": one_by_one,
    "async generator": partial(one_by_one_later),
}


@pytest.mark.parametrize("name", ["to_python", "to_url"])
@pytest.mark.parametrize("function", NO_FUNCTIONS.values(), ids=NO_FUNCTIONS)
def test_a_function_that_cannot_be_called_at_once_is_refused(name: str, function: Any) -> None:
    expected = re.escape(f"`{name}` of a converter is a plain function, not {function!r}")
    with pytest.raises(ValueError, match=expected):
        Converter("[a-z]+", **{name: function})


def test_classes_objects_and_methods_are_functions() -> None:
    class Text:
        def __call__(self, value: object) -> str:
            return f"x{value}"

    kind = Converter("x[0-9]+", partial(int, base=16), Text())
    assert kind.to_python("f") == 15
    other = routes_with(a=kind, b=Converter("[0-9]+", Fraction, Fraction.__str__))
    assert other.build("/{x:a}/{y:b}", x=1, y=Fraction(2)) == "/x1/2"


def test_value_that_must_be_awaited_is_a_build_error() -> None:
    other = routes_with(any=Converter(".*", str, lambda value: [later(value)][0]))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(
            BuildError, match=r"later at .* must be awaited, but `build` awaits nothing"
        ):
            other.build("/{x:any}", x=1)
    with pytest.raises(BuildError, match="must be awaited"):
        Routes.build("/{x}", x=Future())


class Future:
    def __await__(self) -> Iterator[Any]:
        yield


@pytest.mark.parametrize(
    "converters", [None, [SLUG], "slug", 5, {5: SLUG}, {None: SLUG}], ids=map(str, range(6))
)
def test_wrong_converters_are_an_error_when_the_class_is_made(
    converters: Any,
) -> None:
    with pytest.raises(RoutingError, match=r"Other\.converters (is a mapping, not|has) "):
        type("Other", (Routes,), {"converters": converters})


@pytest.mark.parametrize(("word", "converter"), [("a-b", SLUG), ("", SLUG), ("slug", "[a-z]+")])
def test_wrong_converters_set_later_are_an_error_that_names_the_class(
    word: str, converter: Any
) -> None:
    with pytest.raises(RoutingError, match=r"Other\.converters has"):
        routes_with(**{word: converter})


UPPER = Converter("[A-Z]+")


OF_CHILD = {"upper": UPPER, "slug": UPPER}
OF_LEFT = {"left": UPPER}
OF_MIXIN = {"mixed": UPPER, "left": SLUG}
OF_DIAMOND = {"own": UPPER}


class Child(MyRoutes):
    converters = OF_CHILD


class Grandchild(Child):
    """A subclass that sets no converters."""


class Left(MyRoutes):
    converters = OF_LEFT


class Mixin:
    """A class that is not a table itself."""

    converters = OF_MIXIN


class Diamond(Left, Child, Mixin):
    converters = OF_DIAMOND


def test_a_class_has_the_converters_of_its_parents() -> None:
    for kind in (Child, Grandchild):
        assert kind.converters == {**OWN, "upper": UPPER, "slug": UPPER}
        routes = kind()
        routes.add("/{a:upper}/{b:date}/{c:slug}")
        assert routes.find("/A/2026-11-29/B")
        assert not routes.find("/A/2026-11-29/b")
        assert kind.build("/{d:date}", d=date(2026, 1, 2)) == "/2026-01-02"
        assert kind.conversions("/{d:date}") == {"d": date.fromisoformat}
    assert MyRoutes.converters == OWN
    assert Routes.converters == {}


def test_the_nearest_class_counts_as_for_any_attribute() -> None:
    assert Diamond.converters == OWN | OF_MIXIN | OF_CHILD | OF_LEFT | OF_DIAMOND


def test_converters_may_be_set_after_the_class_is_made() -> None:
    class Late(MyRoutes):
        """Gets its converters below."""

    Late.converters = {"late": UPPER}
    routes = Late()
    routes.add("/{x:late}/{y:date}")
    assert routes.find("/A/2026-11-29")
    assert Late.converters == {**OWN, "late": UPPER}

    class Later(Late):
        converters = OF_LEFT

    assert Later.converters == {**OWN, "late": UPPER, "left": UPPER}
    wrong: Any = [UPPER]
    Late.converters = wrong
    with pytest.raises(RoutingError, match=r"^Late\.converters is a mapping, not"):
        routes.add("/{x:late}/b")


def test_converters_are_not_changed_by_mistake() -> None:
    kept: Any = Routes.converters
    with pytest.raises(TypeError):
        kept["slug"] = SLUG
    own: Any = Child.converters
    with pytest.raises(TypeError):
        own["slug"] = "text"
    routes: Any = Routes()
    with pytest.raises(AttributeError, match="Set `converters` on a subclass"):
        routes.converters = {"slug": SLUG}
