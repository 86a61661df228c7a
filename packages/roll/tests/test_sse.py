"""Server-sent events: `response.sse`, `ServerSentEvent`, `request.last_event_id`."""

import asyncio
import json
from contextlib import nullcontext
from enum import Enum
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roll import Request, Response, Roll, RollWarning, ServerSentEvent
from roll.event_stream import EventStream
from roll.heartbeat import LONGEST_PERIOD, Heartbeat
from roll.sse import encode_event

TEXT = st.text(st.characters(codec="utf-8"))


def parse(stream):
    """Return the events that a client reads (WHATWG HTML 9.2.6): type, data and last id."""
    text = stream.decode().replace("\r\n", "\n").replace("\r", "\n")
    events, data, kind, last = [], [], "", ""
    for line in text.split("\n"):
        name, colon, value = line.partition(":")
        value = value.removeprefix(" ")
        if not line:
            if data:
                events.append((kind or "message", "\n".join(data), last))
            data, kind = [], ""
        elif colon and not name:
            continue
        elif name == "data":
            data.append(value)
        elif name == "event":
            kind = value
        elif name == "id" and "\0" not in value:
            last = value
    return events


def encoded(item):
    return encode_event(item, json.dumps)


def as_received(text):
    return text.replace("\r\n", "\n").replace("\r", "\n")


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        ("hello", b"data: hello\n\n"),
        ("", b"data: \n\n"),
        (" two spaces", b"data:  two spaces\n\n"),
        ("a\nb\r\nc\rd", b"data: a\ndata: b\ndata: c\ndata: d\n\n"),
        ("\n", b"data: \ndata: \n\n"),
        ("a\u2028b\x0bc\x85d", "data: a\u2028b\x0bc\x85d\n\n".encode()),
        ("data: not a field", b"data: data: not a field\n\n"),
        (b"caf\xc3\xa9", b"data: caf\xc3\xa9\n\n"),
        ({"a": 1}, b'data: {"a": 1}\n\n'),
        ([1, None], b"data: [1, null]\n\n"),
        (None, b"data: null\n\n"),
        (0, b"data: 0\n\n"),
        (ServerSentEvent("x", "tick", "7", 500), b"retry: 500\nid: 7\nevent: tick\ndata: x\n\n"),
        (ServerSentEvent("x", id=7), b"id: 7\ndata: x\n\n"),
        (ServerSentEvent("x", id=""), b"id: \ndata: x\n\n"),
        (ServerSentEvent({"a": 1}), b'data: {"a": 1}\n\n'),
        (ServerSentEvent(""), b"data: \n\n"),
        (ServerSentEvent(id="7"), b"id: 7\n\n"),
        (ServerSentEvent(retry=0), b"retry: 0\n\n"),
        (ServerSentEvent(comment="a\nid: 1"), b": a\n: id: 1\n\n"),
        (ServerSentEvent(comment=""), b": \n\n"),
        (ServerSentEvent(event="end"), b"event: end\ndata:\n\n"),
        (ServerSentEvent(), b""),
    ],
)
def test_an_event_is_written_as_the_standard_says(item, expected):
    assert encoded(item) == expected


@given(st.lists(TEXT))
def test_text_arrives_whatever_is_in_it(texts):
    stream = b"".join(map(encoded, texts))
    assert parse(stream) == [("message", as_received(text), "") for text in texts]


@given(TEXT, TEXT.filter(lambda text: not {"\r", "\n"} & {*text}), st.integers(), TEXT)
def test_every_field_arrives_and_a_comment_is_nothing(data, event, number, comment):
    found = parse(encoded(ServerSentEvent(data, event, number, comment=comment)))
    assert found == [(event or "message", as_received(data), str(number))]


