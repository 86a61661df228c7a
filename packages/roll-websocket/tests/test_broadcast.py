"""Broadcasts: one message to many connections."""

import asyncio
import tracemalloc
import zlib
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest

from roll_websocket import ConnectionClosed, WSProtocol, broadcast

MIB = 2**20
TEXT, BINARY, PING, CLOSE = 0x81, 0x82, 0x89, 0x88


class Room:
    """A handler that keeps its connections, and receives."""

    def __init__(self) -> None:
        self.peers: set[WSProtocol] = set()

    async def __call__(self, request: Any, ws: WSProtocol) -> None:
        self.peers.add(ws)
        try:
            async for message in ws:
                broadcast(self.peers, message)
        finally:
            self.peers.discard(ws)


@pytest.fixture
def room() -> Room:
    return Room()


@pytest.mark.parametrize("offer", [[], ["Sec-WebSocket-Extensions: permessage-deflate"]])
async def test_all_frames_that_are_sent_are_counted(
    serve: Any, wire: Any, offer: list[str]
) -> None:
    seen: list[WSProtocol] = []

    async def handler(request: Any, ws: WSProtocol) -> None:
        seen.append(ws)
        await ws.send("x" * 10)
        await ws.send(pieces())
        broadcast([ws], b"x" * 200)
        await ws.pong(b"12345")

    async def pieces() -> AsyncIterator[str]:
        yield "a"
        yield "b"

    site = await serve(handler)
    raw = await site.raw(*offer)
    normal = b"\x03\xe8"
    got = await raw.reader.readuntil(b"\x88\x02" + normal)  # the close frame
    raw.send(wire.frame(0, normal, first=CLOSE))
    assert len(got) > 40
    assert seen[0].bytes_sent == len(got)
    assert WSProtocol(SimpleNamespace()).bytes_sent == 0  # type: ignore[arg-type]


@pytest.mark.parametrize("message", ["h\u00e9llo", b"\x00\xff", "", "x" * 200, b"x" * 70_000])
async def test_all_get_the_message(serve: Any, wire: Any, room: Room, message: Any) -> None:
    """Compressed with windows of different sizes, with a context or without, or not at all."""
    site = await serve(room)
    offers = [
        "permessage-deflate",
        "permessage-deflate; server_max_window_bits=9",
        "permessage-deflate; server_no_context_takeover",
        "permessage-deflate; client_max_window_bits; server_max_window_bits=15",
    ]
    clients = [
        await site.connect(compression=compression, max_size=None)
        for compression in (None, "deflate")
    ]
    raws = [await site.raw(f"Sec-WebSocket-Extensions: {offer}") for offer in offers]
    await wire.until(lambda: len(room.peers) == 6)
    for _ in range(3):
        broadcast(room.peers, message)
        for ws in room.peers:
            await ws.send("alone")
        for client in clients:
            assert [await client.recv(), await client.recv()] == [message, "alone"]
    sent = message.encode() if isinstance(message, str) else message
    for raw in raws:
        inflate = zlib.decompressobj(wbits=-15)
        for payload in (sent, b"alone") * 3:
            first, packed = await raw.frame()
            assert first & 0xF0 == 0xC0
            assert inflate.decompress(packed + b"\x00\x00\xff\xff") == payload


@pytest.mark.parametrize("data", [bytearray(b"abc"), memoryview(b"abc")])
async def test_bytes_like_objects_are_broadcast_as_binary(
    serve: Any, wire: Any, room: Room, data: Any
) -> None:
    raw = await (await serve(room)).raw()
    await wire.until(lambda: room.peers)
    broadcast(room.peers, data)
    assert await raw.frame() == (BINARY, b"abc")


