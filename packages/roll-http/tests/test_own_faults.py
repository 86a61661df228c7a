"""Errors of this package in a callback of the loop: logged once, and the connection ends."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from roll_http import ClientDisconnected, HTTPProtocol, Request

GET = b"GET / HTTP/1.1\r\nHost: here\r\n\r\n"
# Which the native core leaves to Python.
ODD = GET.replace(b"Host", b"Connection: keep-alive, other\r\nHost")
LAST = GET.replace(b"Host", b"Connection: close\r\nHost")
POST = b"POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 9\r\n\r\nabc"


def broken(*_, **__):
    raise RuntimeError("a fault of ours")


async def read(request, response):
    response.body = await request.read() or "hello"


async def large(request, response):
    response.body = b"x" * 20_000_000 if request.path == "/large" else "hello"


@pytest.fixture
async def connect(serve):
    """Connect, and give the client's side and the server's, and a neighbour's side."""

    async def connect(handler=read, **limits):
        connect.peer = peer = await serve(handler, **limits)
        healthy = await peer.connect()
        healthy.send(GET)
        await healthy.until(b"hello")
        known = set(peer.server.connections)
        connection = await peer.connect()
        while not (fresh := set(peer.server.connections) - known):
            await asyncio.sleep(0)
        return connection, fresh.pop(), healthy

    return connect


async def ended(connection):
    """Return the bytes before the end or the reset of a connection."""
    received = b""
    with contextlib.suppress(ConnectionError):
        while data := await asyncio.wait_for(connection.reader.read(1_000_000), 10):
            received += data
    return received


async def check(connect, connection, protocol, healthy, caplog):
    """The connection ends, its neighbour does not, the fault is logged once, a stop ends."""
    received = await ended(connection)
    connection.abort()
    while protocol in set(connect.peer.server.connections):
        await asyncio.sleep(0)
    healthy.send(GET)
    await healthy.until(b"hello")
    assert [record.getMessage() for record in caplog.records] == ["A connection failed"]
    assert "a fault of ours" in caplog.text
    async with asyncio.timeout(10):
        await connect.peer.server.stop()
    return received


async def test_an_error_while_a_head_is_read_is_a_500(connect, caplog):
    connection, protocol, healthy = await connect()
    protocol._advance = broken
    connection.send(LAST)
    assert (await check(connect, connection, protocol, healthy, caplog)).startswith(
        b"HTTP/1.1 500 "
    )


class Broken:
    def __getattr__(self, name):
        broken()


async def test_an_error_before_a_handler_begins_ends_the_connection(connect, caplog):
    connection, protocol, healthy = await connect()
    writer, protocol.writer = protocol.writer, Broken()
    connection.send(GET)
    while not protocol._failed:
        await asyncio.sleep(0)
    protocol.writer = writer
    assert await check(connect, connection, protocol, healthy, caplog) == b""


async def test_an_error_while_a_refusal_is_sent_ends_the_connection(connect, caplog):
    connection, protocol, healthy = await connect()
    protocol._close = broken
    connection.send(b"nonsense\r\n\r\n")
    await check(connect, connection, protocol, healthy, caplog)


async def test_an_error_while_a_body_is_read_ends_the_connection(connect, caplog):
    connection, protocol, healthy = await connect()
    connection.send(POST)
    while not protocol.reader.in_body:
        await asyncio.sleep(0)
    protocol.feed_body = broken
    connection.send(b"defghi")
    assert await check(connect, connection, protocol, healthy, caplog) == b""


@pytest.mark.parametrize("name", ["_notice_gone", "forget_request"])
async def test_an_error_while_the_client_disconnects_ends_the_connection(connect, caplog, name):
    connection, protocol, healthy = await connect()
    if name == "forget_request":
        connection.send(POST)
        while not protocol.reader.in_body:
            await asyncio.sleep(0)
    setattr(protocol, name, broken)
    connection.send_eof()
    await check(connect, connection, protocol, healthy, caplog)


