"""What handlers set: bodies of any type, their Content-Type, and header fields."""

import array
import asyncio
import contextlib
import dataclasses
import datetime
import decimal
import enum
import functools
import io
import mmap
import pathlib
import types
import uuid

import pytest

from roll_http import Cookies, Response, each_field
from roll_http.h1 import response_fields

GET = b"GET / HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n"
TEXT = "text/plain; charset=utf-8"
BYTES = "application/octet-stream"


class Answer:
    """An answer as it was sent."""

    def __init__(self, data):
        head, _, self.body = data.partition("\r\n\r\n")
        line, *fields = head.split("\r\n")
        self.status = int(line.split()[1])
        self.fields = [tuple(field.split(": ", 1)) for field in fields]

    def all(self, name):
        """The values of a field, in whatever case its name is."""
        return [value for key, value in self.fields if key.lower() == name]


@pytest.fixture
def answer(serve):
    """Let a handler set attributes of a response, and return what is sent."""

    async def answer(request=GET, **attributes):
        async def handler(_, response):
            for name, value in attributes.items():
                setattr(response, name, value)

        return Answer(await (await serve(handler)).exchange(request))

    return answer


class Spoken:
    def __str__(self):
        return "spoken"


class Colour(enum.Enum):
    RED = 1


class Word(enum.StrEnum):
    HELLO = "hello"


MOMENT = datetime.datetime(2026, 11, 29, 21, 30)
TEXTS = {
    "str": ("é", "é"),
    "a subclass of str": (Word.HELLO, "hello"),
    "int": (0, "0"),
    "bool": (True, "True"),
    "float": (1.5, "1.5"),
    "complex": (1j, "1j"),
    "Decimal": (decimal.Decimal("1.10"), "1.10"),
    "UUID": (uuid.UUID(int=1), str(uuid.UUID(int=1))),
    "datetime": (MOMENT, str(MOMENT)),
    "Path": (pathlib.PurePosixPath("/a"), "/a"),
    "Enum": (Colour.RED, "Colour.RED"),
    "an exception": (ValueError("no"), "no"),
    "a __str__ of its own": (Spoken(), "spoken"),
    "a dict with a __str__": (type("Page", (dict,), {"__str__": lambda self: "page"})(), "page"),
}


@pytest.mark.parametrize("body", TEXTS)
async def test_text_is_sent_as_plain_text(answer, body):
    given, text = TEXTS[body]
    sent = await answer(body=given)
    assert (sent.status, sent.all("content-type")) == (200, [TEXT])
    assert sent.body.encode("latin-1").decode() == text


def mapped():
    memory = mmap.mmap(-1, 3)
    memory.write(b"abc")
    return memory


BUFFERS = {
    "bytes": lambda: b"abc",
    "bytearray": lambda: bytearray(b"abc"),
    "memoryview": lambda: memoryview(b"aXbXc")[::2],
    "array": lambda: array.array("B", b"abc"),
    "mmap": mapped,
}


@pytest.mark.parametrize("body", BUFFERS)
async def test_bytes_are_sent_as_a_stream_of_octets(answer, body):
    sent = await answer(body=BUFFERS[body]())
    assert (sent.status, sent.body, sent.all("content-type")) == (200, "abc", [BYTES])


async def ticks():
    yield b"a"
    yield ""
    yield "bc"


def beats():
    yield from (b"a", "", "bc")


class Endless:
    async def __aiter__(self):
        async for item in ticks():
            yield item


STREAMS = {
    "an async generator": ticks,
    "a function that is one": lambda: ticks,
    "an async iterable": Endless,
    "a generator": beats,
    "a function that is a generator": lambda: beats,
    "a partial of one": lambda: functools.partial(beats),
    "an iterator": lambda: iter([b"a", "bc"]),
    "a generator expression": lambda: (item for item in ("a", "bc")),
    "map": lambda: map(str.lower, "ABC"),
    "a file": lambda: io.BytesIO(b"abc"),
}


@pytest.mark.parametrize("body", STREAMS)
async def test_streams_are_sent_in_chunks(answer, body):
    sent = await answer(body=STREAMS[body]())
    assert (sent.status, sent.all("transfer-encoding")) == (200, ["chunked"])
    assert sent.all("content-type") == [BYTES]
    lines = sent.body.split("\r\n")
    assert "".join(lines[1:-3:2]) == "abc"


