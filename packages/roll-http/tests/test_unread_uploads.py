"""Streamed answers to uploads that nothing reads, for clients that write before they read."""

from __future__ import annotations

import asyncio
import socket

import pytest

from roll_http.body import HIGH_WATER

SIZE = 12_000_000  # more than the systems of both sides keep
PIECE = b"x" * 100_000
ONE_READ = 256 * 1024
POST = b"POST /%b HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: %d\r\n\r\n"


async def pieces():
    for _ in range(SIZE // len(PIECE)):
        yield PIECE


async def stream(request, response):
    response.body = pieces()


async def plain_generator(request, response):
    response.body = (PIECE for _ in range(SIZE // len(PIECE)))


async def respond(request, response):
    response.body = pieces()
    await request.protocol.respond(response)


async def open_response(request, response):
    response.body = pieces()
    opened = request.protocol.open_response(response)
    async for piece in pieces():
        await opened.write(piece)
    opened.end()


async def read_later(request, response):
    """Send a stream that reads the body at its end, and sends its size."""

    async def body():
        async for piece in pieces():
            yield piece
        yield b"%d" % len(await request.read())

    response.body = body()


async def iterate_later(request, response):
    """Write pieces, then the body itself, in the same task."""
    response.body = pieces()
    opened = request.protocol.open_response(response)
    async for piece in pieces():
        await opened.write(piece)
    size = 0
    async for chunk in request:
        size += len(chunk)
    await opened.write(b"%d" % size)
    opened.end()


async def written_before_reading(address, data):
    """Write everything, then return all that comes; fail if that hangs."""
    loop = asyncio.get_running_loop()
    with socket.socket() as client:
        client.setblocking(False)
        await loop.sock_connect(client, address)
        received = []
        async with asyncio.timeout(20):
            await loop.sock_sendall(client, data)
            while piece := await loop.sock_recv(client, 1_000_000):
                received.append(piece)
    return b"".join(received)


LATE = [read_later, iterate_later]
HANDLERS = [stream, plain_generator, respond, open_response, *LATE]


@pytest.mark.parametrize("limits", [{}, {"body": None}], ids=str)
@pytest.mark.parametrize("handler", HANDLERS, ids=lambda handler: handler.__name__)
async def test_client_that_writes_before_it_reads_gets_the_whole_stream(serve, handler, limits):
    peer = await serve(handler, **limits)
    answer = await written_before_reading(peer.address, POST % (b"", SIZE) + b"q" * SIZE)
    assert answer.startswith(b"HTTP/1.1 200 OK")
    assert answer.count(b"x") >= SIZE
    if handler in LATE:
        assert b"%d" % SIZE in answer[-100:]


async def kept(serve, handler, **limits):
    """Return how much of an upload waits in the server when it takes no more of it."""
    requests = []

    async def watched(request, response):
        requests.append(request)
        await handler(request, response)

    connection = await (await serve(watched, **limits)).connect()
    connection.send(POST % (b"", 4 * SIZE) + b"q" * 4 * SIZE)
    connection.reader._transport.pause_reading()
    assert await connection.unsent()
    return requests[0]._stream.size


async def test_an_unread_upload_keeps_no_more_than_a_loaded_body(serve):
    limit = 2_000_000
    assert HIGH_WATER + ONE_READ < await kept(serve, stream, body=limit) <= limit + ONE_READ


async def test_a_small_limit_of_bodies_does_not_pause_reading_earlier(serve):
    assert HIGH_WATER < await kept(serve, stream, body=10) <= HIGH_WATER + ONE_READ


async def read_first(request, response):
    async def body():
        await anext(aiter(request))
        async for piece in pieces():
            yield piece

    response.body = body()


async def test_an_upload_that_a_stream_reads_is_held_back(serve):
    assert HIGH_WATER < await kept(serve, read_first) <= HIGH_WATER + ONE_READ


async def test_an_unread_upload_keeps_no_more_than_its_own_limit(serve):
    """The limit of a route may be far below that of the server."""

    async def limited(request, response):
        request.max_body = 10
        await stream(request, response)

    assert HIGH_WATER < await kept(serve, limited) <= HIGH_WATER + ONE_READ
