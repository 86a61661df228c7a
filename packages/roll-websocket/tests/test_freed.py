"""A connection of a listener is freed at its end: no reference cycle keeps its messages."""

import asyncio
import gc
import logging
import weakref

import pytest

from roll_websocket import ConnectionClosed, HandshakeError, Listener, WSProtocol

HANDSHAKE = (
    b"GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
MASK = b"\0\0\0\0"
TEXT = b"\x81\x82" + MASK + b"hi"
CLOSE = b"\x88\x82" + MASK + b"\x03\xe8"
CLIENTS = {
    "closes": TEXT + CLOSE,
    "leaves": TEXT,
    "leaves within a message": TEXT + b"\x01\xfe\xff\xff" + MASK + b"x" * 100,
    "errs": TEXT + b"\xff\x82" + MASK + b"hi",
}


async def iterates(request, ws):
    async for message in ws:
        await ws.send(message)


async def receives(request, ws):
    while True:
        await ws.send(await ws.recv())


async def receives_again(request, ws):
    for _ in range(5):
        try:
            await ws.recv()
        except ConnectionClosed:
            continue


async def streams(request, ws):
    while True:
        async for piece in ws.stream():
            await ws.send(piece)


async def raises(request, ws):
    await ws.recv()
    raise ZeroDivisionError


def raises_at_once(request, ws):
    raise ZeroDivisionError


async def closes(request, ws):
    await ws.close(1000, "")
    await ws.send("x")


async def pings(request, ws):
    await (await ws.ping())


HANDLERS = [
    *(iterates, receives, receives_again, streams, raises, raises_at_once, closes, pings),
]


def refuses(request):
    raise HandshakeError(403, "no")


async def refuses_later(request):
    raise HandshakeError(403, "no")


def fails(request):
    raise ZeroDivisionError


async def fails_later(request):
    raise ZeroDivisionError


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


async def served(handler, sent, hook=None):
    """Serve one client, and return weak references to its connection and its request."""
    seen = []

    class Watched(WSProtocol):
        TIMEOUT = 0.1

        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            seen.append(weakref.ref(self))

    listener = Listener(handler, protocol=Watched, process_request=hook)
    server = await asyncio.get_running_loop().create_server(listener, "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    writer.write(HANDSHAKE)
    await reader.readuntil(b"\r\n\r\n")
    writer.write(sent)
    await writer.drain()
    writer.close() if CLOSE in sent else writer.transport.abort()
    server.close()
    await listener.stop(1)
    for _ in range(50):  # the callbacks of closed connections
        await asyncio.sleep(0)
    return seen


@pytest.mark.parametrize("handler", HANDLERS, ids=lambda one: one.__name__)
@pytest.mark.parametrize("client", CLIENTS)
async def test_connection_is_freed_at_its_end(client, handler):
    seen = await served(handler, CLIENTS[client])
    assert seen
    assert [one() for one in seen if one() is not None] == []


@pytest.mark.parametrize("hook", [refuses, refuses_later, fails, fails_later])
async def test_refused_connection_is_freed(hook):
    seen = await served(iterates, TEXT + CLOSE, hook)
    assert [one() for one in seen if one() is not None] == []