@pytest.mark.parametrize(
    "value",
    [7, -1, 2**70, "a b", "a\tb", '{"a":[1,2]}', "é€😀", "\x85\u2028\u200b", "x" * 4096, ""],
)
async def test_every_accepted_id_is_sent_back(app, liveclient, value):
    @app.route("/")
    async def view(request, response):
        response.json = request.last_event_id

    sent = ServerSentEvent(id=value).id
    reader, writer = await asyncio.open_connection("127.0.0.1", liveclient.port)
    field = b"Last-Event-ID: " + sent.encode()
    writer.write(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n" + field + b"\r\n\r\n")
    answer = await reader.read()
    writer.close()
    assert json.loads(answer.partition(b"\r\n\r\n")[2]) == sent == str(value)


@pytest.mark.parametrize(
    "fields",
    [
        {"event": "a\nb"},
        {"event": "a\rb"},
        {"event": b"a"},
        {"id": "1\n"},
        {"id": "\r"},
        {"id": "a\0b"},
        {"id": "a\x01b"},
        {"id": "a\x7fb"},
        {"id": " 1"},
        {"id": "1\t"},
        {"id": "x" * 4097},
        {"id": "é" * 2049},
        {"id": 1.5},
        {"id": True},
        {"retry": -1},
        {"retry": 1.5},
        {"retry": "1000"},
        {"retry": True},
        {"retry": 2**31},
        {"retry": 10**400},
        {"id": 10**4096},
        {"comment": 1},
        {"event": "\ud800"},
        {"id": "\udfff"},
        {"comment": "é\udc80"},
    ],
    ids=ascii,
)
def test_a_field_that_clients_would_misread_is_refused(fields):
    with pytest.raises(ValueError, match=next(iter(fields))):
        ServerSentEvent("data", **fields)


@pytest.mark.parametrize("text", ["\ud800", "é\udfff"], ids=ascii)
def test_data_that_utf8_cannot_encode_are_refused(text):
    with pytest.raises(ValueError, match="`data` has half of a surrogate pair"):
        ServerSentEvent(text)


@pytest.mark.parametrize(
    "fields", [{"retry": [0] * 10**5}, {"id": "\0" * 10**5}, {"event": {1: "x" * 10**5}}]
)
def test_a_refused_field_is_shown_in_short(fields):
    with pytest.raises(ValueError, match=next(iter(fields))) as told:
        ServerSentEvent("data", **fields)
    assert len(str(told.value)) < 500


class Word(str, Enum):  # noqa: UP042 - `str()` of a member is its name, on Python 3.11
    A = "a"


class Number(int, Enum):
    SEVEN = 7


def test_members_of_an_enum_are_sent_as_their_values():
    event = ServerSentEvent(Word.A, event=Word.A, id=Number.SEVEN, retry=Number.SEVEN)
    assert encoded(event) == b"retry: 7\nid: 7\nevent: a\ndata: a\n\n"
    assert encoded(ServerSentEvent(id=Word.A)) == b"id: a\n\n"
    assert encoded(Word.A) == b"data: a\n\n"


@pytest.mark.parametrize("name", ["id", "retry", "event", "comment"])
def test_a_number_that_python_does_not_write_is_refused(name):
    with pytest.raises(ValueError, match=name):
        ServerSentEvent(**{name: 10**5000})


def test_the_longest_retry_is_sent():
    assert encoded(ServerSentEvent(retry=2**31 - 1)) == b"retry: 2147483647\n\n"


def test_an_event_shows_its_fields_and_cannot_be_changed():
    event = ServerSentEvent("x", id=3, retry=10, comment="c", event="e")
    shown = "ServerSentEvent(data='x', event='e', id='3', retry=10, comment='c')"
    assert repr(event) == shown
    with pytest.raises(AttributeError):
        event.data = "y"


def test_invalid_utf8_data_is_refused():
    with pytest.raises(UnicodeDecodeError):
        encoded(b"\xff")
    with pytest.raises(UnicodeEncodeError):
        encoded("\ud800")


# The response.


async def test_a_response_of_events_has_the_fields_of_one(app, client):
    @app.route("/")
    async def handler(request, response):
        async def source():
            yield "a"
            yield ServerSentEvent({"b": 1}, id="2")

        response.headers["content-TYPE"] = "text/html"
        response.sse = source()
        assert response.sse is response.body.source

    response = await client.get("/")
    assert response.headers == {
        "Content-Type": "text/event-stream",
        "Cache-Control": "no-store",
        "X-Accel-Buffering": "no",
    }
    assert b'data: a\n\n\r\n15\r\nid: 2\ndata: {"b":1}\n\n' in client.protocol.transport.data


async def test_a_field_that_the_handler_set_is_kept(app, client):
    @app.route("/")
    async def handler(request, response):
        response.headers["cache-control"] = "no-cache"
        response.sse = iter(["a"])

    assert (await client.get("/")).headers["cache-control"] == "no-cache"
    assert b"no-store" not in client.protocol.transport.data


@pytest.mark.parametrize("source", [iter("ab"), (one for one in "ab"), lambda: (yield "a")])
async def test_any_iterator_is_a_source(app, client, source):
    @app.route("/")
    async def handler(request, response):
        response.sse = source

    await client.get("/")
    assert b"data: a\n\n" in client.protocol.transport.data


@pytest.mark.parametrize("source", ["text", b"bytes", ["list"], {"data": 1}, None, 1, object])
def test_source_that_is_not_an_iterator_is_refused(source):
    response = Response(Roll(), None)
    with pytest.raises(TypeError, match="async iterator"):
        response.sse = source
    assert response.sse is None


async def test_the_codec_of_the_application_encodes(client, app):
    class Codec:
        @staticmethod
        def dumps(value):
            return b"[\n1]"

    app.JSON = Codec

    @app.route("/")
    async def handler(request, response):
        response.sse = iter([{"a": 1}])

    await client.get("/")
    assert b"data: [\ndata: 1]\n\n" in client.protocol.transport.data


@pytest.mark.parametrize("given", [None, 5, ["a"], {}])
def test_codec_that_gives_neither_text_nor_bytes_is_an_error(given):
    with pytest.raises(TypeError, match="`dumps` of a JSON codec returns text or bytes, not "):
        encode_event({"a": 1}, lambda value: given)


async def test_a_head_has_no_event_and_its_source_is_closed(app, client):
    began = []

    @app.route("/")
    async def handler(request, response):
        async def source():
            began.append(1)
            yield "a"

        response.sse = source()

    response = await client.head("/")
    assert response.headers["Content-Type"] == "text/event-stream"
    assert client.protocol.transport.data.endswith(b"\r\n\r\n")
    assert began == []


@pytest.mark.parametrize(
    ("item", "warns"),
    [
        ({"data": 1}, True),
        ({"data": 1, "event": "a", "id": 1, "retry": 1, "comment": ""}, True),
        ({"event": "a", "id": 1}, True),
        ({"event": "a"}, False),
        ({"id": 1}, False),
        ({"data": 1, "more": 2}, False),
        ({}, False),
        (ServerSentEvent({"data": 1}), False),
    ],
    ids=str,
)
async def test_a_dict_that_looks_like_an_event_warns(app, client, item, warns, recwarn):
    @app.route("/")
    async def handler(request, response):
        async def source():
            yield item
            yield item

        response.sse = source()

    for _ in range(2):
        await client.get("/")
    # One warning, at the line of the source.
    assert [one.category for one in recwarn] == [RollWarning] * warns
    assert all("source" in str(one.message) and one.filename == __file__ for one in recwarn)
    dumped = encoded(getattr(item, "data", item)).replace(b": ", b":").replace(b", ", b",")
    assert dumped.replace(b"data:", b"data: ", 1)[:8] in client.protocol.transport.data


@pytest.mark.parametrize(
    ("field", "expected"),
    [("7", "7"), ("é☃".encode().decode("latin-1"), "é☃"), ("\xe9", "\xe9"), ("☃", "☃")],
)
def test_the_last_id_is_read(field, expected):
    request = Request(None, None)
    assert request.last_event_id == ""
    request.headers["LAST-EVENT-ID"] = field
    assert request.last_event_id == expected


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("7", 7),
        ("0", 0),
        ("007", 7),
        ("-7", -7),
        (str(2**63 - 1), 2**63 - 1),
        (str(-(2**63)), -(2**63)),
        (str(2**63), 0),
        (str(-(2**63) - 1), 0),
        ("9" * 5000, 0),
        ("", 0),
        ("-", 0),
        ("+7", 0),
        ("7 ", 0),
        ("7\n", 0),
        ("7.0", 0),
        ("1_000", 0),
        ("0x7", 0),
        ("\u0667", 0),
        ("\xb2", 0),
        ("\xff", 0),
        ("None", 0),
    ],
)
@pytest.mark.parametrize("as_parameter", [False, True])
def test_an_id_that_is_not_a_number_means_from_the_start(field, expected, as_parameter):
    request = Request(Roll(), None)
    if as_parameter:
        request.query_string = urlencode({"last": field})
    else:
        request.headers["LAST-EVENT-ID"] = field
    assert request.last_event_number("last") == expected


