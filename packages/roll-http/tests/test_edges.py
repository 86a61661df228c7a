"""Rare events of a connection, which must not harm it."""

from __future__ import annotations

import asyncio
import gc
import socket
import weakref

import pytest

from roll_http import ClientDisconnected, HTTPProtocol, Limits, Request, Response
from roll_http.body import BodyStream
from roll_http.connection.writer import Writer
from roll_http.h1.response_body import read_body
from roll_http.syntax import list_members

GET = b"GET / HTTP/1.1\r\nHost: here\r\n\r\n"
PATIENCE = 10  # seconds after which a test that waits has failed
LAST = b"GET /last HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n"


async def path(request, response):
    response.body = request.path


async def test_pipelined_answers_are_sent_together_and_yield_to_other_connections(serve):
    peer = await serve(path)
    answer = await peer.exchange(GET * 100 + LAST)
    assert answer.count("HTTP/1.1 200 OK") == 101
    assert answer.endswith("/last")


async def test_an_unread_body_is_skipped_between_pipelined_answers(serve):
    peer = await serve(path)
    post = b"POST /post HTTP/1.1\r\nHost: here\r\nContent-Length: 3\r\n\r\nabc"
    answer = await peer.exchange((GET + post) * 20 + LAST)
    assert answer.count("HTTP/1.1 200 OK") == 41
    assert answer.endswith("/last")


def post_of(size):
    return b"POST / HTTP/1.1\r\nHost: here\r\nContent-Length: %d\r\n\r\n" % size + b"y" * size


def get_of(size):
    return b"GET / HTTP/1.1\r\nHost: here\r\nLong: %b\r\n\r\n" % (b"a" * size)


def chunks_of(*sizes):
    head = b"POST / HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\r\n"
    return head + b"".join(b"%x\r\n%b\r\n" % (size, b"y" * size) for size in [*sizes, 0])


@pytest.mark.parametrize("reads", [False, True])
@pytest.mark.parametrize(
    "sent",
    [
        *([post_of(size)] for size in (65_000, 65_500, 65_536, 66_000, 80_000, 100_000, 130_000)),
        [post_of(66_000), GET * 5],
        [GET * 5, post_of(66_000)],
        [post_of(40_000)] * 2,
        [post_of(65_536)] * 2,
        [get_of(20_000)] * 4,
        [GET * 3000],
        [chunks_of(66_000)],
        [chunks_of(*[1000] * 70)],
    ],
    ids=lambda sent: f"{len(sent)} of {len(sent[0])}",
)
@pytest.mark.parametrize("whole", [False, True])
async def test_request_behind_what_was_held_back_is_read(serve, sent, reads, whole):
    """Reading was paused for all that came during an answer, and went on only by chance."""
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def handler(request, response):
        if request.path == "/slow":
            begun.set()
            await go_on.wait()
        elif reads:
            await request.read()
        response.body = "answer"

    connection = await (await serve(handler, unread_body=200_000)).connect()
    connection.send(b"GET /slow HTTP/1.1\r\nHost: here\r\n\r\n")
    await begun.wait()
    for piece in [b"".join(sent)] if whole else sent:
        connection.send(piece)
        for _ in range(20):
            await asyncio.sleep(0)
    go_on.set()
    async with asyncio.timeout(PATIENCE):
        requests = sum(piece.count(b" HTTP/1.1\r\n") for piece in sent)
        for _ in range(requests + 1):
            await connection.until(b"answer")
        connection.send(LAST)
        assert (await connection.rest()).endswith(b"answer")


async def test_a_large_answer_follows_corked_answers_in_order(serve):
    async def handler(request, response):
        response.body = b"x" * 200_000 if request.path == "/last" else request.path

    answer = await (await serve(handler)).exchange(GET * 3 + LAST)
    assert answer.count("HTTP/1.1 200 OK") == 4
    assert answer.endswith("\r\n\r\n" + "x" * 200_000)