async def test_an_error_when_the_connection_is_lost_is_logged(connect, caplog):
    connection, protocol, healthy = await connect()
    protocol._notice_gone = broken
    connection.abort()
    await check(connect, connection, protocol, healthy, caplog)


@pytest.mark.parametrize("name", ["_watch_writing", "_advance"])
async def test_an_error_while_a_client_reads_slowly_ends_the_connection(connect, caplog, name):
    connection, protocol, healthy = await connect(large)
    if name == "_watch_writing":
        protocol._watch_writing = broken
    connection.send(GET.replace(b"/ ", b"/large "))
    await connection.head()
    while name == "_advance" and not protocol.writer.paused:
        await asyncio.sleep(0)
    setattr(protocol, name, broken)
    await check(connect, connection, protocol, healthy, caplog)


async def test_an_error_after_a_slow_client_has_read_ends_the_connection(connect, caplog):
    connection, protocol, healthy = await connect()
    protocol._advance_soon = broken
    protocol.resume_writing()
    await check(connect, connection, protocol, healthy, caplog)


async def test_a_closed_transport_is_not_flushed(connect):
    """uvloop raises when the buffer limits of a transport that is closed are set."""
    _, protocol, _ = await connect()
    protocol.transport.abort()
    for _ in range(3):
        with pytest.raises(ClientDisconnected):
            await protocol.writer.flush()
        await asyncio.sleep(0)


async def test_a_connection_that_closes_once_a_slow_client_has_read_is_lost_once(connect, caplog):
    """asyncio loses it twice, and logs that, when it is closed within `resume_writing`."""

    async def medium(request, response):
        response.body = "hello" if request.path == "/last" else "hello" + "x" * 60_000

    connection, protocol, _ = await connect(medium)
    protocol.transport.set_write_buffer_limits(0)  # resumed when nothing is left to be sent
    transport = connection.writer.transport
    transport.pause_reading()
    answered = asyncio.Event()
    protocol.on_answered = lambda *_: answered.set()
    while not protocol.writer.paused:
        answered.clear()
        connection.send(GET)
        await answered.wait()
    connection.send(b"GET /last HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n")
    while not protocol.reader.has_bytes:
        await asyncio.sleep(0)
    transport.resume_reading()
    assert (await connection.rest()).endswith(b"hello")
    assert not caplog.records


@pytest.mark.parametrize("name", ["_close", "abort"])
async def test_an_error_when_a_deadline_has_passed_ends_the_connection(connect, caplog, name):
    connection, protocol, healthy = await connect(head_timeout=0.05)
    if name == "abort":
        protocol.write_expired = broken
        protocol.write_deadline = 0
    else:
        protocol._close = broken
        protocol.read_deadline = 0
    await check(connect, connection, protocol, healthy, caplog)


async def test_an_error_in_a_later_turn_of_the_loop_ends_the_connection(connect, caplog):
    async def waits(request, response):
        await asyncio.sleep(0)
        response.body = "hello"

    connection, protocol, healthy = await connect(waits)
    connection.send(ODD + ODD)
    original = protocol.reader.next_head
    calls = []

    def next_head():
        calls.append(None)
        return original() if len(calls) == 1 else broken()

    protocol.reader = Facade(protocol.reader, next_head=next_head)
    received = await check(connect, connection, protocol, healthy, caplog)
    assert received.startswith(b"HTTP/1.1 200 OK")
    assert b"HTTP/1.1 500 " in received


class Facade:
    """An object of which some members are replaced."""

    def __init__(self, inner, **members):
        self.__dict__.update(members, inner=inner)

    def __getattr__(self, name):
        return getattr(self.inner, name)

    def __setattr__(self, name, value):
        setattr(self.inner, name, value)


class BrokenList(list):
    def append(self, item):
        broken()


