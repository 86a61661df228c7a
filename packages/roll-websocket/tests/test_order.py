"""Messages are sent in the order of the calls, whichever tasks call and however the peer reads."""

import asyncio
import random
from typing import Any

import pytest

from roll_websocket import ConnectionClosed, WSProtocol

TEXT, BINARY, PING, PONG, CLOSE = 0x81, 0x82, 0x89, 0x8A, 0x88


async def together(*calls: Any) -> list[Any]:
    """Run each in its own task, all at once."""
    return await asyncio.gather(*map(asyncio.ensure_future, calls), return_exceptions=True)


@pytest.mark.parametrize("compression", [False, True])
@pytest.mark.parametrize("count", [200, 5000])
async def test_tasks_send_in_the_order_of_their_calls(
    serve: Any, count: int, compression: bool
) -> None:
    async def handler(request: Any, ws: WSProtocol) -> None:
        await together(*(ws.send(str(number)) for number in range(count)))

    client = await (await serve(handler, compression=compression)).connect()
    assert [int(await client.recv()) for _ in range(count)] == list(range(count))


@pytest.mark.parametrize("seed", range(6))
async def test_all_kinds_and_sizes_keep_their_order(serve: Any, wire: Any, seed: int) -> None:
    """From a peer that reads, and then does not, and then does."""
    chance = random.Random(seed)
    kinds = [chance.choice(["text", "binary", "large", "ping", "pong"]) for _ in range(400)]

    async def handler(request: Any, ws: WSProtocol) -> None:
        calls = {
            "text": lambda number: ws.send(f"{number}"),
            "binary": lambda number: ws.send(b"%d" % number),
            "large": lambda number: ws.send(b"%d" % number + bytes(100_000)),
            "ping": lambda number: ws.ping(f"{number}"),
            "pong": lambda number: ws.pong(f"{number}"),
        }
        await together(*(calls[kind](number) for number, kind in enumerate(kinds)))

    site = await serve(handler, compression=False)
    raw = await site.raw()
    raw.reader._transport.pause_reading()
    await wire.until(lambda: site.ws and site.ws[0]._connection.outbox.paused)
    raw.reader._transport.resume_reading()
    firsts = {"text": TEXT, "binary": BINARY, "large": BINARY, "ping": PING, "pong": PONG}
    frames = [await raw.frame() for _ in kinds]
    assert [first for first, _ in frames] == [firsts[kind] for kind in kinds]
    assert [int(payload.rstrip(b"\0")) for _, payload in frames] == list(range(len(kinds)))


async def fill(ws: WSProtocol) -> int:
    """Send until the peer, which does not read, holds this up."""
    count = 0
    while not ws._connection.outbox.paused:
        await ws.send(bytes(100_000))
        count += 1
    return count


@pytest.mark.parametrize("how", ["close", "return", "raise", "shutdown"])
async def test_waiting_messages_are_sent_before_the_close(serve: Any, wire: Any, how: str) -> None:
    filled = asyncio.get_running_loop().create_future()
    ends: list[Any] = []

    async def handler(request: Any, ws: WSProtocol) -> None:
        count = await fill(ws)
        calls = together(*(ws.send(str(number)) for number in range(100)), ws.ping("last"))
        waiting.append(asyncio.ensure_future(calls))
        await wire.until(
            lambda: ws._connection.outbox.waiting and len(ws._connection.outbox.waiting) == 101
        )
        filled.set_result(count)
        if how == "close":
            await ws.close(4000)
        elif how == "shutdown":
            ws.shutdown()
        elif how == "raise":
            raise ConnectionClosed(1000, "of another")

    waiting: list[Any] = []
    site = await serve(handler, compression=False)
    raw = await site.raw()
    raw.reader._transport.pause_reading()
    count = await filled
    raw.reader._transport.resume_reading()
    for _ in range(count):
        assert await raw.frame() == (BINARY, bytes(100_000))
    assert [await raw.frame() for _ in range(100)] == [(TEXT, b"%d" % n) for n in range(100)]
    assert await raw.frame() == (PING, b"last")
    first, _ = await raw.frame()
    assert first == CLOSE
    ends.extend(await waiting[0])
    assert ends[:100] == [None] * 100
    assert isinstance(ends[100], asyncio.Future)


async def test_cancelled_send_is_not_sent_and_does_not_block_others(serve: Any, wire: Any) -> None:
    async def handler(request: Any, ws: WSProtocol) -> None:
        started.set_result(await fill(ws))
        sends = [asyncio.ensure_future(ws.send(str(number))) for number in range(200)]
        await wire.until(
            lambda: ws._connection.outbox.waiting and len(ws._connection.outbox.waiting) == 200
        )
        for send in sends[::2]:
            send.cancel()
        await asyncio.wait(sends[::2])
        assert len(ws._connection.outbox.waiting or ()) == 100
        cancelled.set()
        await asyncio.wait(sends)
        await ws.send("end")

    started = asyncio.get_running_loop().create_future()
    cancelled = asyncio.Event()
    site = await serve(handler, compression=False)
    raw = await site.raw()
    raw.reader._transport.pause_reading()
    count = await started
    await cancelled.wait()
    raw.reader._transport.resume_reading()
    frames = [await raw.frame() for _ in range(count + 101)]
    assert [payload for _, payload in frames[count:-1]] == [b"%d" % n for n in range(1, 200, 2)]
    assert frames[-1] == (TEXT, b"end")


