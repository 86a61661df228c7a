"""The methods of a connection that handlers call."""

import asyncio
import pickle
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosedError, ConnectionClosedOK

from roll_websocket import ConnectionClosed, HandshakeError, WSProtocol, broadcast


async def test_a_client_gets_its_messages_back(serve: Any) -> None:
    client = await (await serve()).connect()
    for message in ["text", "", "\u20ac" * 1000, b"bytes", b"", bytes(300_000), "x" * 300_000]:
        await client.send(message)
        assert await client.recv() == message
    await client.close()


async def test_without_compression_too(serve: Any) -> None:
    client = await (await serve(compression=False)).connect()
    await client.send("x" * 70_000)
    assert await client.recv() == "x" * 70_000
    assert client.protocol.extensions == []


async def test_frames_are_logged_when_debugging(
    serve: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", "roll_websocket")
    client = await (await serve(compression=False)).connect()
    await client.send("seen")
    assert await client.recv() == "seen"
    assert "> TEXT 'seen'" in caplog.text


@pytest.mark.parametrize("data", [b"abc", bytearray(b"abc"), memoryview(b"abc")])
async def test_bytes_like_objects_are_sent_as_binary(serve: Any, data: Any) -> None:
    async def handler(request: Any, ws: WSProtocol) -> None:
        await ws.send(data)

    client = await (await serve(handler)).connect()
    assert await client.recv() == b"abc"


async def test_another_type_is_an_error_that_sends_nothing(serve: Any) -> None:
    async def handler(request: Any, ws: WSProtocol) -> None:
        with pytest.raises(TypeError, match="str or bytes, not int"):
            await ws.send(1)  # type: ignore[arg-type]  # the mistake under test
        with pytest.raises(UnicodeEncodeError):
            await ws.send("\ud800")
        await ws.send("still open")

    client = await (await serve(handler)).connect()
    assert await client.recv() == "still open"


async def test_a_cancelled_recv_loses_no_message(serve: Any) -> None:
    async def handler(request: Any, ws: WSProtocol) -> None:
        for _ in range(3):
            waiting = asyncio.ensure_future(ws.recv())
            await asyncio.sleep(0)
            waiting.cancel()
        await ws.send("ready")
        for _ in range(2):
            await ws.send(await asyncio.wait_for(ws.recv(), 10))

    client = await (await serve(handler)).connect()
    assert await client.recv() == "ready"
    await client.send("one")
    await client.send("two")
    assert [await client.recv(), await client.recv()] == ["one", "two"]


async def test_two_tasks_cannot_await_the_same_message(serve: Any) -> None:
    async def handler(request: Any, ws: WSProtocol) -> None:
        first = asyncio.ensure_future(ws.recv())
        await asyncio.sleep(0)
        with pytest.raises(RuntimeError, match="Another task"):
            await ws.recv()
        await ws.send("ready")
        await ws.send(await first)

    client = await (await serve(handler)).connect()
    assert await client.recv() == "ready"
    await client.send("one")
    assert await client.recv() == "one"


async def test_a_recv_thrown_away_leaves_room_for_the_next(serve: Any) -> None:
    async def handler(request: Any, ws: WSProtocol) -> None:
        thrown = ws.recv()
        thrown.send(None)
        thrown.close()
        await ws.send(await ws.recv())

    client = await (await serve(handler)).connect()
    await client.send("one")
    assert await client.recv() == "one"


async def test_a_ping_is_answered_by_its_pong(serve: Any, wire: Any) -> None:
    async def handler(request: Any, ws: WSProtocol) -> None:
        waiters = [await ws.ping(), await ws.ping("one"), await ws.ping(b"two")]
        await asyncio.wait(waiters)
        await ws.send("answered")

    site = await serve(handler)
    client = await site.connect()
    assert await client.recv() == "answered"
    raw = await site.raw()
    pings = [await raw.frame() for _ in range(3)]
    assert [first for first, _ in pings] == [0x89] * 3
    assert [payload for _, payload in pings[1:]] == [b"one", b"two"]
    raw.send(wire.frame(10, b"never sent") + wire.frame(10, b"two"))
    assert await raw.frame() == (0x81, b"answered")


@pytest.mark.parametrize("before", [[70_000], [10, 1_000_000], [1] * 64, [1] * 150])
async def test_pong_is_found_after_waiting_messages(
    serve: Any, wire: Any, before: list[int]
) -> None:
    async def handler(request: Any, ws: WSProtocol) -> None:
        pong = await ws.ping("there?")
        await pong
        assert [len(await ws.recv()) for _ in before] == before
        await ws.send("all received")

    raw = await (await serve(handler)).raw()
    assert await raw.frame() == (0x89, b"there?")
    raw.send(b"".join(wire.frame(2, bytes(size)) for size in before))
    raw.send(wire.frame(10, b"there?"))
    assert await raw.frame() == (0x81, b"all received")


async def test_pong_is_found_after_messages_received_before_the_ping(
    serve: Any, wire: Any
) -> None:
    async def handler(request: Any, ws: WSProtocol) -> None:
        await wire.until(lambda: ws._connection.wire.reader.buffer)
        await (await ws.ping("there?"))
        assert [await ws.recv() for _ in range(6)] == ["x"] * 6

    site = await serve(handler, constants={"MAX_QUEUE": 2})
    raw = await site.raw()
    raw.send(wire.frame(1, b"x"))
    await wire.until(lambda: site.ws and len(site.ws[0]._connection.wire.inbox.messages) == 1)
    raw.send(wire.frame(1, b"x") * 5 + wire.frame(10, b"there?"))
    assert await raw.frame() == (0x89, b"there?")
    assert await site.ended() == [None]


async def test_a_ping_its_handler_gave_up_is_answered_in_peace(serve: Any, wire: Any) -> None:
    async def handler(request: Any, ws: WSProtocol) -> None:
        (await ws.ping("a")).cancel()
        await ws.send(await ws.recv())
        (await ws.ping("b")).cancel()

    raw = await (await serve(handler)).raw()
    assert await raw.frame() == (0x89, b"a")
    raw.send(wire.frame(10, b"a") + wire.frame(1, b"fine"))
    assert await raw.frame() == (0x81, b"fine")
    assert await raw.frame() == (0x89, b"b")
    assert await raw.close_code() == 1000


async def test_pings_end_with_the_connection(serve: Any) -> None:
    waiters: list[asyncio.Future[None]] = []

    async def handler(request: Any, ws: WSProtocol) -> None:
        waiters.append(await ws.ping())
        await ws.recv()

    site = await serve(handler)
    (await site.raw()).reset()
    await site.ended()
    with pytest.raises(ConnectionClosed) as caught:
        await waiters[0]
    assert caught.value.code == 1006


async def test_a_pong_can_be_sent_unasked(serve: Any) -> None:
    async def handler(request: Any, ws: WSProtocol) -> None:
        await ws.pong()
        await ws.pong("data")

    raw = await (await serve(handler)).raw()
    assert await raw.frame() == (0x8A, b"")
    assert await raw.frame() == (0x8A, b"data")


async def test_a_mistake_in_a_ping_leaves_the_connection_open(serve: Any) -> None:
    async def handler(request: Any, ws: WSProtocol) -> None:
        with pytest.raises(ValueError, match="125 bytes, not 126"):
            await ws.ping(b"x" * 126)
        with pytest.raises(ValueError, match="125 bytes, not 126"):
            await ws.pong(b"x" * 126)
        await ws.ping("same")
        with pytest.raises(ValueError, match="awaits its pong already"):
            await ws.ping("same")
        await ws.send("still open")

    client = await (await serve(handler)).connect()
    assert await client.recv() == "still open"


async def test_close_says_why(serve: Any) -> None:
    async def handler(request: Any, ws: WSProtocol) -> None:
        await ws.close(4000, "enough")
        await ws.close(4001, "again")

    client = await (await serve(handler)).connect()
    with pytest.raises(ConnectionClosedError):
        await client.recv()
    assert (client.close_code, client.close_reason) == (4000, "enough")


async def test_close_is_1000_by_default(serve: Any) -> None:
    async def handler(request: Any, ws: WSProtocol) -> None:
        await ws.close()

    client = await (await serve(handler)).connect()
    with pytest.raises(ConnectionClosedOK):
        await client.recv()
    assert (client.close_code, client.close_reason) == (1000, "")


@pytest.mark.parametrize(
    ("code", "reason"), [(1005, ""), (1006, ""), (999, ""), (5000, ""), (1000, "\u20ac" * 42)]
)
async def test_a_close_that_cannot_be_sent_leaves_the_connection_open(
    serve: Any, code: int, reason: str
) -> None:
    async def handler(request: Any, ws: WSProtocol) -> None:
        with pytest.raises(ValueError, match="close"):
            await ws.close(code, reason)
        await ws.send("still open")
        await ws.close(1000, "\u20ac" * 41)

    client = await (await serve(handler)).connect()
    assert await client.recv() == "still open"
    with pytest.raises(ConnectionClosedOK):
        await client.recv()
    assert client.close_reason == "\u20ac" * 41


@pytest.mark.parametrize(
    ("code", "reason", "message"),
    [
        (1000.0, "", "code is an int, not float"),
        ("1000", "", "code is an int, not str"),
        (1000, b"x", "reason is a str, not bytes"),
    ],
)
async def test_a_close_of_another_type_leaves_the_connection_open(
    serve: Any, code: Any, reason: Any, message: str
) -> None:
    async def handler(request: Any, ws: WSProtocol) -> None:
        with pytest.raises(TypeError, match=message):
            await ws.close(code, reason)
        await ws.send("still open")

    client = await (await serve(handler)).connect()
    assert await client.recv() == "still open"


async def test_after_a_close_nothing_is_sent_or_received(serve: Any, wire: Any) -> None:
    async def handler(request: Any, ws: WSProtocol) -> None:
        await ws.send("ready")
        await wire.until(lambda: ws._connection.wire.inbox.messages)
        await ws.close(4000, "enough")
        for call in (ws.recv, ws.ping, ws.pong, lambda: ws.send("late")):
            with pytest.raises(ConnectionClosed, match="4000 enough") as caught:
                await call()
            assert (caught.value.code, caught.value.reason) == (4000, "enough")

    site = await serve(handler)
    raw = await site.raw()
    await raw.frame()
    raw.send(wire.frame(1, b"not taken"))
    assert await raw.close_code() == 4000
    raw.send(wire.frame(1, b"too late") + wire.frame(8, b"\x0f\xa0"))
    assert await raw.rest() == b""
    assert await site.ended() == [None]


@pytest.mark.parametrize("code", [1000, 1001])
async def test_iteration_ends_with_a_good_close(serve: Any, code: int) -> None:
    site = await serve()
    client = await site.connect()
    await client.close(code)
    assert await site.ended() == [None]


async def test_iteration_raises_on_any_other_close(serve: Any, wire: Any) -> None:
    site = await serve()
    await (await site.connect()).close(4000, "no more")
    (error,) = await site.ended()
    assert (error.code, error.reason) == (4000, "no more")
    raw = await site.raw()
    raw.send(wire.frame(8))
    assert await raw.frame() == (0x88, b"")
    assert (await site.ended(2))[1].code == 1005


async def test_messages_before_a_close_are_received_first(serve: Any, wire: Any) -> None:
    messages: list[Any] = []

    async def handler(request: Any, ws: WSProtocol) -> None:
        await wire.until(lambda: ws._connection.ending.close)
        messages.extend([message async for message in ws])

    site = await serve(handler)
    raw = await site.raw()
    raw.send(wire.frame(1, b"one") + wire.frame(2, b"two") + wire.frame(8, b"\x03\xe8"))
    assert await site.ended() == [None]
    assert messages == ["one", b"two"]


async def test_a_handler_that_only_sends_lets_others_run(serve: Any) -> None:
    turns = 0

    async def handler(request: Any, ws: WSProtocol) -> None:
        task = asyncio.ensure_future(count())
        for _ in range(1000):
            await ws.send("x")
        task.cancel()

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    site = await serve(handler, constants={"WRITE_LIMIT": 2**30})
    await site.connect()
    assert await site.ended() == [None]
    assert turns >= 10


async def test_the_latency_is_that_of_the_last_pong(serve: Any, wire: Any) -> None:
    async def handler(request: Any, ws: WSProtocol) -> None:
        assert ws.latency is None
        first, second = await ws.ping("one"), await ws.ping("two")
        seconds = await second
        assert 0 <= seconds == ws.latency <= await first
        await ws.send("answered")
        await ws.recv()

    raw = await (await serve(handler)).raw()
    assert [await raw.frame() for _ in range(2)] == [(0x89, b"one"), (0x89, b"two")]
    raw.send(wire.frame(10, b"never sent") + wire.frame(10))
    raw.send(wire.frame(10, b"two"))
    assert await raw.frame() == (0x81, b"answered")


async def test_latency_is_that_of_keep_alive_pings(serve: Any, wire: Any) -> None:
    async def handler(request: Any, ws: WSProtocol) -> None:
        await wire.until(lambda: ws.latency is not None)
        assert ws.latency
        assert ws.latency > 0

    site = await serve(handler, ping_interval=0.01)
    await site.connect()
    assert await site.ended() == [None]


@pytest.mark.parametrize(
    "error",
    [ConnectionClosed(1001, "bye"), HandshakeError(426, "Upgrade", {"Upgrade": "websocket"})],
    ids=lambda error: type(error).__name__,
)
def test_an_error_is_the_same_once_unpickled(error: Exception) -> None:
    same = pickle.loads(pickle.dumps(error))
    assert (type(same), same.args, vars(same)) == (type(error), error.args, vars(error))
    assert str(same) == str(error)


async def test_pythons_warning_of_a_forgotten_await_names_recv(serve: Any) -> None:
    async def handler(request: Any, ws: WSProtocol) -> None:
        with pytest.warns(RuntimeWarning, match="coroutine 'WSProtocol.recv' was never awaited"):
            ws.recv()  # type: ignore[unused-coroutine]
        await ws.send("warned")

    client = await (await serve(handler)).connect()
    assert await client.recv() == "warned"


NO_MESSAGES = [None, 3, 0, 1.5, True, ["a"], [1, 2], {"a": 1}, ("a",), {1}, range(3), object()]


@pytest.mark.parametrize("call", ["send", "ping", "pong", "broadcast"])
@pytest.mark.parametrize("data", NO_MESSAGES)
async def test_data_of_another_type_is_an_error_and_sends_nothing(
    serve: Any, wire: Any, call: str, data: Any
) -> None:
    """`bytes(3)` is three zeros, and `bytes([1, 2])` two bytes."""

    async def handler(request: Any, ws: WSProtocol) -> None:
        if call == "ping" and data is None:
            return
        with pytest.raises(TypeError, match=f"str or bytes, not {type(data).__name__}"):
            if call == "broadcast":
                broadcast([ws], data)
            else:
                await getattr(ws, call)(data)
        await ws.send("open")

    raw = await (await serve(handler)).raw()
    assert (await raw.frame())[0] in {0x81, 0x88, 0x89}


@pytest.mark.parametrize("data", ["a", bytearray(b"a"), memoryview(b"a")])
@pytest.mark.parametrize("call", ["ping", "pong"])
async def test_control_frames_take_text_and_bytes(serve: Any, data: Any, call: str) -> None:
    async def handler(request: Any, ws: WSProtocol) -> None:
        await getattr(ws, call)(data)

    raw = await (await serve(handler)).raw()
    assert await raw.frame() == (0x89 if call == "ping" else 0x8A, b"a")


@pytest.mark.parametrize("call", [5, "close", b"", [], False])
async def test_on_lost_must_be_a_function(serve: Any, call: Any) -> None:
    """Before the connection is made, and after."""
    early = WSProtocol(None)  # type: ignore[arg-type]  # not asked for here
    early.on_lost = print
    with pytest.raises(TypeError, match="`on_lost` is a function, or None, not"):
        early.on_lost = call
    assert early.on_lost is print

    async def handler(request: Any, ws: WSProtocol) -> None:
        ws.on_lost = print
        with pytest.raises(TypeError, match="`on_lost` is a function, or None, not"):
            ws.on_lost = call
        assert ws.on_lost is print
        ws.on_lost = None

    site = await serve(handler)
    await site.raw()
    assert await site.ended() == [None]
