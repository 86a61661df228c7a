"""A request is freed at its end, however it ends: no reference cycle keeps its body in memory."""

import asyncio
import contextlib
import gc
import logging
import weakref

import pytest

from roll_http import (
    Cookies,
    FileBody,
    HttpError,
    HTTPProtocol,
    Limits,
    Request,
    Response,
)
from roll_http.body import BodyStream

SIZE = 300_000


class WatchedRequest(Request):
    """A request that can be watched."""


class Shouting(WatchedRequest):
    """A request whose overridden iteration fails."""

    async def __aiter__(self):
        async for chunk in super().__aiter__():
            yield chunk
            raise HttpError(400, "No questions")


class App:
    Request, Response, Cookies = WatchedRequest, Response, Cookies

    def __init__(self, handler, **limits):
        self.limits = Limits(**limits)
        self.handler = handler
        self.requests = []
        self.ended = asyncio.Event()

    async def __call__(self, request, response):
        self.requests.append(weakref.ref(request))
        try:
            await self.handler(request, response)
        finally:
            asyncio.get_running_loop().call_soon(self.ended.set)
        return response


async def read(request, response):
    response.body = str(len(await request.read()))


async def iterate(request, response):
    response.body = str([len(chunk) async for chunk in request])


async def read_twice(request, response):
    for _ in range(2):
        try:
            await request.read()
        except Exception as error:  # noqa: BLE001 - of any kind
            response.body = repr(error)
    await request.read()


async def iterate_twice(request, response):
    for _ in range(2):
        try:
            [chunk async for chunk in request]
        except Exception as error:  # noqa: BLE001 - of any kind
            response.body = repr(error)


async def read_by_two(request, response):
    await asyncio.gather(request.read(), request.read(), return_exceptions=True)


async def read_after_a_part(request, response):
    async for _ in request:
        break
    await request.read()


async def ignored(request, response):
    response.body = "x"


async def fault(request, response):
    await request.read()
    raise ZeroDivisionError


async def limited(request, response):
    request.max_body = 10
    await request.read()


async def cancelled(request, response):
    request.cancel_on_disconnect = True
    await request.read()
    await asyncio.Event().wait()


async def stream(request, response):
    async def items():
        async for chunk in request:
            yield str(len(chunk))

    response.body = items()


async def file(request, response):
    response.body = FileBody(__file__)


async def open_response(request, response):
    response.body = file_of_pieces()
    opened = request.protocol.open_response(response)
    async for _ in request:
        await opened.write(b"x")
    opened.end()


async def open_and_cancelled(request, response):
    request.cancel_on_disconnect = True
    response.body = file_of_pieces()
    request.protocol.open_response(response)
    async for _ in request:  # otherwise reading pauses, and nobody sees that the client leaves
        pass
    await asyncio.Event().wait()


async def file_of_pieces():
    yield b""  # it is not read


HANDLERS = [
    *(read, iterate, read_twice, iterate_twice, read_by_two, read_after_a_part, ignored, fault),
    *(limited, cancelled, stream, file, open_response, open_and_cancelled),
]
ENDLESS = {cancelled, open_and_cancelled}  # they end when their client leaves

