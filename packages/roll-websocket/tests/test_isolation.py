"""A fault of one connection does not affect other connections, the shared clock, or the stop."""

import asyncio
import contextlib
import socket
import struct
from typing import Any

import pytest

from roll_websocket import ConnectionClosed, WSProtocol
from roll_websocket.keepalive import Clock


async def receive(request: Any, ws: WSProtocol) -> None:
    async for _ in ws:
        pass


class Busy:
    """A handler that receives nothing until it is released."""

    def __init__(self) -> None:
        self.free = asyncio.Event()

    async def __call__(self, request: Any, ws: WSProtocol) -> None:
        await self.free.wait()
        async for _ in ws:
            pass


async def leave_early(site: Any, wire: Any, first: bytes) -> WSProtocol:
    """A peer that sends a close frame after messages that are not received, and disconnects."""
    raw = await site.raw()
    known = len(site.ws)
    await wire.until(lambda: len(site.ws) > known - 1 and site.ws)
    ws: WSProtocol = site.ws[-1]
    raw.send(first)
    await wire.until(lambda: ws._connection.wire.held)
    raw.send(wire.frame(8, b"\x03\xe8"))
    await wire.until(lambda: not ws._connection.intake.reading)
    raw.writer.close()
    await raw.writer.wait_closed()
    return ws


@pytest.mark.parametrize("first", ["message", "pings"])
async def test_peers_that_close_early_do_not_affect_others(
    serve: Any, wire: Any, log: pytest.LogCaptureFixture, first: str
) -> None:
    busy = Busy()
    site = await serve(busy, ping_interval=0.01)
    healthy = [await site.raw() for _ in range(5)]
    await wire.until(lambda: len(site.ws) == 5)
    data = wire.frame(2, bytes(70_000)) + (wire.frame(9, b"p" * 125) if first == "pings" else b"")
    left = [await leave_early(site, wire, data) for _ in range(5)]
    busy.free.set()
    await wire.until(lambda: all(ws._connection.ending.gone.done() for ws in left))
    await site.ended(5)
    for raw in healthy:
        for _ in range(3):
            assert await raw.frame() == (0x89, b"")
    for raw in healthy:
        raw.writer.transport.abort()
    await site.listener.stop()
    assert all(ws._connection.ending.gone.done() for ws in site.ws)
    assert log.records == []


class Faulty:
    """A transport, one method of which raises."""

    def __init__(self, transport: Any, method: str, error: Exception) -> None:
        self.transport = transport
        self.method = method
        self.error = error

    def __getattr__(self, name: str) -> Any:
        return self.fail if name == self.method else getattr(self.transport, name)

    def fail(self, *args: Any) -> None:
        raise self.error


def spoil(ws: WSProtocol, method: str, error: Exception) -> None:
    """Let a method of the transport of a connection raise."""
    connection = ws._connection
    faulty: Any = Faulty(connection.transport, method, error)
    for part in (connection, connection.outbox, connection.intake, connection.ending):
        part.transport = faulty


# What of the transport a peer can reach, and the frames that do.
REACHED = {
    "write": lambda wire: wire.frame(9, b"ping"),
    "write_eof": lambda wire: wire.frame(8, b"\x03\xe8"),
    "can_write_eof": lambda wire: wire.frame(8, b"\x03\xe8"),
    "is_closing": lambda wire: wire.frame(9, b"ping"),
    "pause_reading": lambda wire: wire.frame(1, b"x") * 20_000,
    "get_write_buffer_size": lambda wire: b"",  # the clock asks
}


@pytest.mark.parametrize("error", [OSError(107, "not connected"), RuntimeError("closed")])
@pytest.mark.parametrize("method", REACHED)
async def test_any_exception_of_a_transport_ends_only_its_connection(
    serve: Any, wire: Any, log: pytest.LogCaptureFixture, method: str, error: Exception
) -> None:
    busy = Busy()
    site = await serve(busy, ping_interval=0.01, constants={"TIMEOUT": 0.01})
    spoilt, healthy = await site.raw(), await site.raw()
    await wire.until(lambda: len(site.ws) == 2)
    ws = site.ws[0]
    spoil(ws, method, error)
    spoilt.send(REACHED[method](wire))
    await wire.until(ws._connection.ending.gone.done)
    busy.free.set()
    (end,) = await site.ended()
    assert end is None or isinstance(end, ConnectionClosed)
    for _ in range(3):
        assert await healthy.frame() == (0x89, b"")
    if method != "write_eof" or isinstance(error, RuntimeError):
        (record,) = log.records
        assert record.exc_info
        assert record.exc_info[1] is error
    await site.listener.stop(grace=0)