def test_the_parameter_is_read_when_it_is_asked_for_and_the_field_has_no_number():
    request = Request(Roll(), None)
    request.query_string = "last=5"
    assert request.last_event_number() == 0
    assert request.last_event_number("last") == 5
    assert request.last_event_number("other") == 0
    request.headers["LAST-EVENT-ID"] = "made up"
    assert request.last_event_number("last") == 5
    request.headers["LAST-EVENT-ID"] = "0"
    assert request.last_event_number("last") == 0


def stream_of(source):
    return EventStream(source, json.dumps, None)


async def test_events_can_be_read_without_a_connection():
    stream = stream_of(iter([ServerSentEvent(), "a", ServerSentEvent(), ServerSentEvent(id=1)]))
    assert [chunk async for chunk in stream] == [b"data: a\n\n", b"id: 1\n\n"]
    await stream.aclose()


async def test_a_source_needs_nothing_but_the_next_item():
    class Source:
        def __aiter__(self):
            return self

        async def __anext__(self):
            return "a"

    stream = stream_of(Source())
    assert await anext(stream) == b"data: a\n\n"
    await stream.aclose()


async def test_a_source_that_did_not_begin_is_closed():
    closed = []

    class Source:
        def __aiter__(self):
            return self

        async def __anext__(self):
            raise AssertionError

        async def aclose(self):
            closed.append(True)

    await stream_of(Source()).aclose()
    assert closed == [True]


