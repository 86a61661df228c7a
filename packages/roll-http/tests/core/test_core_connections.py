"""Connections with the native core answer as connections in Python do, however bytes arrive."""

from __future__ import annotations

import asyncio
import re
from contextvars import ContextVar

import pytest

from roll_http import Cookies, HttpError, HTTPProtocol, Limits, Request, Response, _core
from roll_http.connection import pipeline

GET = b"GET /%b HTTP/1.1\r\nHost: a\r\nX-A: %b\r\n\r\n"
POST = b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"
CHUNKED = (
    b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
)
LAST = b"GET /plain HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"

STREAMS = {
    "common": GET % (b"plain?a=b", b"1")
    + GET % (b"fields", b"2")
    + GET % (b"plain%20", b"3")
    + LAST,
    "bodies": POST + GET % (b"plain", b"1") + POST + LAST,
    "waits": GET % (b"waits", b"1") + GET % (b"plain", b"2") + GET % (b"waits", b"3") + LAST,
    "errors": GET % (b"plain", b"1") + GET % (b"refuses", b"2") + GET % (b"plain", b"3") + LAST,
    "mixed": GET % (b"plain", b"1")
    + CHUNKED
    + b"HEAD /plain HTTP/1.1\r\nHost: a\r\n\r\n"
    + POST
    + LAST,
    "long": GET % (b"plain", b"1") + GET % (b"long", b"2") + GET % (b"stream", b"3") + POST + LAST,
    "malformed": GET % (b"plain", b"1") + b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n" + LAST,
    "bad": GET % (b"cookies", b"1") + b"GET /\x00 HTTP/1.1\r\nHost: a\r\n\r\n" + LAST,
    "empty lines": GET % (b"cookies", b"1") + b"\r\n" + GET % (b"plain", b"2") + LAST,
    "old": GET % (b"plain", b"1")
    + b"GET /plain HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"
    + LAST,
    "many": 40 * (GET % (b"plain", b"1")) + LAST,
    "closes": GET % (b"closes", b"1") + GET % (b"plain", b"2"),
}

user: ContextVar[str] = ContextVar("user")


class App:
    Request, Response, Cookies = Request, Response, Cookies

    def __init__(self) -> None:
        self.limits = Limits()
        self.seen: list[tuple[str, ...]] = []

    async def __call__(self, request, response):
        assert user.get("nobody") == "nobody"
        user.set(request.path)
        task = asyncio.current_task()
        self.seen.append((request.method, request.path, request.query_string, str(request.url)))
        await getattr(self, request.path.strip("/ "))(request, response)
        assert asyncio.current_task() is task
        assert user.get() == request.path
        return response

    async def plain(self, request, response):
        response.body = b"plain"

    async def fields(self, request, response):
        response.status = 201
        response.headers["X-Fields"] = " ".join(request.headers.values())
        response.json = [str(name) for name, _ in request.raw_headers]

    async def cookies(self, request, response):
        response.cookies.set("a", "b")
        response.body = "cookies"

    async def echo(self, request, response):
        response.body = await request.read()

    async def waits(self, request, response):
        await asyncio.sleep(0)
        future = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_soon(future.set_result, "waits")
        response.body = await future

    async def refuses(self, request, response):
        raise HttpError(418, "refused")

    async def long(self, request, response):
        response.body = b"x" * 70_000

    async def stream(self, request, response):
        response.body = iter(["a", "b"])

    async def closes(self, request, response):
        request.keep_alive = False
        response.body = "closes"


class InPython(HTTPProtocol):
    """A connection that never asks the core."""

    def data_received(self, data):
        self._receive(data)

    def _resume(self):
        self._advance()


class Memory(asyncio.Transport):
    """A transport in memory: it keeps writes, and delivers given bytes unless it is paused."""

    def __init__(self, protocol: HTTPProtocol) -> None:
        super().__init__()
        self.protocol = protocol
        self.written: list[bytes] = []
        self.closed = asyncio.get_running_loop().create_future()
        self.reads = True
        protocol.connection_made(self)

    def write(self, data):
        self.written.append(bytes(data))

    def get_write_buffer_size(self):
        return 0

    def can_write_eof(self):
        return False

    def is_closing(self):
        return self.closed.done()

    def pause_reading(self):
        self.reads = False

    def resume_reading(self):
        self.reads = True

    def close(self):
        if not self.closed.done():
            self.closed.set_result(None)
            asyncio.get_running_loop().call_soon(self.protocol.connection_lost, None)

    abort = close


async def deliver(protocol, data):
    """Pass bytes to a connection in a callback of the loop, where the core can begin tasks.

    Return how many requests the application has seen behind it.
    """
    loop = asyncio.get_running_loop()
    delivered = loop.create_future()

    def call():
        protocol.data_received(data)
        delivered.set_result(len(protocol.app.seen))

    loop.call_soon(call)
    return await delivered


