"""The ends of connections, and that no object of them remains."""

import asyncio
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosedError, ConnectionClosedOK

from roll_websocket import ConnectionClosed, WSProtocol
from roll_websocket.ending import Ending
from roll_websocket.flow import taken


def gone(site: Any) -> bool:
    """Neither a handler nor a socket is left."""
    return not site.listener.running and all(ws._connection.ending.gone.done() for ws in site.ws)


async def receive(request: Any, ws: WSProtocol) -> None:
    await ws.recv()


async def stream(request: Any, ws: WSProtocol) -> None:
    while True:
        await ws.send(bytes(100_000))


@pytest.mark.parametrize("handler", [receive, stream])
async def test_a_reset_frees_a_handler_that_waits(serve: Any, wire: Any, handler: Any) -> None:
    site = await serve(handler)
    raw = await site.raw()
    if handler is stream:
        raw.reader._transport.pause_reading()
        await wire.until(lambda: site.ws and site.ws[0]._connection.outbox.paused)
    raw.reset()
    (error,) = await site.ended()
    assert isinstance(error, ConnectionClosed)
    assert error.code == 1006
    await wire.until(lambda: gone(site))


@pytest.mark.parametrize("how", ["recv", "send", "ping", "pong", "close"])
async def test_reset_while_the_handler_computes_raises_at_its_next_await(
    serve: Any, wire: Any, how: str
) -> None:
    async def handler(request: Any, ws: WSProtocol) -> None:
        await computed.wait()
        await getattr(ws, how)(*(["late"] if how == "send" else []))

    computed = asyncio.Event()
    site = await serve(handler)
    raw = await site.raw()
    raw.reset()
    await wire.until(lambda: site.ws and site.ws[0]._connection.ending.gone.done())
    computed.set()
    (error,) = await site.ended()
    assert error is None if how == "close" else error.code == 1006
    await wire.until(lambda: gone(site))


async def test_a_transport_that_is_closing_sends_nothing(serve: Any, wire: Any) -> None:
    async def handler(request: Any, ws: WSProtocol) -> None:
        ws._connection.transport.abort()
        ws._connection.probe()
        await ws.send("late")

    site = await serve(handler)
    await site.raw()
    (error,) = await site.ended()
    assert error.code == 1006


async def test_a_transport_someone_else_closes_is_waited_for(serve: Any, wire: Any) -> None:
    async def handler(request: Any, ws: WSProtocol) -> None:
        while not ws._connection.transport.get_write_buffer_size():
            await ws.send(bytes(100_000))
        ws._connection.transport.close()
        await ws.send("late")

    site = await serve(handler, constants={"WRITE_LIMIT": 2**30})
    raw = await site.raw()
    raw.reader._transport.pause_reading()
    await wire.until(lambda: site.ws and site.ws[0]._connection.transport.is_closing())
    raw.reset()
    (error,) = await site.ended()
    assert error.code == 1006


async def test_a_fin_without_a_close_frame_is_1006(serve: Any, wire: Any) -> None:
    site = await serve(receive)
    raw = await site.raw()
    raw.writer.write_eof()
    (error,) = await site.ended()
    assert error.code == 1006
    assert await raw.rest() == b""
    await wire.until(lambda: gone(site))


async def test_fin_after_waiting_messages_ends_after_them(serve: Any, wire: Any) -> None:
    taken: list[Any] = []

    async def handler(request: Any, ws: WSProtocol) -> None:
        await wire.until(lambda: ws._connection.wire.reader.eof)
        while True:
            taken.append(await ws.recv())

    site = await serve(handler, constants={"MAX_QUEUE": 2})
    raw = await site.raw()
    raw.send(wire.frame(2, b"x") * 10)
    raw.writer.write_eof()
    (error,) = await site.ended()
    assert error.code == 1006
    assert taken == [b"x"] * 10
    await wire.until(lambda: gone(site))


