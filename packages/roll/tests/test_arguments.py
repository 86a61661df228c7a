"""Arguments of handlers: text, or the result of an annotation or a converter of the path."""

from __future__ import annotations

import asyncio
import functools
import itertools
import sys
import warnings
from datetime import date, datetime
from enum import Enum, Flag, IntEnum, StrEnum
from types import SimpleNamespace
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, NewType, Optional
from urllib.parse import quote
from uuid import UUID

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from roll import Roll, RollWarning, Route, Routes
from roll.advice import described
from roll.testing import Client
from roll_routing import Converter

if TYPE_CHECKING:
    from nowhere import Unknown

# What annotations below are written with, as text.
WRITTEN = (Annotated, Any, Optional, SimpleNamespace, datetime)
IDENTIFIER = "0189b3c0-3b1e-7e6f-8d2a-0123456789ab"
Isbn = NewType("Isbn", int)
Nested = NewType("Nested", Isbn)


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Size(IntEnum):
    SMALL = 1
    LARGE = 2


class Mode(StrEnum):
    DARK = "dark"


class Lenient(Enum):
    YES = "yes"

    @classmethod
    def _missing_(cls, value):
        return cls.YES if value.lower() == "yes" else None


class Broken(Enum):
    A = "a"

    @classmethod
    def _missing_(cls, value):
        return {"z": cls.A, "five": 5}[value]


class Bits(Flag):
    READ = 1
    WRITE = 2


def handler_of(annotation):
    """Make a handler whose argument has an annotation, text or not."""

    def handler(request, response, x):
        response.body = repr(x)

    handler.__annotations__["x"] = annotation
    return handler


async def get(client, path):
    response = await client.get(path)
    return response.body.decode() if response.status == 200 else int(response.status)


@pytest.mark.parametrize("written", ["object", "text"])
@pytest.mark.parametrize(
    ("annotation", "text", "value"),
    [
        ("int", "12", 12),
        ("int", "-3", -3),
        ("int", "+3", 3),
        ("int", "007", 7),
        ("float", "1.5", 1.5),
        ("float", "-2", -2.0),
        ("UUID", IDENTIFIER, UUID(IDENTIFIER)),
        ("UUID", IDENTIFIER.upper(), UUID(IDENTIFIER)),
        ("UUID", IDENTIFIER.replace("-", ""), UUID(IDENTIFIER)),
        ("date", "2026-11-29", date(2026, 11, 29)),
        ("Colour", "red", Colour.RED),
        ("Size", "2", Size.LARGE),
        ("Mode", "dark", Mode.DARK),
        ("Lenient", "YES", Lenient.YES),
        ("Bits", "2", Bits.WRITE),
        ("int | None", "1", 1),
        ("Optional[int]", "1", 1),
        ("Annotated[int, 'a note']", "1", 1),
        ("Annotated[int | None, 'a note']", "1", 1),
        ("Nested", "1", 1),
        ("'int'", "1", 1),
        ("Optional['int']", "1", 1),
        ("Optional['Optional[Colour]']", "red", Colour.RED),
        ("Annotated['Nested', 1]", "1", 1),
        ("Broken", "a", Broken.A),
    ],
)
async def test_an_annotated_argument_arrives_converted(
    app, client, annotation, text, value, written
):
    app.route("/{x}")(handler_of(annotation if written == "text" else eval(annotation)))
    assert await get(client, f"/{text}") == repr(value)


@pytest.mark.parametrize(
    ("annotation", "text"),
    [
        *[("int", text) for text in ("", "x", "1.5", "1_0", "%201", "%D9%A1", "--1", "-", "1e3")],
        ("int", "9" * 641),
        *[("float", text) for text in ("x", "nan", "inf", "1e5", "1_0.0", ".", "-", "1.2.3")],
        ("float", "9" * 400),
        *[("UUID", text) for text in ("x", IDENTIFIER[:-1], f"{IDENTIFIER}0", "%7B" + IDENTIFIER)],
        ("UUID", f"urn:uuid:{IDENTIFIER}"),
        ("UUID", IDENTIFIER.replace("-", "")[:31] + "_"),
        *[("date", text) for text in ("x", "2026-13-01", "2026-02-30", "20261129", "2026-W48-7")],
        ("date", "2026-11-29T00:00"),
        *[("Colour", text) for text in ("RED", "green", "Colour.RED")],
        ("Size", "3"),
        ("Size", "LARGE"),
        ("Mode", "DARK"),
        ("Lenient", "no"),
        ("Bits", "4"),
        ("int | None", "None"),
        ("Broken", "b"),
        ("Broken", "five"),
    ],
)
async def test_value_that_cannot_be_converted_is_a_404(app, client, annotation, text):
    app.route("/{x:any}")(handler_of(annotation))
    assert await get(client, f"/{text}") == 404