async def conversation(make, pieces):
    """Return the requests that an application got, and the bytes that a client received."""
    app = App()
    protocol = make(app)
    transport = Memory(protocol)
    for piece in pieces:
        while not transport.reads:
            await asyncio.sleep(0)
        await deliver(protocol, piece)
    for _ in range(300):
        if not (transport.is_closing() or protocol.state == 4):
            await asyncio.sleep(0)
    transport.close()
    await asyncio.sleep(0)
    return app.seen, re.sub(rb"Date: [^\r]*", b"Date", b"".join(transport.written))


@pytest.mark.parametrize("name", STREAMS)
async def test_a_conversation_is_the_same_with_the_core_however_it_is_cut(name):
    stream = STREAMS[name]
    whole = await conversation(InPython, [stream])
    assert len(whole[0]) > 0
    assert await conversation(HTTPProtocol, [stream]) == whole
    single = [stream[at : at + 1] for at in range(len(stream))]
    assert await conversation(HTTPProtocol, single) == await conversation(InPython, single)
    for at in range(1, len(stream)):
        pieces = [stream[:at], stream[at:]]
        assert await conversation(HTTPProtocol, pieces) == await conversation(InPython, pieces)


@pytest.mark.skipif(not _core.is_native, reason="the Python path is active")
async def test_common_requests_are_answered_without_python(monkeypatch):
    begun = []
    original = pipeline.start
    monkeypatch.setattr(pipeline, "start", lambda *args: begun.append(1) or original(*args))
    await conversation(HTTPProtocol, [STREAMS["common"]])
    assert len(begun) == 1  # the last one, which closes the connection
    await conversation(HTTPProtocol, [STREAMS["many"]])
    assert len(begun) == 2


async def test_a_pipeline_is_sent_in_one_write():
    protocol = HTTPProtocol(App())
    transport = Memory(protocol)
    await deliver(protocol, 8 * (GET % (b"plain", b"1")))
    assert len(transport.written) == 1
    assert transport.written[0].count(b"HTTP/1.1 200 OK") == 8
    transport.close()
    await asyncio.sleep(0)


async def test_other_connections_get_their_turn_within_a_long_pipeline():
    app = App()
    protocol = HTTPProtocol(app)
    transport = Memory(protocol)
    assert await deliver(protocol, 40 * (GET % (b"plain", b"1"))) == 16
    while len(app.seen) < 40:
        await asyncio.sleep(0)
    assert b"".join(transport.written).count(b"HTTP/1.1 200 OK") == 40
    transport.close()
    await asyncio.sleep(0)


# Changes while a connection is open: the next request sees them.


class Shout(Response):
    __slots__ = ()

    @property
    def cookie_lines(self):
        return ("shout=1",)


class Marked(Request):
    __slots__ = ()

    def set_head(self, head):
        super().set_head(head)
        self.path = "/fields"

    @classmethod
    def made(cls, app, connection):
        return cls(app, connection)


class Slow(Request):
    def __init__(self, app, protocol):
        super().__init__(app, protocol)
        self["made"] = True


class Upper(Request):
    __slots__ = ()

    def __setattr__(self, name, value):
        super().__setattr__(name, "/fields" if name == "path" else value)


async def ask(protocol):
    """Send a request, and return the answer, which comes at once."""
    transport = protocol.transport
    transport.written.clear()
    await deliver(protocol, GET % (b"plain", b"1"))
    return b"".join(transport.written)


@pytest.fixture
async def protocol():
    class Own(App):
        pass

    protocol = HTTPProtocol(Own())
    transport = Memory(protocol)
    assert (await ask(protocol)).endswith(b"\r\n\r\nplain")
    yield protocol
    transport.close()
    await asyncio.sleep(0)


def set_on_class(app, name, value):
    setattr(type(app), name, value)


@pytest.mark.parametrize("put", [setattr, set_on_class], ids=["instance", "class"])
async def test_request_class_set_later_is_used_at_the_next_request(protocol, put):
    put(protocol.app, "Request", Marked)
    assert b"X-Fields: a 1" in await ask(protocol)
    put(protocol.app, "Request", Marked.made)
    assert b"X-Fields: a 1" in await ask(protocol)
    put(protocol.app, "Request", Upper)
    assert b"X-Fields: a 1" in await ask(protocol)
    put(protocol.app, "Request", Request)
    assert (await ask(protocol)).endswith(b"\r\n\r\nplain")


async def test_a_constructor_of_a_request_s_own_class_is_called(protocol):
    made = []

    async def answer(self, request, response):
        made.append(dict(request))
        return response

    protocol.app.Request = Slow
    type(protocol.app).__call__ = answer
    await ask(protocol)
    assert made == [{"made": True}]