@pytest.mark.parametrize("secure", [False, True])
@pytest.mark.parametrize("end", [1000, 1006])
async def test_messages_before_a_lost_connection_are_received(
    serve: Any, wire: Any, tls: Any, end: int, secure: bool
) -> None:
    """Over TLS the end of the peer is the end of the transport; it may be reset over TCP."""
    taken: list[Any] = []

    async def handler(request: Any, ws: WSProtocol) -> None:
        pong = await ws.ping()
        await wire.until(ws._connection.ending.gone.done)
        for call in (lambda: pong, ws.ping, ws.pong, lambda: ws.send("late")):
            with pytest.raises(ConnectionClosed) as caught:
                await call()
            assert caught.value.code == 1006
        assert ws._connection.ending.close is None
        while True:
            taken.append(await ws.recv())

    site = await serve(handler, constants={"MAX_QUEUE": 2}, tls=tls if secure else None)
    raw = await site.raw()
    close = wire.frame(8, b"\x03\xe8bye") if end == 1000 else b""
    waiting = 992 * 7 + len(close)
    raw.send(wire.frame(2, b"x") * 1000 + close)
    await wire.until(lambda: site.ws and len(site.ws[0]._connection.wire.reader.buffer) == waiting)
    raw.writer.close() if secure else raw.reset()
    (error,) = await site.ended()
    assert (error.code, error.reason) == (end, "bye" if end == 1000 else "")
    assert taken == [b"x"] * 1000
    await wire.until(lambda: gone(site))


@pytest.mark.parametrize("how", ["lost", "left", "closed", "returned"])
async def test_on_lost_is_called_when_the_connection_is_lost(
    serve: Any, wire: Any, how: str
) -> None:
    told: list[str] = []

    async def handler(request: Any, ws: WSProtocol) -> None:
        ws.on_lost = lambda: told.append(how)
        await ws.send("ready")
        if how in {"lost", "left"}:
            await wire.until(ws._connection.ending.gone.done)
        elif how == "closed":
            await ws.close()

    site = await serve(handler)
    raw = await site.raw()
    await raw.frame()
    if how == "lost":
        raw.reset()
    else:
        raw.send(wire.frame(8, b"\x03\xe8"))
        await raw.rest()
    await wire.until(site.ws[0]._connection.ending.gone.done)
    assert site.ws[0].on_lost is not None
    assert told == ([how] if how in {"lost", "left"} else [])


async def test_closed_and_close_code_report_the_end(serve: Any, wire: Any) -> None:
    async def handler(request: Any, ws: WSProtocol) -> None:
        assert (ws.closed, ws.close_code, ws.close_reason) == (False, None, None)
        if len(site.ws) == 2:
            await ws.close(4001, "no more")
        else:
            await wire.until(lambda: ws.closed)

    site = await serve(handler)
    client = await site.connect()
    await client.close(4000, "enough")
    other = await site.connect()
    await other.wait_closed()
    lost = await site.raw()
    lost.reset()
    assert await site.ended(3) == [None] * 3
    ends = [(ws.closed, ws.close_code, ws.close_reason) for ws in site.ws]
    assert ends == [(True, 4000, "enough"), (True, 4001, "no more"), (True, 1006, "")]
    assert [type(ws.close_code) for ws in site.ws] == [int] * 3


@pytest.mark.parametrize("how", ["return", "close", "fail"])
async def test_handler_that_leaves_waiting_messages_ends_after_a_loss(
    serve: Any, wire: Any, log: pytest.LogCaptureFixture, how: str
) -> None:
    async def handler(request: Any, ws: WSProtocol) -> None:
        await wire.until(ws._connection.ending.gone.done)
        if how == "close":
            await ws.close(4000)
            with pytest.raises(ConnectionClosed, match="1006"):
                await ws.recv()
        elif how == "fail":
            await ws.send("late")

    site = await serve(handler, constants={"MAX_QUEUE": 2})
    raw = await site.raw()
    raw.send(wire.frame(1, b"x") * 1000)
    await wire.until(lambda: site.ws and site.ws[0]._connection.wire.held)
    raw.reset()
    await site.ended()
    await wire.until(lambda: gone(site))
    assert site.ws[0]._connection.ending.close.code == 1006
    assert log.records == []