async def test_a_source_that_waits_is_stopped_once():
    async def stubborn():
        try:
            await asyncio.Event().wait()
        finally:
            for _ in range(5):
                await asyncio.sleep(0)

    async def source():
        try:
            await asyncio.ensure_future(stubborn())
        except asyncio.CancelledError:
            await asyncio.sleep(0)
            yield "bye"

    stream = stream_of(source())
    reading = asyncio.ensure_future(asyncio.wait_for(read(stream), 30))
    while not stream.begun:
        await asyncio.sleep(0)
    await asyncio.sleep(0)
    for _ in range(3):
        stream.stop()
        stream.leave()  # as the clock may do at any time
    assert await reading == [b"data: bye\n\n"]


async def read(stream):
    return [chunk async for chunk in stream]


async def test_a_stream_that_was_left_while_it_waits_is_closed():
    told = []

    async def source():
        try:
            await asyncio.Event().wait()
        finally:
            told.append("closed")
        yield

    stream = EventStream(source(), json.dumps, 3600.0)
    reading = asyncio.ensure_future(read_one(stream))
    while not stream.begun:
        await asyncio.sleep(0)
    await asyncio.sleep(0)
    stream.beat(asyncio.get_running_loop().time() + 7200)
    assert await reading == b":\n\n"
    await stream.aclose()
    assert told == ["closed"]