async def test_a_head_of_the_length_of_its_limit_is_accepted(serve):
    peer = await serve(path, head=300_000)
    field = b"Long: " + b"x" * 250_000 + b"\r\n"
    connection = await peer.connect()
    for piece in (LAST[:-2], field[:100_000], field[100_000:], b"\r\n"):
        connection.send(piece)
        assert not await connection.unsent()
    assert (await connection.rest()).endswith(b"/last")


async def test_an_application_that_gives_no_response_is_a_500(serve, caplog):
    peer = await serve(path)

    class Nothing:
        Request, Response, Cookies = peer.app.Request, peer.app.Response, peer.app.Cookies
        limits = peer.app.limits

        async def __call__(self, request, response):
            return None

    peer.server._factory = lambda: HTTPProtocol(Nothing())
    assert (await peer.exchange(GET + LAST)).count("500 Internal Server Error") == 1
    assert caplog.text.count("gave no response") == 1


async def test_the_end_of_the_graceful_timeout_aborts_a_response(serve, caplog):
    closed = asyncio.Event()

    async def handler(request, response):
        async def body():
            try:
                while True:
                    yield b"x" * 100_000
            finally:
                closed.set()

        response.body = b"x" * 50_000_000 if request.path == "/" else body()

    peer = await serve(handler)
    plain, streamed = await peer.connect(limit=1024), await peer.connect(limit=1024)
    plain.send(GET)
    streamed.send(LAST)
    await plain.head()
    await streamed.head()
    await peer.server.stop(0.01)
    assert closed.is_set()
    assert not any(peer.server.connections)
    for connection in (plain, streamed):
        with pytest.raises(ConnectionError):
            await connection.rest()
    assert not caplog.records


async def test_connection_lost_while_a_large_body_is_sent_is_not_logged(serve, caplog):
    async def handler(request, response):
        response.body = b"x" * 50_000_000

    peer = await serve(handler)
    connection = await peer.connect(limit=1024)
    connection.send(GET)
    await connection.head()
    connection.abort()
    while any(peer.server.connections):
        await asyncio.sleep(0)
    assert not caplog.records


async def test_a_protocol_without_shutdown_may_take_a_connection(serve):
    class Silent(asyncio.Protocol):
        def connection_made(self, transport):
            self.lost = asyncio.get_running_loop().create_future()

        def connection_lost(self, error):
            self.lost.set_result(None)

    async def handler(request, response):
        silent = Silent()
        request.protocol.switch(silent, b"HTTP/1.1 101 Switching Protocols\r\n\r\n")
        await silent.lost

    peer = await serve(handler)
    connection = await peer.connect()
    connection.send(GET)
    await connection.head()
    await peer.server.stop(0.01)
    with pytest.raises(ConnectionError):
        await connection.rest()


async def test_waiting_to_write_to_a_lost_connection_raises():
    class Transport(asyncio.Transport):
        def write(self, data):
            raise AssertionError("nothing can be written")

    writer = Writer(Transport())
    writer.paused = True
    waiting = asyncio.ensure_future(writer.drain())
    await asyncio.sleep(0)
    writer.lose()
    writer.resume()
    with pytest.raises(ClientDisconnected):
        await waiting
    writer.write(b"dropped")


def test_empty_members_of_a_list_are_ignored():
    assert list(list_members(" a ,, B,")) == ["a", "b"]


def test_a_subclass_of_bytes_is_bytes():
    class Mine(bytes):
        pass

    assert read_body(Mine(b"a"))[0] == b"a"
    response = Response(None, None)
    assert response.request is None


def test_discarded_bytes_are_not_kept():
    stream = BodyStream(None)
    stream.feed(b"abc")
    stream.discard()
    stream.feed(b"de")
    assert (stream.size, list(stream._chunks)) == (0, [])