async def test_a_handler_that_returns_closes_with_1000(serve: Any, wire: Any) -> None:
    async def handler(request: Any, ws: WSProtocol) -> None:
        await ws.send("bye")

    site = await serve(handler)
    client = await site.connect()
    assert await client.recv() == "bye"
    with pytest.raises(ConnectionClosedOK):
        await client.recv()
    assert (client.close_code, client.close_reason) == (1000, "")
    await wire.until(lambda: gone(site))


class Odd(BaseException):
    """Neither an error of an application, nor the end of the program."""


@pytest.mark.parametrize("at_once", [True, False])
@pytest.mark.parametrize(
    "error",
    [
        KeyError("cause"),
        ConnectionClosed(1000, "of another"),
        Odd("cause"),
        GeneratorExit("cause"),
    ],
)
async def test_a_handler_that_raises_closes_with_1011_and_is_logged_once(
    serve: Any, wire: Any, log: pytest.LogCaptureFixture, error: BaseException, at_once: bool
) -> None:
    async def waits(request: Any, ws: WSProtocol) -> None:
        await asyncio.sleep(0)
        raise error

    def raises(request: Any, ws: WSProtocol) -> Any:
        raise error

    handler = raises if at_once else waits

    site = await serve(handler)
    client = await site.connect()
    with pytest.raises(ConnectionClosedError):
        await client.recv()
    assert (client.close_code, client.close_reason) == (1011, "Handler died prematurely.")
    await wire.until(lambda: gone(site))
    (record,) = log.records
    assert record.exc_info
    assert record.exc_info[1] is error


async def receive_in_a_group(request: Any, ws: WSProtocol) -> None:
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(ws.recv())


@pytest.mark.parametrize("handler", [receive, receive_in_a_group])
async def test_a_handler_ended_by_its_peer_is_not_logged(
    serve: Any, wire: Any, log: pytest.LogCaptureFixture, handler: Any
) -> None:
    site = await serve(handler)
    (await site.raw()).reset()
    await site.ended()
    await wire.until(lambda: gone(site))
    assert log.records == []


@pytest.mark.parametrize(
    "error",
    [KeyError("cause"), ExceptionGroup("", [KeyError("cause"), ConnectionClosed(1000, "")])],
)
async def test_a_handler_that_fails_when_its_peer_has_gone_is_logged(
    serve: Any, wire: Any, log: pytest.LogCaptureFixture, error: Exception
) -> None:
    async def handler(request: Any, ws: WSProtocol) -> None:
        await wire.until(ws._connection.ending.gone.done)
        raise error

    site = await serve(handler)
    (await site.raw()).reset()
    await site.ended()
    await wire.until(lambda: gone(site))
    assert len(log.records) == 1


async def test_a_cancelled_handler_closes_with_1001(serve: Any, wire: Any) -> None:
    site = await serve(receive)
    client = await site.connect()
    await wire.until(lambda: site.ws)
    (task,) = site.listener.running
    task.cancel()
    with pytest.raises(ConnectionClosedOK):
        await client.recv()
    assert (client.close_code, client.close_reason) == (1001, "Handler cancelled.")
    with pytest.raises(asyncio.CancelledError):
        await task
    assert gone(site)


async def test_a_handler_cancelled_twice_aborts(serve: Any, wire: Any) -> None:
    site = await serve(receive, constants={"TIMEOUT": 1000})
    raw = await site.raw()
    await wire.until(lambda: site.ws)
    (task,) = site.listener.running
    task.cancel()
    assert await raw.close_code() == 1001
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await raw.rest() == b""


async def test_a_close_never_answered_is_aborted(serve: Any, wire: Any) -> None:
    async def handler(request: Any, ws: WSProtocol) -> None:
        await ws.close(4000)

    site = await serve(handler, constants={"TIMEOUT": 0.01})
    raw = await site.raw()
    assert await raw.close_code() == 4000
    assert await raw.rest() == b""
    await wire.until(lambda: gone(site))


async def test_a_peer_that_neither_reads_nor_closes_is_aborted(serve: Any, wire: Any) -> None:
    site = await serve(stream, constants={"TIMEOUT": 0.01})
    raw = await site.raw()
    raw.reader._transport.pause_reading()
    await wire.until(lambda: site.ws and site.ws[0]._connection.outbox.paused)
    site.ws[0].shutdown()
    (error,) = await site.ended()
    assert error.code == 1001
    await wire.until(lambda: gone(site))