async def read_one(stream):
    return await anext(stream)


# On the wire.


class Reader:
    """A client that reads a response as it comes."""

    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer

    async def until(self, text):
        return await asyncio.wait_for(self.reader.readuntil(text), 30)

    async def rest(self):
        return await asyncio.wait_for(self.reader.read(), 30)


@pytest.fixture
async def get(liveclient):
    """Ask the live server, and read as it answers."""
    clients = []

    async def get(path="/"):
        connection = await asyncio.open_connection("127.0.0.1", liveclient.port)
        connection[1].write(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        clients.append(Reader(*connection))
        return clients[-1]

    yield get
    for client in clients:
        client.writer.transport.abort()


async def test_a_comment_is_sent_when_the_source_is_silent(app, get):
    class Quick(Response):
        sse_interval = 0.01

    app.Response = Quick
    went_on = asyncio.Event()

    @app.route("/")
    async def handler(request, response):
        async def source():
            await went_on.wait()
            yield "a"

        response.sse = source()

    client = await get()
    for _ in range(3):
        await client.until(b"3\r\n:\n\n\r\n")
    went_on.set()
    # The same step of the source: it was never disturbed.
    await client.until(b"data: a\n\n")
    await client.until(b"0\r\n\r\n")


async def test_no_comment_is_sent_without_an_interval(app, get, monkeypatch):
    monkeypatch.setattr(Response, "sse_interval", None)
    loop = asyncio.get_running_loop()
    went_on = loop.create_future()

    @app.route("/")
    async def handler(request, response):
        async def source():
            loop.call_later(0.05, went_on.set_result, "a")
            yield await went_on

        response.sse = source()

    client = await get()
    await client.until(b"\r\n\r\n")
    assert await client.until(b"\n\n") == b"9\r\ndata: a\n\n"


async def test_a_busy_source_has_no_comments(app, get, monkeypatch):
    monkeypatch.setattr(Response, "sse_interval", 3600.0)

    @app.route("/")
    async def handler(request, response):
        async def source():
            loop = asyncio.get_running_loop()
            yield "a"
            # A tick before an hour has passed since the last event, and one that is not too early.
            loop.call_soon(response.body.beat, loop.time() + 3599)
            await asyncio.sleep(0.001)
            yield "b"
            loop.call_soon(response.body.beat, loop.time() + 3601)
            await asyncio.sleep(0.001)
            yield "c"

        response.sse = source()

    client = await get()
    assert b":\n\n" not in await client.until(b"data: b\n\n")
    assert b":\n\n" in await client.until(b"data: c\n\n")


async def test_the_source_is_closed_at_once_when_the_client_leaves(app, get):
    closed = asyncio.get_running_loop().create_future()

    @app.route("/")
    async def handler(request, response):
        async def source():
            try:
                yield "a"
                await asyncio.Event().wait()
            finally:
                await asyncio.sleep(0)
                closed.set_result(None)

        response.sse = source()

    client = await get()
    await client.until(b"data: a\n\n")
    client.writer.close()
    await asyncio.wait_for(closed, 30)
    heartbeat = Heartbeat.of(asyncio.get_running_loop())
    while heartbeat._members:  # nothing is kept of it
        await asyncio.sleep(0)


async def test_a_source_that_fails_aborts_the_stream(app, get, caplog):
    @app.route("/")
    async def handler(request, response):
        async def source():
            yield "a"
            raise ValueError("broken")

        response.sse = source()

    client = await get()
    with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
        await client.until(b"0\r\n\r\n")
    assert "broken" in caplog.text


@pytest.mark.parametrize("last", [False, True], ids=["plain", "says bye"])
async def test_a_stopping_server_ends_the_stream_as_a_whole(app, liveclient, get, last):
    told = []

    @app.route("/")
    async def handler(request, response):
        async def source():
            try:
                yield "a"
                async with asyncio.timeout(3600):
                    await asyncio.Event().wait()
            except asyncio.CancelledError:
                told.append("cancelled")
                if last:
                    yield "bye"
                    yield "never sent"
                raise
            finally:
                told.append("closed")

        response.sse = source()

    client = await get()
    await client.until(b"data: a\n\n")
    await asyncio.wait_for(liveclient.server.stop(), 30)
    assert told == ["cancelled", "closed"]
    rest = await client.rest()
    assert rest.endswith(b"0\r\n\r\n")
    assert (b"bye" in rest, b"never sent" in rest) == (last, False)


async def test_the_clock_ticks_only_while_there_are_members():
    loop = asyncio.get_running_loop()
    heartbeat = Heartbeat.of(loop)
    assert Heartbeat.of(loop) is heartbeat
    ticks = asyncio.Queue()

    class Member:
        def beat(self, now):
            ticks.put_nowait(now)

    members = Member(), Member()
    for member in members:
        heartbeat.add(member, 0.01, loop)
    before = loop.time()
    for _ in range(4):
        assert await asyncio.wait_for(ticks.get(), 30) >= before
    for member in members:
        heartbeat.discard(member)
    while heartbeat._ticking:
        await asyncio.sleep(0)
    assert heartbeat._period == LONGEST_PERIOD


async def test_events_are_sent_by_an_asgi_server_too(app, monkeypatch):
    monkeypatch.setattr(Response, "sse_interval", 0.01)
    sent, messages, closed = asyncio.Queue(), asyncio.Queue(), asyncio.Event()

    @app.route("/")
    async def handler(request, response):
        async def source():
            try:
                yield request.last_event_id
                await asyncio.Event().wait()
            finally:
                closed.set()

        response.sse = source()

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": "/",
        "raw_path": b"/",
        "query_string": b"",
        "headers": [(b"host", b"a"), (b"last-event-id", "é".encode())],
    }
    task = asyncio.ensure_future(app(scope, messages.get, sent.put))
    async with asyncio.timeout(30):
        start = await sent.get()
        assert dict(start["headers"])[b"content-type"] == b"text/event-stream"
        chunks = [(await sent.get())["body"] for _ in range(3)]
        assert chunks == ["data: é\n\n".encode(), b":\n\n", b":\n\n"]
        messages.put_nowait({"type": "http.disconnect"})
        await closed.wait()
        await task


