"""The ends of a websocket in an application, and that no object of it remains."""

import asyncio
import logging

import pytest

from roll import ConnectionClosed, WSProtocol
from roll_http import Server


@pytest.fixture
def ends(app):
    """The results of the handlers in order; the route runs `app.handler`."""
    seen = []

    @app.route("/", protocol="websocket")
    async def watched(request, ws):
        end = None
        try:
            await app.handler(ws)
        except BaseException as error:
            end = error
            raise
        finally:
            seen.append(end)

    return seen


@pytest.fixture
def events(app):
    seen = []
    for name in ("connect", "error", "disconnect"):
        app.listen(f"websocket_{name}")(lambda ws, name=name: seen.append(name))
    return seen


@pytest.fixture
def idle(liveclient, until):
    """Waits until the server knows no connection any more."""

    async def wait():
        await until(lambda: not any(liveclient.server.connections))

    return wait


async def receive(ws):
    await ws.recv()


async def stream(ws):
    while True:
        await ws.send(bytes(100_000))


@pytest.mark.parametrize("handler", [receive, stream])
async def test_a_reset_frees_a_waiting_handler(app, ends, events, dial, until, idle, handler):
    app.handler = handler
    raw = await dial("/")
    await until(lambda: events)
    raw.reset()
    await until(lambda: ends)
    assert isinstance(ends[0], ConnectionClosed)
    assert ends[0].code == 1006
    await idle()
    assert events == ["connect", "disconnect"]


@pytest.mark.parametrize("call", ["recv", "send"])
async def test_a_reset_while_the_handler_computes(app, ends, dial, until, idle, call):
    computed = asyncio.Event()
    started = []

    async def handler(ws):
        started.append(ws)
        await computed.wait()
        await (ws.recv() if call == "recv" else ws.send("late"))

    app.handler = handler
    raw = await dial("/")
    await until(lambda: started)
    raw.reset()
    await until(started[0]._connection.ending.gone.done)
    computed.set()
    await until(lambda: ends)
    assert ends[0].code == 1006
    await idle()


async def test_a_request_tells_whether_its_client_has_gone(app, ends, dial, until, idle):
    told = []

    @app.listen("websocket_connect")
    async def connected(request, ws):
        told.append(await request.disconnected())
        await until(ws._connection.ending.gone.done)
        told.append(await request.disconnected())

    app.handler = receive
    raw = await dial("/")
    await until(lambda: told)
    raw.reset()
    await until(lambda: ends)
    assert told == [False, True]
    await idle()


@pytest.mark.parametrize("close", [False, True])
async def test_a_handler_is_cancelled_with_its_client(app, events, dial, until, idle, close):
    ends = []

    @app.route("/only", protocol="websocket", cancel_on_disconnect=True)
    async def only(request, ws):
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError as error:
            ends.append(error)
            raise

    raw = await dial("/only")
    await until(lambda: events)
    if close:
        raw.send(b"\x88\x82\0\0\0\0\x03\xe8")
        await raw.rest()
    else:
        raw.reset()
    await until(lambda: ends)
    await idle()
    assert events == ["connect", "disconnect"]


async def test_a_fin_without_a_close_frame(app, ends, dial, until, idle):
    app.handler = receive
    raw = await dial("/")
    raw.writer.write_eof()
    assert await raw.rest() == b""
    await until(lambda: ends)
    assert ends[0].code == 1006
    await idle()


async def test_a_handler_that_returns(app, ends, events, dial, idle):
    async def handler(ws):
        await ws.send("bye")

    app.handler = handler
    raw = await dial("/")
    assert await raw.frame() == (0x81, b"bye")
    assert await raw.close() == (1000, "")
    await raw.rest()
    await idle()
    assert events == ["connect", "disconnect"]


async def test_a_handler_that_raises(app, ends, events, dial, idle, caplog):
    async def handler(ws):
        raise KeyError("cause")

    app.handler = handler
    with caplog.at_level(logging.ERROR):
        raw = await dial("/")
        assert await raw.close() == (1011, "Handler died prematurely.")
        await raw.rest()
        await idle()
    assert events == ["connect", "error", "disconnect"]
    (record,) = caplog.records
    assert record.exc_info[1] is ends[0]


async def test_a_peer_that_goes_is_not_logged(app, ends, events, dial, until, idle, caplog):
    app.handler = receive
    with caplog.at_level(logging.ERROR):
        (await dial("/")).reset()
        await until(lambda: ends)
        await idle()
    assert caplog.records == []
    assert events == ["connect", "disconnect"]