async def test_a_handler_cancelled_after_a_switch_leaves_no_connection(serve):
    class Closing(asyncio.Protocol):
        def connection_made(self, transport):
            transport.close()

    async def handler(request, response):
        request.protocol.switch(Closing())
        await asyncio.sleep(0)
        asyncio.current_task().cancel()
        await asyncio.sleep(0)

    peer = await serve(handler)
    connection = await peer.connect()
    connection.send(GET)
    assert await connection.rest() == b""
    await peer.server.stop()
    assert not any(peer.server.connections)


def test_a_connection_may_be_made_before_the_loop_runs(serve_nothing):
    loop = asyncio.new_event_loop()
    app = serve_nothing(loop)
    connection = HTTPProtocol(app)
    connection.connection_made(asyncio.Transport())
    assert loop in type(connection.registry)._of_loop
    loop.close()
    with pytest.raises(RuntimeError, match="no running event loop"):
        HTTPProtocol(serve_nothing(None)).connection_made(asyncio.Transport())


@pytest.fixture
def serve_nothing():
    def make(loop):
        return type("App", (), {"loop": loop, "limits": Limits()})()

    return make


def test_an_event_loop_is_not_kept_alive():
    async def connect(app):
        connection = HTTPProtocol(app)
        connection.connection_made(asyncio.Transport())

    loop = asyncio.new_event_loop()
    loop.run_until_complete(connect(type("App", (), {"limits": Limits()})()))
    loop.close()
    gone = weakref.ref(loop)
    del loop
    gc.collect()
    assert gone() is None


async def cancelled_handler(request, response):
    asyncio.current_task().cancel()
    await asyncio.sleep(0)


async def cancelled_later(request, response):
    asyncio.get_running_loop().call_soon(asyncio.current_task().cancel)
    await asyncio.Event().wait()


async def cancelled_stream(request, response):
    async def body():
        yield b"begun"
        asyncio.current_task().cancel()
        await asyncio.sleep(0)

    response.body = body()


@pytest.mark.parametrize("handler", [cancelled_handler, cancelled_later, cancelled_stream])
async def test_request_whose_task_the_application_cancels_is_reset_and_logged(
    serve, caplog, handler
):
    peer = await serve(handler)
    connection = await peer.connect()
    connection.send(GET)
    with pytest.raises(ConnectionError):
        await connection.rest()
    while any(peer.server.connections):
        await asyncio.sleep(0)
    (record,) = caplog.records
    assert "cancelled" in record.getMessage()
    assert "GET b'/'" in record.getMessage()


async def test_generator_that_fails_because_its_client_left_is_not_logged(serve, caplog):
    failed = asyncio.Event()

    async def handler(request, response):
        async def body():
            try:
                yield b"x"
                await asyncio.get_running_loop().create_future()
            except asyncio.CancelledError:
                failed.set()
                raise RuntimeError("in the generator") from None

        response.body = body()

    peer = await serve(handler)
    connection = await peer.connect()
    connection.send(GET)
    await connection.head()
    connection.abort()
    async with asyncio.timeout(10):
        await failed.wait()
    while any(peer.server.connections):
        await asyncio.sleep(0)
    assert not caplog.records


async def test_resume_writing_within_an_answer_answers_each_request_once(serve):
    async def handler(request, response):
        request.protocol.resume_writing()
        response.body = request.path

    answer = await (await serve(handler)).exchange(GET * 3 + LAST)
    assert answer.count("HTTP/1.1 200 OK") == 4


async def test_a_connection_is_idle_after_an_immediate_answer(serve):
    peer = await serve(path, keep_alive_timeout=0.05)
    assert (await peer.exchange(GET)).endswith("\r\n\r\n/")


async def test_a_half_closed_connection_with_half_a_head_ends(serve):
    peer = await serve(path)
    connection = await peer.connect()
    connection.send(GET + b"GET / HT")
    connection.send_eof()
    assert (await connection.rest()).count(b"HTTP/1.1") == 1