@pytest.mark.parametrize("put", [setattr, set_on_class], ids=["instance", "class"])
async def test_response_class_set_later_is_used_at_the_next_request(protocol, put):
    put(protocol.app, "Response", Shout)
    assert b"Set-Cookie: shout=1\r\n" in await ask(protocol)
    put(protocol.app, "Response", Response)
    assert b"Set-Cookie" not in await ask(protocol)


async def test_override_set_later_takes_effect_at_the_next_request(protocol):
    class Mine(Request):
        __slots__ = ()

    class Answer(Response):
        __slots__ = ()

    protocol.app.Request, protocol.app.Response = Mine, Answer
    assert (await ask(protocol)).endswith(b"\r\n\r\nplain")
    Mine.set_head = Marked.set_head.__get__  # any object but the original
    del Mine.set_head
    assert (await ask(protocol)).endswith(b"\r\n\r\nplain")
    Mine.path = property(lambda request: "/fields", lambda request, path: None)
    assert b"X-Fields: a 1" in await ask(protocol)
    del Mine.path
    assert (await ask(protocol)).endswith(b"\r\n\r\nplain")
    Answer.cookie_lines = ("late=1",)
    assert b"Set-Cookie: late=1\r\n" in await ask(protocol)
    del Answer.cookie_lines
    Answer.add_content_type = False
    assert b"Content-Type" not in await ask(protocol)
    Answer.__getattribute__ = lambda self, name: (
        b"changed" if name == "body" else Response.__getattribute__(self, name)
    )
    assert (await ask(protocol)).endswith(b"\r\n\r\nchanged")


async def test_patched_method_is_used_at_the_next_request(protocol, monkeypatch):
    original = Request.set_head

    def set_head(request, head):
        original(request, head)
        request.path = "/fields"

    monkeypatch.setattr(Request, "set_head", set_head, raising=False)
    assert b"X-Fields: a 1" in await ask(protocol)
    monkeypatch.undo()
    assert (await ask(protocol)).endswith(b"\r\n\r\nplain")


async def test_replaced_call_of_the_application_is_used_at_the_next_request(protocol):
    async def answer(self, request, response):
        response.body = "another"
        return response

    type(protocol.app).__call__ = answer
    assert (await ask(protocol)).endswith(b"\r\n\r\nanother")


async def test_on_answered_set_later_is_called_at_the_next_request(protocol):
    answered = []
    protocol.on_answered = lambda request, response, size: answered.append(
        (request.method, response.status, size)
    )
    await ask(protocol)
    assert answered == [("GET", 200, 5)]
    protocol.on_answered = None
    await ask(protocol)
    assert len(answered) == 1


async def test_overridden_connection_method_is_called_with_the_core():
    ended = []

    class Own(HTTPProtocol):
        def finish(self, keep_alive):
            ended.append(keep_alive)
            super().finish(keep_alive)

    protocol = Own(App())
    transport = Memory(protocol)
    assert (await ask(protocol)).endswith(b"\r\n\r\nplain")
    assert ended == [True]
    transport.close()
    await asyncio.sleep(0)


# What an application may do in the middle.


@pytest.mark.parametrize("returned", [None, 5, "text", Response])
async def test_other_object_than_a_response_is_the_same_error_as_in_python(returned, caplog):
    class Own(App):
        async def __call__(self, request, response):
            return returned

    answers = []
    for make in (HTTPProtocol, InPython):
        protocol = make(Own())
        transport = Memory(protocol)
        answers.append(re.sub(rb"Date: [^\r]*", b"", await ask(protocol)))
        transport.close()
        await asyncio.sleep(0)
    assert answers[0] == answers[1]
    assert answers[0].startswith(b"HTTP/1.1 500 ") or not answers[0]


async def test_any_awaitable_answers():
    class Own(App):
        def __call__(self, request, response):
            return self.later(response)

        def later(self, response):
            future = asyncio.get_running_loop().create_future()
            response.body = "a future's"
            future.set_result(response)
            return future

    protocol = HTTPProtocol(Own())
    transport = Memory(protocol)
    assert (await ask(protocol)).endswith(b"a future's")
    transport.close()
    await asyncio.sleep(0)


async def test_a_request_within_another_task_is_answered_by_python():
    """asyncio allows no task within another one: data may be fed by a test, or by a tunnel."""
    protocol = HTTPProtocol(App())
    transport = Memory(protocol)
    assert asyncio.current_task() is not None
    protocol.data_received(GET % (b"plain", b"1"))
    while not transport.written:
        await asyncio.sleep(0)
    assert b"".join(transport.written).endswith(b"\r\n\r\nplain")
    transport.close()
    await asyncio.sleep(0)


def test_core_answers_the_request():
    """The tests above compare the core with Python only where it is active."""
    base = HTTPProtocol.__mro__[3]
    assert base is _core.ConnectionBase
    assert _core.is_native is (base.__module__ == "roll_http._core.native")