HEAD = b"POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n"
KNOWN = HEAD + b"Content-Length: %d\r\n\r\n" % SIZE
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n" % (SIZE // 2) + b"x" * (SIZE // 2)
UPLOADS = {
    "whole": KNOWN + b"x" * SIZE,
    "cut": KNOWN + b"x" * (SIZE // 2),
    "cut at once": KNOWN + b"x",
    "chunked": CHUNKED + b"\r\n0\r\n\r\n",
    "cut in chunks": CHUNKED,
    "malformed": CHUNKED + b"\r\nzz\r\n",
}


@pytest.fixture(autouse=True)
def no_records():
    """Make no records of the log: pytest keeps them, and their tracebacks have the requests."""
    logging.disable()
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture(autouse=True)
def no_collection():
    gc.disable()
    yield
    gc.enable()


async def upload(app, data, leave):
    """Send an upload, and leave at its end or after the answer."""
    server = await asyncio.get_running_loop().create_server(
        lambda: HTTPProtocol(app), "127.0.0.1", 0
    )
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    writer.write(data)
    await writer.drain()
    if leave:
        writer.close()
        await app.ended.wait()
    else:
        with contextlib.suppress(ConnectionResetError):  # of a stream that fails
            await reader.read()
        writer.close()
    await asyncio.get_running_loop().shutdown_default_executor()
    server.close()
    for _ in range(50):  # the callbacks of closed connections
        await asyncio.sleep(0)


def assert_freed(app):
    assert app.requests
    assert [one() for one in app.requests if one() is not None] == []


@pytest.mark.parametrize("handler", HANDLERS, ids=lambda handler: handler.__name__)
@pytest.mark.parametrize("sent", UPLOADS)
async def test_request_of_a_client_that_leaves_is_freed(sent, handler):
    app = App(handler)
    await upload(app, UPLOADS[sent], leave=True)
    assert_freed(app)


@pytest.mark.parametrize("handler", [one for one in HANDLERS if one not in ENDLESS])
@pytest.mark.parametrize("sent", ["whole", "chunked", "malformed"])
@pytest.mark.parametrize("limits", [{}, {"body": 1000}], ids=str)
async def test_request_that_is_answered_is_freed(sent, handler, limits):
    app = App(handler, **limits)
    await upload(app, UPLOADS[sent], leave=False)
    assert_freed(app)


@pytest.mark.parametrize("handler", [read, iterate, read_twice, iterate_twice, read_by_two])
@pytest.mark.parametrize("sent", ["cut", "cut in chunks"])
async def test_request_that_is_too_slow_is_freed(sent, handler):
    app = App(handler, body_timeout=0.05)
    await upload(app, UPLOADS[sent], leave=False)
    assert_freed(app)


@pytest.mark.parametrize("handler", [read, read_twice, iterate])
async def test_request_whose_iteration_fails_is_freed(handler):
    app = App(handler)
    app.Request = Shouting
    await upload(app, UPLOADS["whole"], leave=False)
    assert_freed(app)


BAD_HEADS = [
    b"FOO bar\r\n\r\n",
    b"GET /?a=\xd9\xa3 HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET / HTTP/3.1\r\nHost: a\r\n\r\n",
    b"G@T / HTTP/1.1\r\nHost: a\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc",
    b"GET / HTTP/1.1\nHost: a\n\n",
    b"GET /" + b"x" * 100_000,
    b"GET / HTTP/1.1\r\nHost: a\r\nA: " + b"x" * 100_000,
    b"GET / HTTP/1.1\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nA b: c\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n",
]


@pytest.mark.parametrize("head", BAD_HEADS, ids=range(len(BAD_HEADS)))
@pytest.mark.parametrize(
    "first", [b"", b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"], ids=["first", "second"]
)
async def test_connection_whose_head_is_refused_is_freed(head, first):
    app, made = App(read), []

    def connect():
        protocol = HTTPProtocol(app)
        made.append(weakref.ref(protocol))
        return protocol

    server = await asyncio.get_running_loop().create_server(connect, "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    writer.write(first + head)
    with contextlib.suppress(ConnectionError):
        await reader.read()
    writer.close()
    server.close()
    async with asyncio.timeout(10):
        while [one for one in made if one() is not None]:
            await asyncio.sleep(0)
    assert made


class Odd(Exception):
    """An exception that cannot be copied."""

    def __init__(self, one, two):
        super().__init__(one)


async def test_error_that_cannot_be_copied_is_raised_itself():
    body = BodyStream(None)
    body.fail(error := Odd(1, 2))
    with pytest.raises(Odd) as caught:
        await anext(aiter(body))
    assert caught.value is error
