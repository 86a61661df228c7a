"""Query strings and forms of `url_for` and the test client: no value becomes its `repr`."""

import asyncio
import enum
import inspect
import uuid
from collections import deque
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

import pytest

from roll.extensions import named_url
from roll.testing.encoding import encode_data
from roll_http import JSONCodec

URLENCODED = "application/x-www-form-urlencoded"


async def later():
    """Return nothing: nobody awaits it."""


def each():
    yield 1


async def each_later():
    yield 1


class Plain:
    """An object without a text of its own."""


class Awaitable:
    def __await__(self):
        yield

    def __str__(self):
        return "awaitable"


@dataclass
class Point:
    x: int = 1


WITHOUT_TEXT = {
    "function": lambda: later,
    "lambda": lambda: lambda: "a",
    "builtin": lambda: len,
    "method": lambda: "a".upper,
    "class": lambda: Plain,
    "enum class": lambda: Colour,
    "generator": each,
    "async generator": each_later,
    "iterator": lambda: iter("ab"),
    "map": lambda: map(str, "ab"),
    "future": lambda: asyncio.get_running_loop().create_future(),
    "awaitable": Awaitable,
    "object": Plain,
    "dataclass": Point,
    "dict": lambda: {"a": 1},
    "module": lambda: asyncio,
    "ellipsis": lambda: ...,
}


class Colour(enum.Enum):
    RED = "red"

    def __str__(self):
        return self.value


@pytest.fixture
def url_for(app):
    app.route("/b", name="b")(lambda request, response: None)
    return named_url(app)


@pytest.mark.parametrize("wrap", [lambda value: value, lambda value: [1, value]], ids=[0, "list"])
@pytest.mark.parametrize("made", WITHOUT_TEXT.values(), ids=WITHOUT_TEXT)
async def test_value_without_text_is_refused_by_all(client, url_for, made, wrap):
    with pytest.raises(ValueError, match=r"^Cannot make a query string: 'q' is "):
        url_for("b", q=wrap(made()))
    with pytest.raises(TypeError, match=r"^'q' is "):
        await client.get("/b", params={"q": wrap(made())})
    for content_type in (URLENCODED, "multipart/form-data"):
        with pytest.raises(TypeError, match=r"^'q' is "):
            encode_data({"q": wrap(made())}, content_type, JSONCodec())


@pytest.mark.parametrize("wrap", [lambda value: value, lambda value: [value]], ids=[0, "list"])
async def test_coroutine_is_refused_and_closed(url_for, wrap):
    made = later()
    with pytest.raises(ValueError, match=r"'q' is a coroutine, later\(\): `await` it first"):
        url_for("b", q=wrap(made))
    assert inspect.getcoroutinestate(made) == inspect.CORO_CLOSED


@pytest.mark.parametrize(
    ("value", "query"),
    [
        ("é &", "q=%C3%A9+%26"),
        (b"\xff", "q=%FF"),
        (bytearray(b"a"), "q=a"),
        (memoryview(b"a"), "q=a"),
        (True, "q=True"),
        (1.5, "q=1.5"),
        (Decimal("1.50"), "q=1.50"),
        (Fraction(1, 2), "q=1%2F2"),
        (1j, "q=1j"),
        (uuid.UUID(int=1), "q=00000000-0000-0000-0000-000000000001"),
        (Colour.RED, "q=red"),
        (enum.StrEnum("S", ["A"]).A, "q=a"),
        (enum.Enum("T", {"A": "x"}, type=str).A, "q=x"),
        (["a", 1, b"b", None], "q=a&q=1&q=b"),
        (("a",), "q=a"),
        ({"a"}, "q=a"),
        (deque([1, 2]), "q=1&q=2"),
        (range(2), "q=0&q=1"),
        ({"a": 1}.keys(), "q=a"),
        ([], ""),
        (None, ""),
        ([None], ""),
    ],
    ids=lambda given: repr(given) if not isinstance(given, memoryview) else "memory",
)
async def test_value_with_text_is_sent_by_all(app, client, url_for, value, query):
    assert url_for("b", q=value) == f"/b?{query}".removesuffix("?")

    @app.route("/c")
    async def seen(request, response):
        response.body = request.query_string

    assert (await client.get("/c", params={"q": value})).text == query
    if None not in (value if isinstance(value, list) else [value]):
        assert encode_data({"q": value}, URLENCODED, JSONCodec()) == (query.encode(), URLENCODED)


@pytest.mark.parametrize("given", [{"q": None}, {"q": [None]}, [("q", None)]], ids=repr)
def test_none_in_a_form_is_its_text(given):
    assert encode_data(given, URLENCODED, JSONCodec())[0] == b"q=None"
    assert b"\r\n\r\nNone\r\n" in encode_data(given, "multipart/form-data", JSONCodec())[0]