async def test_a_mistake_sends_nothing(serve: Any, wire: Any, room: Room) -> None:
    raw = await (await serve(room)).raw()
    await wire.until(lambda: room.peers)
    with pytest.raises(TypeError, match="str or bytes, not dict"):
        broadcast(room.peers, {})  # type: ignore[arg-type]  # the mistake under test
    with pytest.raises(ValueError, match="'close' or 'drop', not 'wait'"):
        broadcast(room.peers, "never", slow="wait")  # type: ignore[arg-type]  # as above
    broadcast(iter(room.peers), "good")
    assert await raw.frame() == (TEXT, b"good")


async def test_connections_that_are_not_open_are_skipped(
    serve: Any, wire: Any, room: Room, log: pytest.LogCaptureFixture
) -> None:
    site = await serve(room)
    raws = [await site.raw() for _ in range(5)]
    await wire.until(lambda: len(site.ws) == 5)
    closing, aborted, lost, failing, healthy = site.ws
    closing.shutdown()
    aborted._connection.transport.abort()
    raws[2].reset()
    await wire.until(lost._connection.ending.gone.done)
    faulty: Any = SimpleNamespace(is_closing=lambda: False, write=None, abort=lambda: None)
    failing._connection.transport = failing._connection.outbox.transport = faulty
    unopened = WSProtocol(None)  # type: ignore[arg-type]  # of no request
    broadcast([closing, aborted, lost, failing, unopened, healthy], "hello")
    assert await raws[4].frame() == (TEXT, b"hello")
    assert [first for first, _ in [await raws[0].frame()]] == [CLOSE]
    assert len(log.records) == 1  # of the transport that failed


async def test_a_broadcast_keeps_its_place(serve: Any, wire: Any) -> None:
    async def handler(request: Any, ws: WSProtocol) -> None:
        sends = []
        for number in range(0, 300, 3):
            sends.append(asyncio.ensure_future(ws.send(f"{number}")))
            await asyncio.sleep(0)
            broadcast([ws], f"{number + 1}")
            sends.append(asyncio.ensure_future(ws.send(f"{number + 2}")))
            await asyncio.sleep(0)
        held.set()
        await asyncio.wait(sends)

    held = asyncio.Event()
    site = await serve(handler, compression=False, constants={"WRITE_LIMIT": 0})
    raw = await site.raw()
    await held.wait()
    assert [int((await raw.frame())[1]) for _ in range(300)] == list(range(300))


async def fill(ws: WSProtocol) -> int:
    """Broadcast until the peer, which does not read, has a backlog."""
    count = 0
    while not ws._connection.outbox.backlog:
        broadcast([ws], bytes(100_000))
        count += 1
        await asyncio.sleep(0)
    return count


@pytest.mark.parametrize("slow", ["close", "drop"])
async def test_a_peer_that_does_not_read_is_bounded(serve: Any, wire: Any, slow: Any) -> None:
    async def handler(request: Any, ws: WSProtocol) -> None:
        peers.append(ws)
        await ws.recv()

    peers: list[WSProtocol] = []
    site = await serve(handler, compression=False, constants={"TIMEOUT": 0.1})
    deaf, healthy = await site.raw(), await site.raw()
    deaf.reader._transport.pause_reading()
    await wire.until(lambda: len(peers) == 2)
    sent = await fill(peers[0])
    for number in range(100):
        broadcast(peers, b"%d" % number + bytes(100_000), slow=slow)
        assert peers[0]._connection.outbox.backlog <= MIB + 110_000
        assert int((await healthy.frame())[1].rstrip(b"\0")) == number
    assert broadcast(peers, b"last", slow=slow) == (slow == "drop")
    assert (await healthy.frame())[1] == b"last"
    if slow == "close":
        assert (peers[0].close_code, peers[0].closed) == (1013, True)
        await wire.until(peers[0]._connection.ending.gone.done)
        (error,) = await site.ended()
        assert isinstance(error, ConnectionClosed)
    else:
        assert not peers[0].closed
        deaf.reader._transport.resume_reading()
        for _ in range(sent):
            await deaf.frame()
        numbers = [int((await deaf.frame())[1].rstrip(b"\0")) for _ in range(10)]
        assert numbers == list(range(10))
        await wire.until(lambda: not peers[0]._connection.outbox.backlog)
        broadcast(peers, b"again")
        assert await deaf.frame() == (BINARY, b"again")
    assert not peers[1].closed