async def test_clients_that_reset_before_they_are_accepted_harm_nothing(
    serve: Any, wire: Any, log: pytest.LogCaptureFixture
) -> None:
    site = await serve()
    for _ in range(5):  # without the loop: it accepts them afterwards
        with socket.create_connection(("127.0.0.1", site.port)) as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    raw = await site.raw()
    raw.send(wire.frame(1, b"served"))
    assert await raw.frame() == (0x81, b"served")
    await wire.until(lambda: not site.listener.openings)
    assert not log.records


@pytest.mark.parametrize("how", ["shutdown", "close", "return", "raise"])
async def test_a_close_that_fails_ends_the_connection(serve: Any, wire: Any, how: str) -> None:
    async def handler(request: Any, ws: WSProtocol) -> None:
        spoil(ws, "write", RuntimeError("closed"))
        if how == "shutdown":
            ws.shutdown()
            with pytest.raises(ConnectionClosed):
                await ws.recv()
        elif how == "close":
            await ws.close()
        elif how == "raise":
            raise KeyError(how)

    site = await serve(handler)
    raw = await site.raw()
    await site.ended()
    await wire.until(
        lambda: site.ws[0]._connection.ending.gone.done() and not site.listener.running
    )
    with contextlib.suppress(ConnectionError):
        assert await raw.rest() == b""


async def test_stop_closes_the_others_when_one_fails(serve: Any, wire: Any) -> None:
    site = await serve(receive)
    clients = [await site.raw() for _ in range(3)]
    await wire.until(lambda: len(site.ws) == 3)
    spoil(site.ws[0], "write", RuntimeError("closed"))
    stopping = asyncio.ensure_future(site.listener.stop())
    for client in clients[1:]:
        assert await client.close_code() == 1001
        client.send(wire.frame(8, b"\x03\xe9"))
        assert await client.rest() == b""
    await stopping
    assert all(ws._connection.ending.gone.done() for ws in site.ws)