async def test_an_incomplete_head_is_dropped_when_a_stop_has_no_time(serve):
    peer = await serve(path)
    connection = await peer.connect()
    connection.send(GET + b"GET / HT")
    await connection.head()
    await peer.server.stop(0)
    assert not any(peer.server.connections)


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"\r\n" * 50, 400),
        (b"DESCRIBE / HTTP/1.1\r\nHost: here\r\n\r\n", 501),
        (b"UNKNOWN /\xe9 HTTP/1.1\r\nHost: here\r\n\r\n", 400),
    ],
)
def test_bytes_that_are_not_a_supported_request_are_refused(refusal, data, status):
    assert refusal(data, head=50) == status


@pytest.mark.parametrize("accepted", [False, True], ids=["in the queue", "accepted"])
async def test_a_server_that_stops_waits_a_little_for_handshakes(serve, tls, accepted):
    server, client = tls
    peer = await serve(path, tls=server)
    waiting = socket.create_connection(peer.address)
    while accepted and not peer.server._arriving:
        await asyncio.sleep(0)
    stopping = asyncio.ensure_future(peer.server.stop(0.5))
    with waiting:
        reader, writer = await asyncio.open_connection(
            sock=waiting, ssl=client, server_hostname="localhost"
        )
        writer.write(GET)
        assert b"200 OK" in await reader.readuntil(b"\r\n\r\n")
        writer.close()
        await writer.wait_closed()
    await stopping


@pytest.mark.parametrize("asks", [b"", GET], ids=["idle", "answered"])
async def test_tls_client_that_never_ends_its_connection_does_not_hold_up_the_stop(
    serve, tls, asks
):
    server, client = tls
    peer = await serve(path, tls=server, linger_timeout=0.05)

    def connect():
        sock = client.wrap_socket(
            socket.create_connection(peer.address), server_hostname="localhost"
        )
        sock.sendall(asks)
        return sock, sock.recv(1000) if asks else b""

    sock, answer = await asyncio.to_thread(connect)
    assert answer.startswith(b"HTTP/1.1 200 OK" if asks else b"")
    async with asyncio.timeout(10):  # asyncio waits 30 seconds for the end of TLS
        await peer.server.stop(30)
    sock.close()


async def test_a_request_with_a_body_is_freed_without_the_cycle_collector(serve):
    requests = []

    class Watched(Request):
        def __init__(self, *arguments):
            super().__init__(*arguments)
            requests.append(weakref.ref(self))

    async def handler(request, response):
        response.body = await request.read()

    peer = await serve(handler)
    peer.app.Request = Watched
    connection = await peer.connect()
    gc.collect()
    gc.disable()
    try:
        head = b"POST / HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\r\n"
        connection.send(head + b"3\r\nabc\r\n0\r\n\r\n")
        await connection.until(b"abc")
        connection.send(GET)
        await connection.head()
        assert requests[0]() is None
    finally:
        gc.enable()


async def test_a_connection_that_had_a_body_is_freed_without_the_cycle_collector(serve):
    async def handler(request, response):
        response.body = await request.read()

    peer = await serve(handler)
    connection = await peer.connect()
    gc.collect()
    gc.disable()
    try:
        head = b"POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
        connection.send(head + b"Transfer-Encoding: chunked\r\n\r\n")
        while not (open_ones := [*peer.server.connections]):
            await asyncio.sleep(0)
        freed = weakref.ref(open_ones.pop())
        connection.send(b"3\r\nabc\r\n0\r\n\r\n")
        assert (await connection.rest()).endswith(b"abc")
        connection.abort()
        async with asyncio.timeout(PATIENCE):
            while freed() is not None:
                await asyncio.sleep(0)
    finally:
        gc.enable()


@pytest.mark.parametrize("part", ["body", "headers", "cookies"])
async def test_response_with_a_lone_surrogate_is_a_500(serve, caplog, part):
    async def handler(request, response):
        if part == "body":
            response.body = "\ud800"
        else:
            getattr(response, part)["A"] = "\ud800"

    peer = await serve(handler)
    assert (await peer.exchange(GET)).startswith("HTTP/1.1 500 ")
    assert "can't be sent" in caplog.text
