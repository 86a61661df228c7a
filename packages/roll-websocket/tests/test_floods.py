"""Peers that send more than handlers receive, or read less than is sent."""

import asyncio
import zlib
from typing import Any

import pytest

from roll_websocket import WSProtocol

MIB = 2**20


def held(ws: WSProtocol) -> int:
    """Bytes this connection holds in memory for both directions."""
    wire = ws._connection.wire
    waiting = sum(len(message) for message in wire.inbox.messages) + len(wire.fragments or b"")
    return waiting + len(wire.reader.buffer) + ws._connection.transport.get_write_buffer_size()


async def served(site: Any) -> None:
    """Another client gets its echo."""
    client = await site.connect()
    await client.send("me too")
    assert await client.recv() == "me too"
    await client.close()


def pausable(site: Any) -> Any:
    """The connection that is flooded."""
    return site.ws[0]


async def test_pings_of_a_client_that_does_not_read_are_not_processed(
    serve: Any, wire: Any
) -> None:
    site = await serve()
    raw = await site.raw()
    raw.reader._transport.pause_reading()
    count = 100_000
    raw.send(wire.frame(9, b"p" * 125) * count)
    await wire.until(lambda: site.ws and not pausable(site)._connection.intake.reading)
    assert held(pausable(site)) < MIB
    await served(site)
    raw.reader._transport.resume_reading()
    pong = b"\x8a\x7d" + b"p" * 125
    assert await raw.reader.readexactly(len(pong) * count) == pong * count


async def test_fragments_of_a_byte_leave_others_their_turn(serve: Any, wire: Any) -> None:
    site = await serve()
    raw = await site.raw()
    count = 30_000
    raw.send(wire.frame(2, b"x", first=0x02) + wire.frame(0, b"x", first=0x00) * count)
    await wire.until(lambda: site.ws and pausable(site)._connection.wire.fragments)
    await served(site)
    assert len(pausable(site)._connection.wire.fragments) < count
    raw.send(wire.frame(0, b"x"))
    assert await raw.frame() == (0x82, b"x" * (count + 2))


@pytest.mark.parametrize("size", [1, 1000, 70_000])
async def test_messages_are_not_read_while_no_task_receives(
    serve: Any, wire: Any, size: int
) -> None:
    async def handler(request: Any, ws: WSProtocol) -> None:
        if ws is site.ws[0]:
            await wanted.wait()
        async for message in ws:
            await ws.send(message)

    wanted = asyncio.Event()
    site = await serve(handler, compression=False)
    raw = await site.raw()
    count = 4 * MIB // (size + 100)
    raw.send(wire.frame(2, b"x" * size) * count)
    await wire.until(lambda: site.ws and not pausable(site)._connection.intake.reading)
    assert len(pausable(site)._connection.wire.inbox.messages) <= WSProtocol.MAX_QUEUE
    assert held(pausable(site)) < MIB
    await served(site)
    wanted.set()
    for _ in range(count):
        assert await raw.frame() == (0x82, b"x" * size)


async def test_messages_before_a_pong_are_bounded(serve: Any, wire: Any) -> None:
    """Four times as many wait while a pong is awaited, however many pings there are."""

    async def handler(request: Any, ws: WSProtocol) -> None:
        await ws.ping("one")
        await wire.until(lambda: not ws._connection.intake.reading)
        assert len(ws._connection.wire.inbox.messages) == 16
        pong = await ws.ping("two")
        for _ in range(8):
            await ws.recv()
        await pong
        assert not ws._connection.pings.waiters
        for _ in range(3):
            await ws.ping()
            await asyncio.sleep(0)
            assert len(ws._connection.wire.inbox.messages) == 16
        for _ in range(92):
            await ws.recv()

    site = await serve(handler, constants={"MAX_QUEUE": 4})
    raw = await site.raw()
    assert await raw.frame() == (0x89, b"one")
    raw.send(wire.frame(1, b"x") * 16 + wire.frame(10, b"two") + wire.frame(1, b"x") * 84)
    await wire.until(lambda: len(site.ws[0]._connection.wire.inbox.messages) == 16)
    raw.send(wire.frame(10))
    assert await raw.frame() == (0x89, b"two")
    assert await site.ended() == [None]


async def test_one_message_a_packet_is_held_too(serve: Any, wire: Any) -> None:
    async def handler(request: Any, ws: WSProtocol) -> None:
        await wanted.wait()
        async for message in ws:
            await ws.send(message)

    wanted = asyncio.Event()
    site = await serve(handler, constants={"MAX_QUEUE": 4})
    raw = await site.raw()
    await wire.until(lambda: site.ws)
    ws = pausable(site)
    for number in range(4):
        raw.send(wire.frame(1, b"%d" % number))
        await wire.until(lambda count=number + 1: len(ws._connection.wire.inbox.messages) == count)
    assert ws._connection.intake.reading
    raw.send(wire.frame(1, b"4"))
    await wire.until(lambda: not ws._connection.intake.reading)
    wanted.set()
    assert [(await raw.frame())[1] for _ in range(5)] == [b"0", b"1", b"2", b"3", b"4"]
    raw.send(wire.frame(1, b"5"))
    assert await raw.frame() == (0x81, b"5")