async def test_stop_gives_up_a_handler_that_catches_its_cancellation(
    serve: Any, log: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("roll_websocket.listener.LAST_SECOND", 0.01)
    free = asyncio.Event()

    async def stubborn(request: Any, ws: WSProtocol) -> None:
        while not free.is_set():
            with contextlib.suppress(asyncio.CancelledError):
                await free.wait()

    site = await serve(stubborn, constants={"TIMEOUT": 0.01})
    raw = await site.raw()
    await site.listener.stop(grace=0)
    assert site.listener.running
    assert "does not end when it is cancelled" in log.text
    with contextlib.suppress(ConnectionError):
        await raw.rest()
    free.set()
    await asyncio.wait(site.listener.running)


@pytest.mark.parametrize("callback", ["_advance", "_step", "_settle", "pause_writing"])
async def test_a_fault_of_our_own_is_logged_once_and_ends_the_connection(
    serve: Any, wire: Any, log: pytest.LogCaptureFixture, callback: str
) -> None:
    async def handler(request: Any, ws: WSProtocol) -> None:
        wire = ws._connection.wire
        wire.step = wire.end = wire.hold = wire.receive_eof = fail
        await ws.recv()

    def fail() -> None:
        raise ZeroDivisionError

    site = await serve(handler, constants={"MAX_QUEUE": 1})
    raw, other = await site.raw(), await site.socket()
    await wire.until(lambda: site.ws)
    (ws,) = site.ws
    if callback == "_advance":
        raw.send(wire.frame(8))
    elif callback == "_step":
        ws._connection.step()
    elif callback == "_settle":
        raw.reset()
    else:
        ws.pause_writing()
    (error,) = await site.ended()
    assert isinstance(error, ConnectionClosed)
    await wire.until(ws._connection.ending.gone.done)
    (record,) = log.records
    assert record.exc_info
    assert record.exc_info[0] is ZeroDivisionError
    other.send(wire.head())
    assert (await other.reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101")


async def test_an_owner_that_fails_to_hear_of_a_loss_is_logged(
    serve: Any, wire: Any, log: pytest.LogCaptureFixture
) -> None:
    def fail() -> None:
        raise ZeroDivisionError

    async def handler(request: Any, ws: WSProtocol) -> None:
        ws.on_lost = fail
        await ws.send("ready")
        await ws.recv()

    site = await serve(handler)
    raw = await site.raw()
    await raw.frame()
    raw.reset()
    (error,) = await site.ended()
    assert error.code == 1006
    await wire.until(lambda: log.records)
    assert len(log.records) == 1


async def test_a_timer_that_fails_leaves_the_others(log: pytest.LogCaptureFixture) -> None:
    class Sleeper:
        woken = 0

        def on_alarm(self) -> None:
            self.woken += 1
            raise ZeroDivisionError

    clock = Clock()
    sleepers = [Sleeper() for _ in range(3)]
    when = asyncio.get_running_loop().time() + 100
    (key,) = {clock.wake(sleeper, when) for sleeper in sleepers}
    clock.ring(key)
    assert [sleeper.woken for sleeper in sleepers] == [1, 1, 1]
    assert len(log.records) == 3


def no_time(*args: Any, **options: Any) -> None:
    raise ZeroDivisionError


@pytest.mark.parametrize("fault", [{"handshake": no_time}, {"WRITE_LIMIT": "a lot"}])
async def test_a_connection_that_fails_to_open_is_logged_once_and_closed(
    wire: Any, serve: Any, log: pytest.LogCaptureFixture, fault: dict[str, Any]
) -> None:
    site = await serve(receive)
    for name, value in fault.items():
        setattr(site.listener.protocol, name, value)
    raw = await site.socket()
    raw.send(wire.head())
    answer = b"HTTP/1.1 500 " if "handshake" in fault else b""
    with contextlib.suppress(ConnectionError):
        assert (await raw.rest()).startswith(answer)
    await wire.until(lambda: log.records)
    assert len(log.records) == 1
    await wire.until(lambda: not site.listener.openings and not site.listener.running)


async def test_a_parser_that_fails_is_logged_once_and_closes(
    wire: Any, serve: Any, log: pytest.LogCaptureFixture
) -> None:
    site = await serve()
    raw = await site.socket()
    await wire.until(lambda: site.listener.openings)
    (opening,) = site.listener.openings
    opening.reader.feed_data = no_time
    raw.send(wire.head())
    with contextlib.suppress(ConnectionError):
        assert await raw.rest() == b""
    assert len(log.records) == 1


async def test_a_refusal_reaches_a_client_that_is_still_sending(serve: Any, wire: Any) -> None:
    site = await serve()
    raw = await site.socket()
    raw.send(wire.head(sec_websocket_version="8") + bytes(2**20))
    async with asyncio.timeout(10):
        answer = await raw.reader.read()
    assert answer.startswith(b"HTTP/1.1 426 ")
    raw.send(bytes(2**20))
    await raw.writer.drain()
    raw.writer.close()
    await wire.until(lambda: not site.listener.openings)


async def test_a_refusal_over_tls_closes(serve: Any, wire: Any, tls: Any) -> None:
    site = await serve(tls=tls)
    raw = await site.socket()
    raw.send(wire.head(sec_websocket_version="8"))
    assert (await raw.rest()).startswith(b"HTTP/1.1 426 ")
    await wire.until(lambda: not site.listener.openings)


async def test_a_transport_that_is_closing_is_neither_paused_nor_resumed(
    serve: Any, wire: Any, log: pytest.LogCaptureFixture
) -> None:
    """uvloop raises where it is; over TLS, data may come after all."""

    async def handler(request: Any, ws: WSProtocol) -> None:
        await wire.until(lambda: ws._connection.wire.held)
        spoil(ws, "pause_reading", RuntimeError("closed"))
        spoil(ws, "resume_reading", RuntimeError("closed"))
        ws._connection.transport.abort()
        ws.data_received(wire.frame(1, b"late"))
        assert not ws._connection.intake.reading
        ws._connection.intake.resume()
        assert ws._connection.intake.reading

    site = await serve(handler, constants={"MAX_QUEUE": 1})
    raw = await site.raw()
    raw.send(wire.frame(1, b"x"))
    assert await site.ended() == [None]
    assert log.records == []