@pytest.mark.parametrize("message", ["", "x", "x" * 1000])
async def test_the_limit_is_one_of_memory(serve: Any, wire: Any, message: str) -> None:
    async def handler(request: Any, ws: WSProtocol) -> None:
        await fill(ws)
        tracemalloc.start()
        try:
            count = 0
            while not broadcast([ws], message, slow="drop"):
                count += 1
            taken.append(tracemalloc.get_traced_memory()[0])
            counts.append(count)
        finally:
            tracemalloc.stop()

    taken: list[int] = []
    counts: list[int] = []
    site = await serve(handler, compression=False, constants={"TIMEOUT": 0.1})
    raw = await site.raw()
    raw.reader._transport.pause_reading()
    assert await site.ended() == [None]
    assert counts[0] > 500
    assert MIB / 2 < taken[0] < MIB + MIB / 4


async def test_one_message_passes_the_limit(serve: Any, wire: Any) -> None:
    async def handler(request: Any, ws: WSProtocol) -> None:
        while not ws._connection.outbox.paused:
            await ws.send(bytes(100_000))
        broadcast([ws], bytes(4 * MIB))
        assert not ws.closed
        broadcast([ws], b"")
        assert ws.close_code == 1013

    site = await serve(handler, compression=False, constants={"TIMEOUT": 0.1})
    raw = await site.raw()
    raw.reader._transport.pause_reading()
    assert await site.ended() == [None]


async def test_peers_that_read_are_never_closed_however_busy_the_server(
    serve: Any, wire: Any, room: Room
) -> None:
    site = await serve(room)
    clients = [await site.raw() for _ in range(60)]
    await wire.until(lambda: len(room.peers) == 60)
    for client in clients:
        client.send(wire.frame(1, b"m" * 50) * 20)

    async def read(client: Any) -> int:
        for _ in range(60 * 20):
            assert await client.frame() == (TEXT, b"m" * 50)
        return 1

    assert sum(await asyncio.gather(*map(read, clients))) == 60
    assert len(room.peers) == 60


async def test_many_share_one_frame(serve: Any, wire: Any) -> None:
    async def handler(request: Any, ws: WSProtocol) -> None:
        peers.append(ws)
        await ws.recv()

    peers: list[WSProtocol] = []
    site = await serve(handler, compression=False)
    raws = [await site.raw() for _ in range(20)]
    for raw in raws:
        raw.reader._transport.pause_reading()
    await wire.until(lambda: len(peers) == 20)
    for ws in peers:
        await fill(ws)
    message = bytes(500_000)
    tracemalloc.start()
    try:
        broadcast(peers, message)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert all(ws._connection.outbox.backlog > 500_000 for ws in peers)
    assert peak < 3 * 500_000


@pytest.mark.parametrize("wrong", [["abc"], [(None, None)], [3], {"name": None}], ids=repr)
def test_broadcast_to_another_object_than_a_connection_is_a_type_error(wrong: Any) -> None:
    with pytest.raises(TypeError, match="Broadcast to connections, each a WSProtocol, not to"):
        broadcast(wrong, "x")


@pytest.mark.parametrize("connections", [None, 3, WSProtocol, object()])
def test_broadcast_to_a_value_that_is_not_iterable_is_an_error(connections: Any) -> None:
    with pytest.raises(TypeError, match="Broadcast to an iterable of connections, not to"):
        broadcast(connections, "hello")


@pytest.mark.parametrize("slow", [None, True, 1, ["close"], b"close", "CLOSE", {}])
def test_unknown_policy_for_slow_peers_is_an_error(slow: Any) -> None:
    with pytest.raises(ValueError, match="`slow` is 'close' or 'drop', not"):
        broadcast([], "hello", slow=slow)