# Digits of other scripts are written as escapes: they look like ours.
ODD = [
    *("", "0", "+", "-", ".", "..", "/", "//", "1/2", "_", "1_0", "1e5", "1e999", "0x1", "1j"),
    *("inf", "-nan", "True", "None", "null", "\x00", "%", "%s", "{x}", " 1", "1 ", "1\n", "\t1"),
    *(
        "\u0663",
        "\u00b2",
        "\uff11",
        "\u00bd",
        "\u017f",
        "K",
        "\u0661\u0662\u0663\u0664-\u0660\u0661-\u0660\u0661",
        "\u2212" + "1",
        "1\u00a0",
        "\ufeff1",
        "\u00e9" * 50,
    ),
    *("9" * 640, "9" * 641, "9" * 5000, "-" + "0" * 5000, "0." + "3" * 5000, "9" * 400 + ".5"),
    *("0000-00-00", "9999-12-31", "10000-01-01", "2026-02-29", "2026-1-1", "-001-01-01"),
    *(
        "{" + IDENTIFIER + "}",
        "urn:uuid:" + IDENTIFIER,
        "-" * 36,
        "g" * 32,
        "\uff11" * 32,
        "0" * 32,
    ),
    *("Colour.RED", "__class__", "name", "1|2", "READ|WRITE", "<Bits.READ: 1>"),
]


@pytest.mark.parametrize(
    "annotation",
    [
        *("int", "float", "UUID", "date", "Colour", "Size", "Mode", "Lenient", "Bits", "Broken"),
        *("int | None", "Optional[date]", "Annotated[UUID, 1]", "Nested"),
    ],
)
async def test_no_text_is_a_500(app, client, annotation):
    app.route("/{x:any}")(handler_of(annotation))
    found = {text: (await client.get(f"/{quote(text, safe='')}")).status for text in ODD}
    assert {text for text, status in found.items() if status not in {200, 404}} == set()


async def test_a_name_in_a_function_that_makes_an_application_is_found(app, client):
    from uuid import UUID as Identifier

    class Shelf(Enum):
        NOVELS = "novels"

    @app.route("/{x}/{y}")
    def handler(request, response, x: Shelf, y: Identifier):
        response.body = repr((x, y))

    assert await get(client, f"/novels/{IDENTIFIER}") == repr((Shelf.NOVELS, UUID(IDENTIFIER)))
    assert await get(client, f"/maps/{IDENTIFIER}") == 404


async def test_a_name_in_a_class_is_found(app, client):
    @app.route("/{x}")
    class View:
        class Shelf(Enum):
            NOVELS = "novels"

        def on_get(self, request, response, x: Shelf):
            response.body = x.name

    assert await get(client, "/novels") == "NOVELS"
    assert await get(client, "/maps") == 404


async def test_a_name_where_the_handler_was_written_comes_first(app, client):
    int = str  # noqa: A001, F841 - of the function that registers, not of the handler
    app.route("/{x}/{y}")(plain)
    assert await get(client, "/1/2") == "(1, '2')"


@pytest.mark.parametrize("annotation", ["Hidden.UUID", "date_only.date | None", "Nowhere[date]"])
async def test_annotation_for_type_checkers_only_causes_a_warning_and_leaves_text(
    app, client, annotation
):
    handler = handler_of(annotation)
    with pytest.warns(RollWarning) as caught:
        app.route("/{x}")(handler)
    (warning,) = caught
    assert str(warning.message) == (
        f"{described(handler)} annotates 'x' with {annotation!r}, which cannot be found at run"
        " time: the argument stays text. Import it outside of `if TYPE_CHECKING`"
    )
    assert warning.filename == __file__
    assert await get(client, "/1") == "'1'"


async def test_names_that_stand_for_one_another_leave_text(app, client):
    handler = handler_of("one")
    one, other = "other", "one"
    assert (one, other) == ("other", "one")
    app.route("/{x}")(handler)
    assert await get(client, "/1") == "'1'"