@pytest.mark.parametrize("constants", [{"MAX_QUEUE": 0}, {"READ_LIMIT": 0}])
async def test_no_room_is_room_for_one_message(
    serve: Any, wire: Any, constants: dict[str, Any]
) -> None:
    site = await serve(constants=constants)
    raw = await site.raw()
    raw.send(wire.frame(1, b"one") + wire.frame(1, b"two"))
    assert [(await raw.frame())[1] for _ in range(2)] == [b"one", b"two"]


async def test_few_bytes_that_inflate_are_inflated_one_at_a_time(serve: Any, wire: Any) -> None:
    async def handler(request: Any, ws: WSProtocol) -> None:
        await wanted.wait()
        for _ in range(50):
            assert len(await ws.recv()) == MIB
            assert held(ws) < 2 * MIB

    wanted = asyncio.Event()
    site = await serve(handler)
    raw = await site.raw(
        "Sec-WebSocket-Extensions: permessage-deflate; client_no_context_takeover"
    )
    packer = zlib.compressobj(wbits=-15)
    bomb = (packer.compress(bytes(MIB)) + packer.flush(zlib.Z_SYNC_FLUSH))[:-4]
    raw.send(wire.frame(2, bomb, first=0xC2) * 50)
    await wire.until(lambda: site.ws and pausable(site)._connection.wire.inbox.messages)
    assert len(pausable(site)._connection.wire.inbox.messages) == 1
    wanted.set()
    assert await raw.close_code() == 1000


async def test_send_waits_for_a_client_that_does_not_read(serve: Any, wire: Any) -> None:
    sent = 0

    async def handler(request: Any, ws: WSProtocol) -> None:
        nonlocal sent
        if ws is not site.ws[0]:
            await ws.send(await ws.recv())
            return
        for _ in range(3000):
            await ws.send(bytes(10_000))
            sent += 1

    site = await serve(handler, compression=False)
    raw = await site.raw()
    raw.reader._transport.pause_reading()
    await wire.until(lambda: site.ws and pausable(site)._connection.outbox.paused)
    before = sent
    assert held(pausable(site)) < MIB
    await served(site)
    assert sent == before < 3000
    raw.reader._transport.resume_reading()
    for _ in range(3000):
        assert await raw.frame() == (0x82, bytes(10_000))


async def test_senders_side_by_side_all_wait(serve: Any, wire: Any) -> None:
    async def handler(request: Any, ws: WSProtocol) -> None:
        async def send(number: int) -> None:
            for _ in range(100):
                await ws.send(bytes([number]) * 10_000)

        await asyncio.gather(*(send(number) for number in range(20)))

    site = await serve(handler, compression=False)
    raw = await site.raw()
    raw.reader._transport.pause_reading()
    await wire.until(lambda: site.ws and pausable(site)._connection.outbox.paused)
    assert held(pausable(site)) < MIB
    raw.reader._transport.resume_reading()
    frames = [await raw.frame() for _ in range(2000)]
    assert {len(payload) for _, payload in frames} == {10_000}


async def test_close_after_a_flood_is_found_once_the_handler_closes(serve: Any, wire: Any) -> None:
    async def handler(request: Any, ws: WSProtocol) -> None:
        await wire.until(lambda: not ws._connection.intake.reading)
        await ws.close(4000)

    site = await serve(handler, constants={"TIMEOUT": 1000})
    raw = await site.raw()
    raw.send(wire.frame(1, b"x") * 60_000 + wire.frame(8, b"\x03\xe8"))
    assert await raw.close_code() == 4000
    assert await raw.rest() == b""
    assert await site.ended() == [None]


async def test_protocol_error_after_a_flood_ends_the_connection(serve: Any, wire: Any) -> None:
    site = await serve()
    raw = await site.raw()
    raw.send(wire.frame(1, b"x") * 1000 + wire.frame(1, b"x", masked=False) * 1000)
    assert await raw.close_code() == 1002
    assert await raw.rest() == b""


async def test_a_turn_that_finds_the_peer_not_reading_is_left_for_later(
    serve: Any, wire: Any
) -> None:
    async def handler(request: Any, ws: WSProtocol) -> None:
        ws.pause_writing()
        ws.resume_writing()
        ws.pause_writing()
        await asyncio.sleep(0)
        assert ws._connection.wire.reader.held
        ws.resume_writing()
        await ws.send(await ws.recv())

    raw = await (await serve(handler)).raw()
    raw.send(wire.frame(1, b"later"))
    assert await raw.frame() == (0x81, b"later")


async def test_a_peer_that_reads_on_and_off_fills_no_queue(serve: Any, wire: Any) -> None:
    async def handler(request: Any, ws: WSProtocol) -> None:
        await wire.until(lambda: ws._connection.wire.inbox.full)
        for _ in range(50):
            ws.pause_writing()
            ws.resume_writing()
            await asyncio.sleep(0)
        assert len(ws._connection.wire.inbox.messages) == 4
        for _ in range(100):
            assert await ws.recv() == "x"

    site = await serve(handler, constants={"MAX_QUEUE": 4})
    raw = await site.raw()
    raw.send(wire.frame(1, b"x") * 100)
    assert await site.ended() == [None]