async def test_a_close_never_answered_is_aborted(app, ends, dial, idle, monkeypatch):
    async def handler(ws):
        await ws.close(4000, "enough")

    monkeypatch.setattr(WSProtocol, "TIMEOUT", 0.01)
    app.handler = handler
    raw = await dial("/")
    assert (await raw.frame())[0] == 0x88
    assert await raw.rest() == b""
    await idle()
    assert ends == [None]


async def test_shutdown_closes_all_with_1001(app, ends, liveclient, dial, until):
    app.handler = receive
    clients = [await dial("/") for _ in range(3)]

    async def leave(raw):
        code, reason = await raw.close()
        await raw.rest()
        return code, reason

    answers = [asyncio.ensure_future(leave(raw)) for raw in clients]
    await liveclient.stop()
    assert await asyncio.gather(*answers) == [(1001, "")] * 3
    assert [error.code for error in ends] == [1001] * 3


@pytest.fixture
async def stopped(app, ends, speak, until):
    """A server, stopped while a handler ignored it."""
    started = []

    async def handler(ws):
        started.append(ws)
        await asyncio.Event().wait()

    app.handler = handler
    server = Server(app.factory, app.limits)
    await server.listen("127.0.0.1", 0)
    _, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    writer.write(speak.head())
    await until(lambda: started)
    await server.stop(graceful_timeout=0.01)
    await until(lambda: ends)
    yield server
    writer.transport.abort()


async def test_handlers_that_ignore_the_shutdown_are_cancelled(stopped, ends):
    assert isinstance(ends[0], asyncio.CancelledError)


async def test_of_handlers_cancelled_at_shutdown_nothing_remains(stopped):
    assert not any(stopped.connections)


async def test_a_peer_that_vanished_is_found_by_pings(app, dial, until, idle):
    ends = []

    @app.route("/alive", protocol="websocket", ping_interval=0.02, ping_timeout=0.02)
    async def handler(request, ws):
        try:
            await ws.recv()
        except ConnectionClosed as error:
            ends.append(error)
            raise

    raw = await dial("/alive")
    assert await raw.frame() == (0x89, b"")
    code, _ = await raw.close()
    assert code == 1011
    await until(lambda: ends)
    assert ends[0].code == 1011


async def test_a_flood_is_held_and_others_are_served(app, dial, speak, until):
    started = []
    released = asyncio.Event()

    @app.route("/deaf", protocol="websocket")
    async def deaf(request, ws):
        started.append(ws)
        await released.wait()

    @app.route("/echo", protocol="websocket")
    async def echo(request, ws):
        await ws.send(await ws.recv())

    flood = await dial("/deaf")
    flood.send(speak.frame(1, b"x" * 100) * 100_000)
    await until(lambda: started and not started[0]._connection.intake.reading)
    wire = started[0]._connection.wire
    assert len(wire.inbox.messages) <= WSProtocol.MAX_QUEUE
    assert len(wire.reader.buffer) < 2**20
    other = await dial("/echo", after=speak.frame(1, b"me too"))
    assert await other.frame() == (0x81, b"me too")
    released.set()


async def test_a_peer_that_closes_early_disturbs_no_request_at_the_stop(
    app, ends, liveclient, dial, speak, until, caplog
):
    """The client closes after messages that the busy handler has not received."""
    started, free, asked, done = [], asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def handler(ws):
        started.append(ws)
        await free.wait()
        await receive(ws)
        await receive(ws)

    @app.route("/slow")
    async def slow(request, response):
        asked.set()
        await done.wait()
        response.body = "whole"

    app.handler = handler
    with caplog.at_level(logging.ERROR):
        for number in range(3):
            raw = await dial("/")
            await until(lambda count=number + 1: len(started) == count)
            raw.send(b"\x82\xff" + (70_000).to_bytes(8) + bytes(4 + 70_000))
            await until(lambda: started[-1]._connection.wire.held)
            raw.send(speak.frame(8, b"\x03\xe8"))
            await until(lambda: not started[-1]._connection.intake.reading)
            raw.writer.close()
            await raw.writer.wait_closed()
        client = await dial()
        client.send(b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n")
        await asked.wait()
        free.set()
        await until(lambda: len(ends) == 3)
        stopping = asyncio.ensure_future(liveclient.stop())
        await asyncio.sleep(0)
        done.set()
        answer = await client.answer()
        await stopping
    assert (answer.status, answer.body) == (200, b"whole")
    assert all(ws._connection.ending.gone.done() for ws in started)
    assert caplog.records == []