@pytest.mark.skipif(sys.version_info < (3, 12), reason="`type` is of Python 3.12")
async def test_an_alias_is_seen_through(app, client):
    names = {}
    exec("type Page = int\ntype Shown = Page | None", names)
    app.route("/{x}")(handler_of(names["Shown"]))
    assert await get(client, "/1") == "1"


@pytest.mark.parametrize(
    "annotation",
    [
        *(
            "str",
            "Any",
            "bool",
            "bytes",
            "datetime",
            "int | str",
            "list[int]",
            "Annotated[str, 1]",
        ),
        *("None", "SimpleNamespace", "Unknown", "no name", "1"),
    ],
)
async def test_any_other_annotation_leaves_text(app, client, annotation):
    app.route("/{x}")(handler_of(annotation))
    assert await get(client, "/1") == "'1'"


async def test_without_an_annotation_the_argument_is_text(app, client):
    app.route("/{x:int}")(lambda request, response, x: setattr(response, "body", repr(x)))
    assert await get(client, "/1") == "'1'"


# Kinds of handlers.


class View:
    def on_get(self, request, response, x: int, y=None):
        response.body = repr((x, y))

    def __call__(self, request, response, x: int, y=None):
        self.on_get(request, response, x, y)


def plain(request, response, x: int, y: Unknown = None) -> Unknown:
    response.body = repr((x, y))


async def later(request, response, x: int, **others: Any):
    response.body = repr((x, others.get("y")))


def wrapped(handler):
    @functools.wraps(handler)
    def wrapper(request, *args, **kwargs):
        return handler(request, *args, **kwargs)

    return wrapper


def renaming(handler):
    """Take the argument itself, as text: it says so."""

    @functools.wraps(handler)
    def wrapper(request, response, x: str, y=None):
        return handler(request, response, x, y)

    wrapper.__annotations__ = {"x": str}
    return wrapper


@pytest.mark.parametrize(
    ("handler", "body"),
    [
        (View, "(1, '2')"),
        (View(), "(1, '2')"),
        (View().on_get, "(1, '2')"),
        (plain, "(1, '2')"),
        (later, "(1, '2')"),
        (functools.partial(plain), "(1, '2')"),
        (functools.partial(View()), "(1, '2')"),
        (wrapped(plain), "(1, '2')"),
        (wrapped(wrapped(View().on_get)), "(1, '2')"),
        (renaming(plain), "('1', '2')"),
    ],
    ids=map(str, itertools.count()),
)
async def test_a_handler_of_any_kind_is_read(app, client, handler, body):
    app.route("/{x}/{y}")(handler)
    assert await get(client, "/1/2") == body
    assert await get(client, "/a/2") == (404 if body.startswith("(1") else "('a', '2')")


async def test_handler_with_an_unreadable_signature_gets_text(app, client):
    class Unreadable:
        __signature__ = "none"

        def __call__(self, request, response, x: int):
            response.body = repr(x)

    app.route("/{x}")(Unreadable())
    assert await get(client, "/1") == "'1'"


async def test_each_method_has_its_own_conversions_under_its_own_names(app, client):
    @app.route("/{x}")
    def show(request, response, x: int):
        response.body = repr(x)

    @app.route("/{y}", methods=["POST"])
    def change(request, response, y: Colour):
        response.body = repr(y)

    @app.route("/{x}", methods=["PUT"])
    def put(request, response, x):
        response.body = repr(x)

    assert await get(client, "/1") == "1"
    assert (await client.post("/red")).body == repr(Colour.RED).encode()
    assert (await client.put("/1")).body == b"'1'"
    assert (await client.post("/1")).status == 404
    assert (await client.head("/red")).status == 404
    # The method is looked at first.
    assert (await client.delete("/red")).status == 405


async def test_it_is_decided_where_404_and_405_are(app, client):
    seen = []
    app.listen("headers")(lambda request: seen.append(("headers", request.route.vars)))
    app.listen("request")(lambda request: seen.append(("request", request.route.vars)))

    @app.route("/{x}", methods=["POST"])
    def handler(request, response, x: int):
        seen.append((x, request.route.vars))

    assert (await client.post("/a", b"body")).status == 404
    assert seen == [("headers", {"x": "a"})]
    assert (await client.post("/a", b"body")).body == b"/a"
    seen.clear()
    assert (await client.post("/1", b"body")).status == 200
    assert seen == [("headers", {"x": "1"}), ("request", {"x": "1"}), (1, {"x": "1"})]