async def test_all_waiting_sends_can_be_cancelled(serve: Any, wire: Any) -> None:
    async def handler(request: Any, ws: WSProtocol) -> None:
        sends = [asyncio.ensure_future(ws.send("never")) for _ in range(100)]
        await asyncio.sleep(0)
        for send in sends[63:]:
            send.cancel()
        await asyncio.wait(sends)
        await ws.send("end")

    raw = await (await serve(handler)).raw()
    for _ in range(63):
        assert await raw.frame() == (TEXT, b"never")
    assert await raw.frame() == (TEXT, b"end")


async def test_send_cancelled_while_it_fails_causes_no_other_error(serve: Any, wire: Any) -> None:
    async def handler(request: Any, ws: WSProtocol) -> None:
        await fill(ws)
        send = asyncio.ensure_future(ws.send("never"))
        await wire.until(lambda: ws._connection.outbox.waiting)
        ws._connection.transport.abort()
        await wire.until(lambda: ws._connection.outbox.ended)
        send.cancel()
        with pytest.raises(asyncio.CancelledError):
            await send

    site = await serve(handler, compression=False)
    raw = await site.raw()
    raw.reader._transport.pause_reading()
    assert await site.ended() == [None]


@pytest.mark.parametrize("end", ["reset", "closed by the peer", "closed behind our back"])
async def test_tasks_that_wait_to_send_get_connection_closed(
    serve: Any, wire: Any, end: str
) -> None:
    async def handler(request: Any, ws: WSProtocol) -> None:
        await fill(ws)
        waiting.append(ws)
        ends.extend(await together(*(ws.send("late") for _ in range(5)), ws.ping(), ws.pong()))

    waiting: list[WSProtocol] = []
    ends: list[Any] = []
    site = await serve(handler, compression=False)
    raw = await site.raw()
    raw.reader._transport.pause_reading()
    await wire.until(lambda: waiting and waiting[0]._connection.outbox.waiting)
    if end == "closed by the peer":
        raw.send(wire.frame(8, b"\x03\xe8"))
        raw.reader._transport.resume_reading()
        await raw.rest()
    elif end == "reset":
        raw.reset()
    else:
        waiting[0]._connection.transport.abort()
    await site.ended()
    assert len(ends) == 7
    if end != "closed by the peer":  # that one had read it all
        assert [error.code for error in ends] == [1006] * 7


async def test_a_mistake_that_waited_is_raised_where_it_was_made(serve: Any, wire: Any) -> None:
    async def handler(request: Any, ws: WSProtocol) -> None:
        for number in range(63):
            await ws.send(str(number))
        results = await together(ws.ping("same"), ws.ping("same"), ws.send("after"))
        assert isinstance(results[0], asyncio.Future)
        assert isinstance(results[1], ValueError)
        assert results[2] is None

    site = await serve(handler)
    raw = await site.raw()
    frames = [await raw.frame() for _ in range(65)]
    assert frames[63:] == [(PING, b"same"), (TEXT, b"after")]
    assert await site.ended() == [None]


async def test_a_handler_that_sends_to_a_lost_peer_for_ever_lets_others_run(
    serve: Any, wire: Any
) -> None:
    turns = 0

    async def handler(request: Any, ws: WSProtocol) -> None:
        ws.shutdown()
        while turns < 10:
            with pytest.raises(ConnectionClosed):
                await ws.send("late")

    async def count() -> None:
        nonlocal turns
        while turns < 10:
            turns += 1
            await asyncio.sleep(0)

    site = await serve(handler)
    await site.raw()
    await wire.until(lambda: site.ws)
    await count()
    assert await site.ended() == [None]


async def test_a_send_cancelled_as_the_connection_ends_is_cancelled(serve: Any, wire: Any) -> None:
    async def handler(request: Any, ws: WSProtocol) -> None:
        await fill(ws)
        send = asyncio.ensure_future(ws.send("never"))
        await wire.until(lambda: ws._connection.outbox.waiting)
        send.cancel()
        ws._connection.give_up(20)
        with pytest.raises(asyncio.CancelledError):
            await send

    site = await serve(handler, compression=False, constants={"TIMEOUT": 0.1})
    raw = await site.raw()
    raw.reader._transport.pause_reading()
    assert await site.ended() == [None]