@pytest.mark.parametrize(
    "members",
    [
        {"write": broken, "kept": BrokenList()},
        {"uncork": broken},
    ],  # the core does not call `write`
    ids=["write", "uncork"],
)
async def test_an_error_while_an_answer_is_sent_ends_the_connection(connect, caplog, members):
    connection, protocol, healthy = await connect()
    protocol.writer = Facade(protocol.writer, **members)
    connection.send(GET + GET)
    await check(connect, connection, protocol, healthy, caplog)


@pytest.mark.parametrize(
    "name",
    ["write_eof", "can_write_eof", "close", "is_closing", "get_write_buffer_size", "abort"],
)
async def test_an_error_of_the_transport_ends_the_connection(connect, caplog, name):
    connection, protocol, healthy = await connect()

    def not_connected():
        raise OSError(107, "Transport endpoint is not connected")

    protocol.transport = Facade(protocol.transport, **{name: not_connected})
    protocol.writer._transport = protocol.reader._transport = protocol.transport
    connection.send(b"nonsense\r\n\r\n" + b"x" * 100)
    connection.send_eof()
    await ended(connection)
    healthy.send(GET)
    await healthy.until(b"hello")
    async with asyncio.timeout(10):
        await connect.peer.server.stop(0.1)
    assert sum("failed" in record.getMessage() for record in caplog.records) <= 1


@pytest.mark.parametrize("part", ["Writer", "Reader", "copy_context"])
async def test_an_error_when_a_connection_is_made_ends_the_connection(
    connect, caplog, part, monkeypatch
):
    _, _, healthy = await connect()
    monkeypatch.setattr(f"roll_http.connection.protocol.{part}", broken)
    connection = await connect.peer.connect()
    await check(connect, connection, None, healthy, caplog)


@pytest.mark.parametrize("name", ["shutdown", "cancel"])
async def test_a_stop_ends_even_if_a_connection_raises(serve, name, caplog):
    class Failing(HTTPProtocol):
        pass

    running = asyncio.Event()
    go_on = asyncio.Event()

    async def handler(request, response):
        running.set()
        await go_on.wait()
        response.body = "whole"

    setattr(Failing, name, broken)
    peer = await serve(handler)
    peer.server._factory = lambda: Failing(peer.app)
    failing = await peer.connect()
    failing.send(GET)
    await running.wait()
    running.clear()
    peer.server._factory = lambda: HTTPProtocol(peer.app)
    healthy = await peer.connect()
    healthy.send(GET)
    await running.wait()
    stopping = asyncio.ensure_future(peer.server.stop(0.05 if name == "cancel" else 3600))
    with pytest.raises(ConnectionError):
        await failing.rest()
    go_on.set()
    if name == "shutdown":
        assert (await healthy.rest()).endswith(b"whole")
    async with asyncio.timeout(10):
        await stopping
    assert "a fault of ours" in caplog.text


async def test_a_protocol_that_fails_at_a_switch_ends_the_connection(serve, caplog):
    class Failing(asyncio.Protocol):
        connection_made = broken

    async def handler(request, response):
        request.protocol.switch(Failing())

    peer = await serve(handler)
    connection = await peer.connect()
    connection.send(GET)
    assert await ended(connection) == b""
    assert "a fault of ours" in caplog.text
    assert not any(peer.server.connections)


@pytest.mark.parametrize("part", ["Writer", "Reader"])
async def test_a_connection_that_is_never_made_is_reset(connect, caplog, part, monkeypatch):
    await connect()
    monkeypatch.setattr(f"roll_http.connection.protocol.{part}", broken)
    connection = await connect.peer.connect()
    connection.send(GET)
    with pytest.raises(ConnectionError):
        await connection.rest()


async def test_a_request_class_that_fails_to_take_a_body_is_a_500(serve, caplog):
    class Failing(Request):
        attach_body = broken

    peer = await serve(read)
    peer.app.Request = Failing
    connection = await peer.connect()
    connection.send(POST)
    assert "500 Internal Server Error" in await connection.head()
    assert len(caplog.records) == 1