async def work():
    """A coroutine function whose result is never awaited."""


@types.coroutine
def old_work():
    yield


REFUSED = {
    "a coroutine": (work, "work(): `await` it first"),
    "a coroutine of the old style": (old_work, "`await` it first"),
    "a future": (lambda: asyncio.get_running_loop().create_future(), "Future: `await` it first"),
    "a function": (lambda: work, "call it, and `await` the call"),
    "a class": (lambda: Endless, "call it"),
    "a dict": (lambda: {"a": 1}, "a dict: set `response.json`"),
    "a list": (lambda: [1], "a list: set `response.json`"),
    "an empty list": (list, "a list: set `response.json`"),
    "a tuple": (lambda: (1,), "a tuple: set `response.json`"),
    "a set": (lambda: {1}, "a set: set `response.json`"),
    "a frozenset": (lambda: frozenset({1}), "a frozenset: set `response.json`"),
    "a range": (lambda: range(3), "no `__str__` of its own"),
    "an object": (object, "a object, which has no `__str__` of its own"),
    "a view of a dict": ({}.keys, "no `__str__` of its own"),
}


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("body", REFUSED)
async def test_invalid_body_is_a_500_and_the_log_says_what_was_meant(answer, caplog, body, method):
    make, meant = REFUSED[body]
    sent = await answer(GET.replace(b"GET", method.encode()), body=make())
    assert sent.status == 500
    (record,) = caplog.records
    assert record.levelname == "ERROR"
    assert meant in record.getMessage()
    assert "`response.body`" in record.getMessage()


async def test_no_body_is_empty_and_has_no_type(answer):
    for nothing in (None, b"", ""):
        sent = await answer(body=nothing)
        assert (sent.body, sent.all("content-length"), sent.all("content-type")) == ("", ["0"], [])


@pytest.mark.parametrize("given", ["text/html", "", []])
@pytest.mark.parametrize("name", ["Content-Type", "content-type", "CONTENT-TYPE"])
@pytest.mark.parametrize("body", ["a", b"b", "", ticks])
async def test_a_type_that_is_set_is_never_replaced(answer, body, name, given):
    sent = await answer(body=body, headers={name: given})
    assert sent.all("content-type") == ([] if given == [] else [given])


@pytest.mark.parametrize("status", [204, 205, 304])
@pytest.mark.parametrize("body", ["text", ticks])
async def test_a_response_that_has_no_body_has_no_type(answer, status, body):
    sent = await answer(status=status, body=body)
    assert (sent.body, sent.all("content-type")) == ("", [])


@pytest.mark.parametrize(("body", "kind"), [("text", TEXT), (b"a", BYTES), (ticks, BYTES)])
async def test_head_has_the_content_type_of_get(answer, body, kind):
    sent = await answer(GET.replace(b"GET", b"HEAD"), body=body)
    assert (sent.body, sent.all("content-type")) == ("", [kind])


@pytest.mark.parametrize("body", ["text", b"a", 1, ticks, "x" * 100_000])
async def test_a_class_may_do_without_a_default_type(serve, body):
    class Untyped(Response):
        add_content_type = False

    async def handler(_, response):
        response.body = body

    peer = await serve(handler)
    peer.app.Response = Untyped
    assert Answer(await peer.exchange(GET)).all("content-type") == []


async def test_an_item_of_a_stream_that_is_to_be_awaited_ends_the_connection(serve, caplog):
    async def handler(_, response):
        response.body = iter([b"a", work()])

    with pytest.raises(ConnectionResetError):
        await (await serve(handler)).exchange(GET)
    assert "work(): `await` it first" in caplog.text


async def test_an_iterator_is_closed_also_where_it_is_not_sent(serve):
    files = []

    async def handler(_, response):
        files.append(io.BytesIO(b"abc"))
        response.body = files[-1]

    peer = await serve(handler)
    await peer.exchange(GET)
    await peer.exchange(GET.replace(b"GET", b"HEAD"))
    assert [file.closed for file in files] == [True, True]


async def test_text_that_utf8_can_not_encode_is_a_500(answer, caplog):
    assert (await answer(body="\ud800")).status == 500
    assert "can't be sent" in caplog.text


# Fields.