@pytest.mark.parametrize(
    "interval", [-1, 0.00001, "3", 10**400, float("nan"), float("inf"), [], True, b"1"]
)
def test_interval_that_cannot_work_is_refused_at_the_start(interval):
    """Before, -1 took a whole core, and text cut each stream after its head."""
    kind = type("Mine", (Response,), {"sse_interval": interval})
    with pytest.raises(ValueError, match="`sse_interval` is a number of seconds"):
        type("Own", (Roll,), {"Response": kind})()
    with pytest.raises(ValueError, match="`sse_interval` is a number of seconds"):
        kind(Roll(), None).sse = iter(["a"])  # of an application whose `Response` is a function


@pytest.mark.parametrize("interval", [None, 0, 0.0, 0.001, 1, 3600.5, 31_536_000])
def test_interval_that_works_is_accepted(interval):
    kind = type("Mine", (Response,), {"sse_interval": interval})
    type("Own", (Roll,), {"Response": kind})()


@pytest.mark.parametrize("value", [0.01, "3"])
def test_interval_may_be_a_property(value):
    kind = type("Mine", (Response,), {"sse_interval": property(lambda self: value)})
    app = type("Own", (Roll,), {"Response": kind})()
    expected = pytest.raises(ValueError, match="`sse_interval`") if value == "3" else nullcontext()
    with expected:
        kind(app, None).sse = iter(["a"])