@pytest.mark.parametrize("event", ["headers", "request"])
@pytest.mark.parametrize("way", ["in place", "another route"])
async def test_variables_changed_by_a_listener_are_used(app, client, event, way):
    values = iter([7, "8", "b"])

    @app.listen(event)
    def change(request):
        given = next(values)
        if way == "in place":
            request.route.vars["x"] = given
        else:
            request.route = Route(request.route.payload, {"x": given})

    app.route("/{x}")(handler_of(int))
    assert [await get(client, "/1") for _ in "123"] == ["7", "8", 404]


async def test_a_websocket_gets_converted_arguments_or_a_404(app, liveclient):
    @app.route("/ws/{x}", protocol="websocket")
    async def handler(request, ws, x: int):
        assert request.route.vars == {"x": "1"}
        await ws.send(repr(x))

    async with connect(f"{liveclient.wsl}/ws/1") as ws:
        assert await ws.recv() == "1"
    with pytest.raises(InvalidStatus) as caught:
        await connect(f"{liveclient.wsl}/ws/a")
    assert caught.value.response.status_code == 404


async def test_another_router_may_return_text_or_other_values():
    class Flat(dict):
        def add(self, path, **payload):
            self[path] = payload

        def match(self, path):
            return self["<x>"], {"x": path[1:] if path != "/7" else 7}

    client = Client(type("App", (Roll,), {"Routes": Flat})())
    client.app.route("<x>")(handler_of("int"))
    assert await get(client, "/1") == "1"
    assert await get(client, "/7") == "7"
    assert await get(client, "/a") == 404


# Converters of a path.


class MyRoutes(Routes):
    converters: ClassVar = {
        "year": Converter(r"\d+", lambda text: int(text) + 1),
        "even": Converter(r"\d+", lambda text: 2 * check_even(int(text)) // 2),
        "word": Converter("[a-z0-9]+"),
    }


def check_even(number):
    if number % 2:
        raise ValueError(f"{number} is odd")
    return number


@pytest.fixture
def converting():
    return Client(type("App", (Roll,), {"Routes": MyRoutes})())


@pytest.mark.parametrize("annotation", ["int", "str", "date", "no name"])
async def test_the_converter_of_a_path_comes_first(converting, annotation):
    converting.app.route("/{x:year}")(handler_of(annotation))
    assert await get(converting, "/1") == "2"
    assert await get(converting, "/a") == 404


async def test_value_that_the_converter_refuses_is_a_404(converting):
    @converting.app.route("/{x:even}")
    def handler(request, response, x):
        response.body = f"{x!r} {request.route.vars}"

    assert await get(converting, "/2") == "2 {'x': '2'}"
    assert await get(converting, "/1") == 404


async def test_text_from_the_converter_is_converted_by_the_annotation(converting):
    converting.app.route("/{x:word}")(handler_of("int"))
    assert await get(converting, "/1") == "1"
    assert await get(converting, "/a") == 404


def test_async_converter_is_refused():
    async def convert(text): ...

    with pytest.raises(ValueError, match="`to_python` of a converter is a plain function, not"):
        Converter(".+", convert)

    class Mine(Routes):
        @classmethod
        def conversions(cls, pattern):
            return {"x": convert}

    app = type("App", (Roll,), {"Routes": Mine})()
    with pytest.raises(ValueError, match=r"The conversion of 'x' in .* is never awaited"):
        app.route("/{x}")


async def coroutine(): ...


@pytest.mark.parametrize(
    "convert",
    [
        lambda text: coroutine(),
        lambda text: asyncio.get_running_loop().create_future(),
        lambda text: (character for character in text),
    ],
    ids=["coroutine", "future", "generator"],
)
async def test_converter_that_returns_a_coroutine_or_generator_is_a_500(convert, caplog):
    mine = type("Mine", (Routes,), {"converters": {"later": Converter(".+", convert)}})
    app = type("App", (Roll,), {"Routes": mine})()
    app.route("/{x:later}")(handler_of("no name"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert await get(Client(app), "/a") == 500
    assert "The conversion of 'x' in '/{x:later}' " in caplog.text


async def test_a_converter_may_give_an_iterator():
    numbers = Converter(r"\d+(?:-\d+)*", lambda text: map(int, text.split("-")))
    mine = type("Mine", (Routes,), {"converters": {"numbers": numbers}})
    app = type("App", (Roll,), {"Routes": mine})()
    app.route("/{x:numbers}")(lambda request, response, x: setattr(response, "json", list(x)))
    assert (await Client(app).get("/1-2")).body == b"[1,2]"