async def test_a_field_is_sent_once_whatever_its_case(answer):
    sent = await answer(headers={"X-A": "1", "x-b": "2", "x-a": "3", "X-B": "4", "X-a": "5"})
    assert (sent.all("x-a"), sent.all("x-b")) == (["5"], ["4"])


FRAMING = [
    ({"Content-Length": 9, "content-length": 1}, "content-length", ["1"]),
    ({"Date": "one", "DATE": "two"}, "date", ["two"]),
    ({"content-type": "text/html", "Content-Type": "text/css"}, "content-type", ["text/css"]),
    ({"Content-Type": "text/css", "content-type": "text/html"}, "content-type", ["text/html"]),
    ({"connection": "X-A", "Connection": "close"}, "connection", ["close"]),
]


@pytest.mark.parametrize(("headers", "name", "values"), FRAMING)
async def test_so_are_the_fields_that_we_read(answer, headers, name, values):
    sent = await answer(headers=headers, body="a")
    assert (sent.status, sent.all(name), sent.body) == (200, values, "a")


async def test_a_field_is_sent_once_when_its_names_were_forgotten_meanwhile(answer):
    for number in range(response_fields._MAX_KINDS):
        response_fields.read_fields({f"X-{number}": ""})
    sent = await answer(headers={"X-One": "1", "X-New": "2", "X-one": "3", "x-ONE": "4"})
    assert sent.all("x-one") == ["4"]
    assert len(response_fields.kinds) <= response_fields._MAX_KINDS


@pytest.mark.parametrize("kind", [list, tuple])
async def test_a_list_is_a_line_for_each_item(answer, kind):
    sent = await answer(headers={"Link": kind(["<a>", "<b>"]), "X-N": kind([1]), "X-0": kind([])})
    assert (sent.all("link"), sent.all("x-n"), sent.all("x-0")) == (["<a>", "<b>"], ["1"], [])


async def test_lists_of_fields_that_we_read_are_joined(answer):
    sent = await answer(headers={"Content-Length": [1], "Connection": ["X-A", "close"]}, body="a")
    assert sent.all("connection") == ["x-a, close"]


async def test_no_item_of_a_list_injects_a_line(answer):
    assert (await answer(headers={"Link": ["a", "b\r\nX: y"]})).status == 500


NO_TEXT = {
    "a coroutine": (work, "a coroutine, work(): `await` it first"),
    "a coroutine of the old style": (old_work, "`await` it first"),
    "a future": (lambda: asyncio.get_running_loop().create_future(), "`await` it first"),
    "a function": (lambda: work, "call it, and `await` the call"),
    "a method": (lambda: Spoken().__str__, "call it"),
    "a builtin": (lambda: len, "call it"),
    "a partial": (lambda: functools.partial(work), "call it"),
    "a class": (lambda: Endless, "call it"),
    "an object that is called": (type("Called", (), {"__call__": work}), "call it"),
    "a generator": (beats, "no text of its own"),
    "an async generator": (ticks, "no text of its own"),
    "an iterator": (lambda: iter([1]), "no text of its own"),
    "an object": (object, "no text of its own: give a str"),
}


@pytest.mark.parametrize("place", ["alone", "in a list"])
@pytest.mark.parametrize("name", ["X-A", "Content-Type", "Connection", "Date"])
@pytest.mark.parametrize("value", NO_TEXT)
async def test_field_without_text_is_a_500_and_the_log_says_what_was_meant(
    answer, caplog, value, name, place
):
    make, meant = NO_TEXT[value]
    given = make() if place == "alone" else ["a", make()]
    sent = await answer(headers={name: given})
    assert (sent.status, sent.all("x-a")) == (500, [])
    (record,) = caplog.records
    assert f"Header {name} is " in record.getMessage()
    assert meant in record.getMessage()


class Shown:
    def __repr__(self):
        return "shown"


@dataclasses.dataclass
class Version:
    number: int


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1, "1"),
        (1.5, "1.5"),
        (Spoken(), "spoken"),
        (Shown(), "shown"),
        (Version(1), "Version(number=1)"),
        (Colour.RED, "Colour.RED"),
        (decimal.Decimal("1.0"), "1.0"),
        (datetime.date(2026, 1, 2), "2026-01-02"),
        (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (pathlib.PurePosixPath("/a"), "/a"),
        (ValueError("a"), "a"),
        (type("Text", (str,), {})("a"), "a"),
    ],
    ids=map(str, range(14)),
)
async def test_a_field_is_the_text_of_any_other_value(answer, value, text):
    assert (await answer(headers={"X-A": value})).all("x-a") == [text]
    assert (await answer(headers={"X-A": [value, "b"]})).all("x-a") == [text, "b"]