@pytest.mark.parametrize("secure", [False, True])
async def test_a_peer_that_reads_gets_all_that_was_sent_before_the_close(
    serve: Any, wire: Any, tls: Any, secure: bool
) -> None:
    async def handler(request: Any, ws: WSProtocol) -> None:
        await ws.send(bytes(16 * 2**20))

    site = await serve(
        handler, constants={"TIMEOUT": 1000}, compression=False, tls=tls if secure else None
    )
    raw = await site.raw()
    await wire.until(lambda: site.ws and site.ws[0]._connection.ending.close)
    (ws,) = site.ws
    await wire.until(lambda: not ws._connection.ending.took())
    for _ in range(3):
        await raw.reader.readexactly(2**20)
        first = ws._connection.ending.timer
        await wire.until(lambda: taken(ws._connection.transport) > ws._connection.ending.taken)
        ws._connection.ending.expire()  # as the timer does
        assert ws._connection.ending.timer is not first
        first.cancel()
        await wire.until(lambda: not ws._connection.ending.took())
    ws._connection.ending.expire()
    await wire.until(ws._connection.ending.gone.done)


async def test_stop_waits_for_no_peer_that_reads_for_ever(
    serve: Any, wire: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def handler(request: Any, ws: WSProtocol) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await ws._connection.ending.until_gone()

    site = await serve(handler)
    await site.raw()
    await wire.until(lambda: site.ws)
    monkeypatch.setattr(Ending, "took", lambda self: True)
    site.listener.protocol.TIMEOUT = 0
    await site.listener.stop(grace=0)
    assert gone(site)


async def test_shutdown_closes_all_with_1001(serve: Any, wire: Any) -> None:
    site = await serve(receive)
    clients = [await site.connect() for _ in range(3)]
    await wire.until(lambda: len(site.ws) == 3)
    await site.listener.stop()
    for client in clients:
        with pytest.raises(ConnectionClosedOK):
            await client.recv()
        assert client.close_code == 1001
    assert [error.code for error in site.ends] == [1001] * 3
    assert gone(site)


async def test_shutdown_twice_is_once(serve: Any, wire: Any) -> None:
    site = await serve(receive)
    raw = await site.raw()
    await wire.until(lambda: site.ws)
    site.ws[0].shutdown()
    site.ws[0].shutdown()
    raw.send(wire.frame(8, b"\x03\xe9"))
    assert await raw.frame() == (0x88, b"\x03\xe9")
    assert await raw.rest() == b""


async def test_handlers_that_ignore_a_shutdown_are_cancelled(serve: Any, wire: Any) -> None:
    async def handler(request: Any, ws: WSProtocol) -> None:
        await asyncio.Event().wait()

    site = await serve(handler)
    await site.connect()
    await wire.until(lambda: site.ws)
    await site.listener.stop(grace=0.01)
    assert isinstance(site.ends[0], asyncio.CancelledError)
    assert gone(site)


async def test_without_connections_there_is_nothing_to_stop(serve: Any) -> None:
    await (await serve()).listener.stop()


async def test_a_tls_connection_closes_cleanly(serve: Any, wire: Any, tls: Any) -> None:
    site = await serve(tls=tls)
    client = await site.connect()
    await client.send("secret")
    assert await client.recv() == "secret"
    await client.close()
    assert client.close_code == 1000
    assert await site.ended() == [None]
    await wire.until(lambda: gone(site))


async def test_close_without_a_sign_of_the_system_is_aborted(
    serve: Any, log: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fault(ending: Ending) -> bool:
        raise OSError(9, "closed")

    async def handler(request: Any, ws: WSProtocol) -> None:
        closing = asyncio.ensure_future(ws.close())
        await asyncio.sleep(0)
        monkeypatch.setattr(Ending, "took", fault)
        await closing

    site = await serve(handler, constants={"TIMEOUT": 0.01})
    raw = await site.raw()
    assert await raw.close_code() == 1000
    assert await raw.rest() == b""
    assert await site.ended() == [None]
    assert len(log.records) == 1
