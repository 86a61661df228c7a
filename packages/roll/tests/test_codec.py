"""`Roll.JSON`: the values that the default encodes, and those that it refuses."""

from __future__ import annotations

import asyncio
import datetime as dt
import enum
import uuid
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import pytest

from roll import Roll


class Colour(enum.Enum):
    RED = "red"
    DAY = dt.date(2026, 11, 29)


class Level(enum.IntEnum):
    LOW = 1


class Name(enum.StrEnum):
    ADA = "ada"


class Price(Decimal, enum.Enum):
    LOW = "1.50"


@dataclass
class Point:
    x: int
    when: dt.date = dt.date(2026, 1, 2)
    tags: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Line:
    ends: list[Point]


class Pair(NamedTuple):
    a: int
    b: int


KEY = uuid.UUID("12345678123456781234567812345678")
VIENNA = dt.timezone(dt.timedelta(hours=1))

ENCODED = [
    (dt.datetime(2026, 11, 29, 12, 30), '"2026-11-29T12:30:00"'),
    (dt.datetime(2026, 11, 29, 12, 30, 1, 5, tzinfo=VIENNA), '"2026-11-29T12:30:01.000005+01:00"'),
    (dt.date(2026, 11, 29), '"2026-11-29"'),
    (dt.time(12, 30), '"12:30:00"'),
    (dt.time(12, 30, tzinfo=dt.UTC), '"12:30:00+00:00"'),
    (KEY, '"12345678-1234-5678-1234-567812345678"'),
    (Decimal("1.10"), '"1.10"'),
    (Path("a/b"), '"a/b"'),
    (PurePosixPath("/é"), '"/é"'),
    (Colour.RED, '"red"'),
    (Colour.DAY, '"2026-11-29"'),
    (Level.LOW, "1"),
    (Name.ADA, '"ada"'),
    (Price.LOW, '"1.50"'),
    (Point(1), '{"x":1,"when":"2026-01-02","tags":[]}'),
    (Line([Point(1, tags={"a"})]), '{"ends":[{"x":1,"when":"2026-01-02","tags":["a"]}]}'),
    ({1}, "[1]"),
    (frozenset({"a"}), '["a"]'),
    ((1, (2,)), "[1,[2]]"),
    (Pair(1, 2), "[1,2]"),
    ({"a": 1}.keys(), '["a"]'),
    ({"a": KEY}.values(), '["12345678-1234-5678-1234-567812345678"]'),
    ({"a": 1}.items(), '[["a",1]]'),
]


@pytest.mark.parametrize(("value", "expected"), ENCODED, ids=[repr(value) for value, _ in ENCODED])
@pytest.mark.parametrize("where", ["alone", "in a list", "in a dict"])
async def test_the_default_codec_encodes(app, client, value, expected, where):
    @app.route("/")
    def view(request, response):
        wrapped = {"alone": value, "in a list": [value], "in a dict": {"k": value}}
        response.json = wrapped[where]

    wrapped = {"alone": expected, "in a list": f"[{expected}]", "in a dict": f'{{"k":{expected}}}'}
    assert (await client.get("/")).body == wrapped[where].encode()


def loop():
    found = Point(1)
    found.x = found
    return found


@pytest.mark.parametrize(
    "value",
    [object(), Point, Colour, b"bytes", 1j, dt.timedelta(1), iter([1]), {float("nan")}, loop()],
    ids=[
        "object",
        "class",
        "enumeration",
        "bytes",
        "complex",
        "timedelta",
        "iterator",
        "nan",
        "circle",
    ],
)
async def test_the_default_codec_refuses_the_rest_with_a_500(app, client, caplog, value):
    @app.route("/")
    def view(request, response):
        response.json = [value]

    assert (await client.get("/")).status == 500
    assert "view" in caplog.text


def test_error_names_the_refused_value():
    with pytest.raises(TypeError, match=r"JSON has nothing for datetime.timedelta\(days=1\)"):
        Roll.JSON.dumps({"a": dt.timedelta(1)})


async def work(): ...


async def chunks():
    yield "a"


@pytest.mark.parametrize(
    ("make", "advice"),
    [
        (work, "of type coroutine: `await` it first"),
        (lambda: {"a": [work()]}, "of type coroutine: `await` it first"),
        (lambda: asyncio.ensure_future(work()), "of type Task: `await` it first"),
        (lambda: asyncio.get_running_loop().create_future(), "of type Future: `await` it first"),
        (chunks, "of type async_generator: make a list of its items, or set `response.body` to"),
        (lambda: map(str, "ab"), "of type map"),
        (lambda: (c for c in "ab"), "of type generator: make a list of its items, or set"),
        (lambda: work, "of type function: call it, and `await` the call if it is async"),
        (lambda: chunks, "of type function: call it, and `await` the call if it is async"),
        (lambda: "".join, "of type builtin_function_or_method: call it, and `await`"),
    ],
    ids=map(str, range(10)),
)
async def test_error_of_json_says_what_was_meant(app, client, caplog, make, advice):
    @app.route("/")
    async def handler(request, response):
        response.json = make()

    assert (await client.get("/")).status == 500
    assert "TypeError: JSON has nothing for " in caplog.text
    assert advice in caplog.text
    assert "response.json = make()" in caplog.text


@pytest.mark.parametrize("body", ["NaN", "[-Infinity]", "1e999", '{"a":'])
async def test_malformed_json_is_a_400_with_the_default_codec(app, client, body):
    @app.route("/", methods=["POST"])
    def view(request, response):
        response.json = request.json

    assert (await client.post("/", body)).status == 400