def test_each_field_refuses_values_without_text():
    with pytest.raises(ValueError, match=r"Header X-A is .* call it"):
        list(each_field({"X-A": work}))


async def test_json_and_redirect_take_the_place_of_other_spellings(answer):
    sent = await answer(headers={"content-TYPE": "text/html", "LOCATION": "/a"}, json=1)
    assert sent.all("content-type") == ["application/json; charset=utf-8"]
    sent = await answer(headers={"location": "/a"}, redirect="/b")
    assert (sent.status, sent.all("location")) == (302, ["/b"])


def test_each_field_gives_the_lines_that_are_sent():
    headers = {"X-A": 1, "Link": ["a", "b"], "x-a": 2}
    assert list(each_field(headers)) == [("x-a", "2"), ("Link", "a"), ("Link", "b")]


# Cookies.


async def test_a_cookie_may_be_set_as_in_a_dict(serve):
    async def handler(_, response):
        response.cookies["session"] = "abc"
        response.cookies.set("theme", "dark", path=None)
        response.cookies["odd"] = "a;b"

    sent = Answer(await (await serve(handler)).exchange(GET))
    assert sent.all("set-cookie") == ["session=abc; Path=/", "theme=dark", 'odd="a\\073b"; Path=/']


async def test_a_name_that_no_cookie_has_is_a_500(serve, caplog):
    async def handler(_, response):
        response.cookies["a b"] = "c"

    assert Answer(await (await serve(handler)).exchange(GET)).status == 500
    assert "Cookie name 'a b' is not a token" in caplog.text


async def test_header_of_none_is_not_set(serve):
    async def handler(request, response):
        response.headers["Content-Type"] = None  # as `mimetypes.guess_type` gives
        response.headers["X-A"] = None
        response.headers["X-B"] = [None, "b"]
        response.body = b"<body onload=alert(1)>"

    answer = await (await serve(handler)).exchange(GET)
    assert "Content-Type: application/octet-stream\r\n" in answer
    assert "X-A" not in answer
    assert answer.count("X-B: b\r\n") == 1


async def test_headers_of_another_type_are_a_500_that_is_logged(serve, caplog):
    async def handler(request, response):
        response.headers = [("X-A", "b")]

    assert (await (await serve(handler)).exchange(GET)).startswith("HTTP/1.1 500 ")
    assert "`response.headers` is a list: give a dict of names to values" in caplog.text


@pytest.mark.parametrize("item", [{"a": 1}, [1], (1,), {1}])
async def test_stream_item_that_is_a_container_is_logged(serve, caplog, item):
    async def handler(request, response):
        response.body = iter([item])

    with contextlib.suppress(ConnectionResetError):
        await (await serve(handler)).exchange(GET)
    assert "encode it with json.dumps(...)" in caplog.text


@pytest.mark.parametrize("item", [None, object(), print, len], ids=repr)
async def test_stream_item_without_text_is_logged(serve, caplog, item):
    async def handler(request, response):
        response.body = iter([item])

    with contextlib.suppress(ConnectionResetError):
        await (await serve(handler)).exchange(GET)
    assert "which has no text: give text or bytes" in caplog.text


@pytest.mark.parametrize(
    ("item", "chunk"), [(5, "5"), (1.5, "1.5"), (array.array("b", [97, 98]), "ab"), (True, "True")]
)
async def test_item_of_a_stream_with_a_text_or_a_buffer_is_sent(serve, item, chunk):
    async def handler(request, response):
        response.body = iter([item])

    answer = await (await serve(handler)).exchange(GET)
    assert answer.endswith(f"\r\n\r\n{len(chunk):x}\r\n{chunk}\r\n0\r\n\r\n")


async def work(): ...


def test_cookie_that_is_a_coroutine_says_await():
    with pytest.raises(TypeError, match=r"Cookie value is of type coroutine: .*`await` it first"):
        Cookies({}).set("a", work())
