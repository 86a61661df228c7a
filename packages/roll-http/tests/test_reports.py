"""Each request that reached the application is reported to `on_answered`, however it ended."""

import asyncio

import pytest

from roll_http import ClientDisconnected, HTTPProtocol

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
LARGE = 1_000_000
PATIENCE = 10  # seconds after which a test that waits for a report has failed


@pytest.fixture
def serve(serve):
    """A server whose connections report to a list, and set an event at the first report."""

    async def start(handler, **limits):
        peer = await serve(handler, **limits)
        peer.seen = []
        peer.reported = asyncio.Event()

        class Seeing(HTTPProtocol):
            def on_answered(self, request, response, size):
                peer.seen.append((request.path, response.status.value, size))
                peer.reported.set()

        peer.server._factory = lambda: Seeing(peer.app)
        return peer

    return start


class Endless:
    """A body that is written piece by piece: nothing reads it."""

    def __aiter__(self):
        return self

    async def __anext__(self):
        raise AssertionError("it is not to be read")


async def heard(peer):
    """Wait for the next report."""
    async with asyncio.timeout(PATIENCE):
        await peer.reported.wait()


async def test_a_cancelled_handler_is_reported_when_the_client_has_gone(serve):
    waits = asyncio.Event()

    async def handler(request, response):
        request.cancel_on_disconnect = True
        waits.set()
        await asyncio.Event().wait()

    peer = await serve(handler)
    connection = await peer.connect()
    connection.send(GET)
    await waits.wait()
    connection.abort()
    await heard(peer)
    assert peer.seen == [("/", 200, 0)]


async def test_a_handler_that_the_end_of_the_server_cancels_is_reported(serve):
    waits = asyncio.Event()

    async def handler(request, response):
        response.status = 202
        waits.set()
        await asyncio.Event().wait()

    peer = await serve(handler)
    connection = await peer.connect()
    connection.send(GET)
    await waits.wait()
    await peer.server.stop(0)
    assert peer.seen == [("/", 202, 0)]


@pytest.mark.parametrize("way", ["raises", "is cancelled", "returns", "fails"])
async def test_an_open_response_whose_client_leaves_is_reported_once_with_the_size_sent(
    serve, way
):
    written, gone = asyncio.Event(), asyncio.Event()

    async def handler(request, response):
        request.cancel_on_disconnect = way == "is cancelled"
        request.protocol.on_gone = gone.set
        response.body = Endless()
        opened = request.protocol.open_response(response)
        await opened.write(b"x" * 1000)
        written.set()
        await gone.wait()
        if way == "is cancelled":
            await asyncio.Event().wait()
        if way == "fails":
            raise KeyError
        if way == "raises":
            raise ClientDisconnected

    peer = await serve(handler)
    connection = await peer.connect()
    connection.send(GET)
    await written.wait()
    await connection.head()
    connection.abort()
    await heard(peer)
    assert peer.seen == [("/", 200, 1000)]
    await peer.server.stop(0)
    assert peer.seen == [("/", 200, 1000)]


async def test_stream_cut_by_the_server_s_stop_is_reported_with_the_size_sent(serve):
    async def handler(request, response):
        async def body():
            yield b"abc"
            await asyncio.Event().wait()

        response.body = body()

    peer = await serve(handler)
    connection = await peer.connect()
    connection.send(GET)
    await connection.until(b"abc\r\n")
    await peer.server.stop(0)
    assert peer.seen == [("/", 200, 3)]


async def test_a_stream_that_the_client_left_is_reported_once(serve):
    async def handler(request, response):
        async def body():
            yield b"abc"
            await asyncio.Event().wait()

        response.body = body()

    peer = await serve(handler)
    connection = await peer.connect()
    connection.send(GET)
    await connection.until(b"abc\r\n")
    connection.abort()
    await heard(peer)
    await peer.server.stop()
    assert peer.seen == [("/", 200, 3)]


async def test_a_request_whose_client_left_in_the_middle_of_its_body_is_reported(serve):
    async def handler(request, response):
        await request.read()

    peer = await serve(handler)
    connection = await peer.connect()
    connection.send(b"POST /up HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc")
    connection.abort()
    await heard(peer)
    assert peer.seen == [("/up", 200, 0)]


async def test_a_stream_that_never_began_is_not_reported_with_the_size_of_the_last_body(serve):
    released = asyncio.Event()

    async def handler(request, response):
        async def body():
            yield b"x"

        if request.path == "/large":
            response.body = b"x" * LARGE
        else:
            released.set()
            while not request.protocol.gone:
                await asyncio.sleep(0)
            response.body = body()

    peer = await serve(handler)
    connection = await peer.connect()
    connection.send(b"GET /large HTTP/1.1\r\nHost: a\r\n\r\n")
    await connection.until(b"\r\n\r\n")
    await connection.exactly(LARGE)
    peer.reported.clear()
    connection.send(GET)
    await released.wait()
    connection.abort()
    await heard(peer)
    assert peer.seen == [("/large", 200, LARGE), ("/", 200, 0)]


async def test_an_error_in_the_report_of_a_lost_request_ends_the_connection(serve, caplog):
    waits = asyncio.Event()

    class Failing(HTTPProtocol):
        def on_answered(self, request, response, size):
            raise RuntimeError("observer")

    async def handler(request, response):
        waits.set()
        await asyncio.Event().wait()

    peer = await serve(handler)
    peer.server._factory = lambda: Failing(peer.app)
    connection = await peer.connect()
    connection.send(GET)
    await waits.wait()
    await peer.server.stop(0)
    assert not any(peer.server.connections)
    assert "observer" in caplog.text


async def test_handler_that_gets_client_disconnected_is_reported(serve):
    async def handler(request, response):
        while not await request.disconnected():
            pass
        raise ClientDisconnected("gone")

    peer = await serve(handler)
    connection = await peer.connect()
    connection.send(GET)
    while not peer.app.seen:
        await asyncio.sleep(0)
    connection.abort()
    await heard(peer)
    assert peer.seen == [("/", 200, 0)]
