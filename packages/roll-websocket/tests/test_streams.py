"""Messages in pieces, both ways."""

import asyncio
import tracemalloc
import zlib
from typing import Any

import pytest

from roll_websocket import ConnectionClosed, WSProtocol, broadcast

KIB, MIB = 2**10, 2**20
TEXT, BINARY, CONT, END, PING, CLOSE = 0x01, 0x02, 0x00, 0x80, 0x89, 0x88
DEFLATE = "Sec-WebSocket-Extensions: permessage-deflate"


async def pieces(ws: WSProtocol) -> list[Any]:
    return [piece async for piece in ws.stream()]


class Reading:
    """A handler that keeps what it read, by `read(ws)`, until the end."""

    def __init__(self, read: Any, count: int = 1) -> None:
        self.read = read
        self.count = count
        self.got: list[Any] = []
        self.begun = asyncio.Event()

    async def __call__(self, request: Any, ws: WSProtocol) -> None:
        self.begun.set()
        for _ in range(self.count):
            self.got.append(await self.read(ws))


def packing(wire: Any) -> Any:
    """Frames of compressed messages; the others are `wire.frame(0, data, first=first)`."""
    packer = zlib.compressobj(wbits=-12)

    def packed(first: int, payload: bytes) -> bytes:
        first |= 0x40 if first & 0x0F else 0
        payload = packer.compress(payload) + packer.flush(zlib.Z_SYNC_FLUSH)
        return bytes(wire.frame(0, payload[:-4] if first & 0x80 else payload, first=first))

    return packed


@pytest.mark.parametrize("compressed", [False, True])
async def test_each_frame_is_a_piece(serve: Any, wire: Any, compressed: bool) -> None:
    handler = Reading(pieces, 4)
    site = await serve(handler)
    raw = await site.raw(*([DEFLATE] if compressed else []))
    packed = packing(wire) if compressed else lambda first, data: wire.frame(0, data, first=first)
    raw.send(packed(TEXT, b"one ") + packed(CONT, b"t\xc3") + packed(CONT, b"\xa9o"))
    await wire.until(lambda: site.ws)
    raw.send(packed(END, b" three"))
    raw.send(packed(0x82, b"whole"))
    raw.send(packed(BINARY, b"a") + packed(CONT, b"") + wire.frame(9) + packed(END, b""))
    raw.send(packed(0x81, b""))
    assert await site.ended() == [None]
    assert handler.got == [["one ", "t", "\u00e9o", " three"], [b"whole"], [b"a"], [""]]


async def test_a_message_of_any_length_passes_in_pieces(serve: Any, wire: Any) -> None:
    """The limit is that of each piece, and the memory is bounded."""

    async def read(ws: WSProtocol) -> int:
        size = 0
        async for piece in ws.stream():
            size += len(piece)
            waiting = ws._connection.wire.inbox.size + len(ws._connection.wire.reader.buffer)
            assert waiting < MIB
        return size

    handler = Reading(read)
    site = await serve(handler, max_size=100 * KIB)
    raw = await site.raw()
    raw.send(wire.frame(0, bytes(50 * KIB), first=BINARY))
    for _ in range(200):
        raw.send(wire.frame(0, bytes(50 * KIB), first=CONT))
        await raw.writer.drain()
    raw.send(wire.frame(0, b"", first=END))
    assert await site.ended() == [None]
    assert handler.got == [201 * 50 * KIB]


async def test_a_piece_over_the_limit_is_refused(serve: Any, wire: Any) -> None:
    site = await serve(Reading(pieces), max_size=100)
    raw = await site.raw()
    raw.send(wire.frame(0, bytes(100), first=BINARY) + wire.frame(0, bytes(101), first=CONT))
    assert await raw.close_code() == 1009
    (error,) = await site.ended()
    assert isinstance(error, ConnectionClosed)


async def test_text_in_pieces_must_be_text(serve: Any, wire: Any) -> None:
    site = await serve(Reading(pieces))
    raw = await site.raw()
    raw.send(wire.frame(0, b"a\xc3", first=TEXT) + wire.frame(0, b"a", first=CONT))
    assert await raw.close_code() == 1007


@pytest.mark.parametrize("text", [False, True])
async def test_bytes_received_before_the_stream_are_its_first_piece(
    serve: Any, wire: Any, text: bool
) -> None:
    """A handler may be late: a long message without a receiver is not read completely."""

    async def read(ws: WSProtocol) -> list[Any]:
        wire_ = ws._connection.wire
        await wire.until(lambda: not ws._connection.intake.reading)
        assert 64 * KIB <= len(wire_.fragments or b"") < 80 * KIB
        return await pieces(ws)

    handler = Reading(read)
    site = await serve(handler)
    raw = await site.raw()
    raw.send(wire.frame(0, b"a\xc3", first=TEXT if text else BINARY))
    raw.send(wire.frame(0, b"\xa9" + b"x" * 1000 + b"\xc3", first=CONT) * 2000)
    raw.send(wire.frame(0, b"\xa9", first=END))
    assert await site.ended() == [None]
    (got,) = handler.got
    expected = b"a\xc3" + (b"\xa9" + b"x" * 1000 + b"\xc3") * 2000 + b"\xa9"
    assert (expected.decode() if text else expected) == ("" if text else b"").join(got)
    assert len(got[0]) > 60 * KIB
    assert len(got) > 1000


async def test_a_late_recv_gets_the_whole_message(serve: Any, wire: Any) -> None:
    async def read(ws: WSProtocol) -> int:
        await wire.until(lambda: not ws._connection.intake.reading)
        return len(await ws.recv())

    handler = Reading(read)
    site = await serve(handler)
    raw = await site.raw()
    raw.send(wire.frame(0, b"x", first=TEXT) + wire.frame(0, bytes(1000), first=CONT) * 500)
    raw.send(wire.frame(0, b"x", first=END))
    assert await site.ended() == [None]
    assert handler.got == [500_002]


async def test_close_after_half_a_message_is_found(serve: Any, wire: Any) -> None:
    async def handler(request: Any, ws: WSProtocol) -> None:
        await wire.until(lambda: not ws._connection.intake.reading)

    site = await serve(handler, constants={"TIMEOUT": 1000})
    raw = await site.raw()
    raw.send(wire.frame(0, b"x", first=TEXT) + wire.frame(0, bytes(1000), first=CONT) * 500)
    raw.send(wire.frame(8, b"\x03\xe8"))
    assert await raw.close_code() == 1000
    assert await raw.rest() == b""


async def cancelled(coroutine: Any) -> None:
    """Begin to wait, and give up."""
    waiting = asyncio.ensure_future(coroutine)
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait([waiting])


@pytest.mark.parametrize("text", [False, True])
@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize(("limit", "size"), [(1000, 900), (200 * KIB, 100 * KIB)])
@pytest.mark.parametrize("when", ["early", "late", "behind another", "after a recv"])
@pytest.mark.parametrize("how", ["stream", "recv"])
async def test_the_limit_does_not_depend_on_when_a_message_is_asked_for(
    serve: Any, wire: Any, how: str, when: str, limit: int, size: int, compressed: bool, text: bool
) -> None:
    """In pieces it may have any length, as a whole it is refused."""

    async def read(ws: WSProtocol) -> Any:
        if when == "after a recv":
            await cancelled(ws.recv())
        asked.set()
        if when != "early":
            await wire.until(lambda: ws._connection.wire.stalled)
        if when == "behind another":
            assert await ws.recv() == "before"
        if how == "stream":
            got = [piece async for piece in ws.stream()]
            assert max(map(len, got)) <= limit
            return ("" if text else b"").join(got)
        return await ws.recv()

    asked = asyncio.Event()
    handler = Reading(read)
    site = await serve(handler, max_size=limit)
    raw = await site.raw(*([DEFLATE] if compressed else []))
    packed = packing(wire) if compressed else lambda first, data: wire.frame(0, data, first=first)
    await asked.wait()
    count = 10 if size > KIB else 200
    line = b"\r\n" * (size // 2)
    if when == "behind another":
        raw.send(wire.frame(1, b"before"))
    raw.send(packed(TEXT if text else BINARY, line))
    for _ in range(count):
        raw.send(packed(CONT, line))
    raw.send(packed(END, b""))
    if how == "recv":
        assert await raw.close_code() == 1009
        assert (await site.ended())[0].code == 1009
    else:
        assert await site.ended() == [None]
        expected = line * (count + 1)
        assert handler.got == [expected.decode() if text else expected]


@pytest.mark.parametrize("ended", [False, True])
@pytest.mark.parametrize("text", [False, True])
@pytest.mark.parametrize("over", [False, True])
async def test_late_recv_refuses_a_message_over_max_size_at_once(
    serve: Any, wire: Any, ended: bool, text: bool, over: bool
) -> None:
    """Also if the message has not ended: the client may send nothing more."""

    async def read(ws: WSProtocol) -> Any:
        assert await ws.recv() == "before"
        await come.wait()
        return await ws.recv()

    come = asyncio.Event()
    handler = Reading(read)
    site = await serve(handler, max_size=100)
    raw = await site.raw()
    raw.send(wire.frame(1, b"before") + wire.frame(0, b"x" * 60, first=TEXT if text else BINARY))
    raw.send(wire.frame(0, b"x" * (41 if over else 40), first=END if ended else CONT))
    raw.send(wire.frame(9, b"all has come"))
    assert await raw.frame() == (0x8A, b"all has come")
    come.set()
    if not (ended or over):
        raw.send(wire.frame(0, b"", first=END))
    if over:
        assert await raw.close_code() == 1009
        assert (await site.ended())[0].code == 1009
    else:
        assert await site.ended() == [None]
        assert handler.got == ["x" * 100 if text else b"x" * 100]


async def test_the_rest_of_a_refused_message_is_not_received(serve: Any, wire: Any) -> None:
    async def handler(request: Any, ws: WSProtocol) -> None:
        await wire.until(lambda: len(ws._connection.wire.inbox.messages) > 5)
        for _ in range(2):
            with pytest.raises(ConnectionClosed, match="1009"):
                await ws.recv()

    site = await serve(handler, max_size=100)
    raw = await site.raw()
    raw.send(wire.frame(0, b"x" * 60, first=TEXT) + wire.frame(0, b"y" * 60, first=CONT) * 5)
    raw.send(wire.frame(0, b"z", first=END) + wire.frame(1, b"next"))
    assert await raw.close_code() == 1009
    assert await site.ended() == [None]


async def test_a_limit_of_text_is_one_of_bytes(serve: Any, wire: Any) -> None:
    """Also of what a stream had begun."""

    async def read(ws: WSProtocol) -> Any:
        await cancelled(anext(ws.stream()))
        asked.set()
        return await ws.recv()

    asked = asyncio.Event()
    site = await serve(Reading(read), max_size=100)
    raw = await site.raw()
    await asked.wait()
    raw.send(wire.frame(0, "\u00e9".encode() * 50, first=TEXT) + wire.frame(0, b"x", first=END))
    assert await raw.close_code() == 1009


async def test_pieces_take_no_more_memory_than_a_message(serve: Any, wire: Any) -> None:
    """Each byte may come as a frame."""

    async def read(ws: WSProtocol) -> int:
        await cancelled(anext(ws.stream()))
        asked.set()
        tracemalloc.start()
        try:
            return len(await ws.recv()) + tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    asked = asyncio.Event()
    handler = Reading(read)
    site = await serve(handler)
    raw = await site.raw()
    await asked.wait()
    raw.send(wire.frame(0, b"x", first=BINARY))
    raw.send(wire.frame(0, b"x", first=CONT) * 20_000)
    raw.send(wire.frame(0, b"", first=END))
    assert await site.ended() == [None]
    assert handler.got[0] < MIB


@pytest.mark.parametrize("next_is", ["recv", "stream"])
async def test_unread_pieces_of_a_message_are_skipped(serve: Any, wire: Any, next_is: str) -> None:
    async def read(ws: WSProtocol) -> Any:
        stream = ws.stream()
        first = await anext(stream)
        second = await ws.recv() if next_is == "recv" else await pieces(ws)
        with pytest.raises(StopAsyncIteration):
            await anext(stream)
        return first, second

    handler = Reading(read, 2)
    site = await serve(handler)
    raw = await site.raw()
    left = wire.frame(0, b"first", first=TEXT) + wire.frame(0, b"left", first=CONT) * 1000
    raw.send(left + wire.frame(0, b"left", first=END) + wire.frame(1, b"second"))
    await wire.until(lambda: handler.got)
    raw.send(wire.frame(1, b"first") + wire.frame(1, b"second"))
    assert await site.ended() == [None]
    second = "second" if next_is == "recv" else ["second"]
    assert handler.got == [("first", second)] * 2


@pytest.mark.parametrize("then", ["recv", "stream", "the same"])
async def test_a_cancelled_stream_loses_nothing(serve: Any, wire: Any, then: str) -> None:
    async def read(ws: WSProtocol) -> Any:
        stream = ws.stream()
        waiting = asyncio.ensure_future(anext(stream))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        cancelled.set()
        await wire.until(lambda: len(ws._connection.wire.inbox.messages) == 2)
        if then == "recv":
            waiting = asyncio.ensure_future(ws.recv())
            await asyncio.sleep(0)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            come.set()
            return await ws.recv()
        come.set()
        return "".join([piece async for piece in (ws.stream() if then == "stream" else stream)])

    cancelled, come = asyncio.Event(), asyncio.Event()
    handler = Reading(read)
    site = await serve(handler)
    raw = await site.raw()
    await cancelled.wait()
    raw.send(wire.frame(0, b"one ", first=TEXT) + wire.frame(0, b"two ", first=CONT))
    await come.wait()
    raw.send(wire.frame(0, b"three", first=END))
    assert await site.ended() == [None]
    assert handler.got == ["one two three"]


@pytest.mark.parametrize("binary", [False, True])
async def test_pieces_are_put_together_up_to_the_limit(
    serve: Any, wire: Any, binary: bool
) -> None:
    async def read(ws: WSProtocol) -> Any:
        waiting = asyncio.ensure_future(anext(ws.stream()))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait([waiting])
        cancelled.set()
        return await ws.recv()

    cancelled = asyncio.Event()
    handler = Reading(read, 2)
    site = await serve(handler, max_size=100)
    raw = await site.raw()
    first = BINARY if binary else TEXT
    for end in (50, 51):
        await cancelled.wait()
        cancelled.clear()
        raw.send(wire.frame(0, b"x" * 50, first=first) + wire.frame(0, b"x" * end, first=END))
    assert await raw.close_code() == 1009
    await site.ended()
    assert handler.got == [b"x" * 100 if binary else "x" * 100]


async def test_the_end_of_a_connection_ends_a_stream(serve: Any, wire: Any) -> None:
    site = await serve(Reading(pieces))
    raw = await site.raw()
    raw.send(wire.frame(0, b"half", first=TEXT) + wire.frame(8, b"\x03\xe8"))
    (error,) = await site.ended()
    assert error.code == 1000
    raw = await site.raw()
    raw.send(wire.frame(8, b"\x03\xe8"))
    assert (await site.ended(2))[1].code == 1000


# What is sent.


async def each(*parts: Any) -> Any:
    for part in parts:
        yield part


@pytest.mark.parametrize("compression", [False, True])
@pytest.mark.parametrize(
    ("parts", "message"),
    [
        (["one", "", "tw\u00f6"], "onetw\u00f6"),
        ([b"a", bytearray(b"b"), memoryview(b"c")], b"abc"),
        (["x" * 100_000] * 5, "x" * 500_000),
        ([""], ""),
        (["p"] * 500, "p" * 500),
    ],
)
async def test_an_iterator_is_one_message(
    serve: Any, parts: list[Any], message: Any, compression: bool
) -> None:
    async def handler(request: Any, ws: WSProtocol) -> None:
        await ws.send(each(*parts))
        await ws.send("next")
        await ws.send(each())
        await ws.send("last")

    client = await (await serve(handler, compression=compression)).connect()
    assert [await client.recv() for _ in range(3)] == [message, "next", "last"]


async def test_each_part_is_a_frame(serve: Any) -> None:
    async def handler(request: Any, ws: WSProtocol) -> None:
        await ws.send(each("one", "two"))

    raw = await (await serve(handler)).raw()
    frames = [await raw.frame() for _ in range(3)]
    assert frames == [(TEXT, b"one"), (CONT, b"two"), (END, b"")]


@pytest.mark.parametrize("full", [False, True])
async def test_messages_wait_for_the_end_of_a_message_in_pieces(
    serve: Any, wire: Any, full: bool
) -> None:
    """Control frames do not."""

    async def slowly() -> Any:
        yield "one"
        begun.set()
        await go_on.wait()
        yield "two"

    async def handler(request: Any, ws: WSProtocol) -> None:
        outbox = ws._connection.outbox
        if full:
            while not outbox.paused:
                sent.append(await ws.send(bytes(100_000)))
        calls = [ws.send("first"), ws.send(slowly())]
        tasks = [asyncio.ensure_future(call) for call in calls]
        await asyncio.sleep(0)
        filled.set()
        await begun.wait()
        calls = [ws.send("third"), ws.send(each("a", "b")), ws.ping("now"), ws.send("fifth")]
        tasks += [asyncio.ensure_future(call) for call in calls]
        await asyncio.sleep(0)
        broadcast([ws], "sixth")
        tasks.append(asyncio.ensure_future(ws.send("never")))
        await asyncio.sleep(0)
        tasks[-1].cancel()
        await wire.until(lambda: outbox.held and len(outbox.held) == 4)
        go_on.set()
        await asyncio.wait(tasks)
        await ws.send("seventh")

    begun, go_on, filled = asyncio.Event(), asyncio.Event(), asyncio.Event()
    sent: list[None] = []
    site = await serve(handler, compression=False)
    raw = await site.raw()
    raw.reader._transport.pause_reading()
    await filled.wait()
    raw.reader._transport.resume_reading()
    frames = [await raw.frame() for _ in range(len(sent) + 12)][len(sent) :]
    assert frames.pop(2) == (PING, b"now")
    assert frames == [
        (0x81, b"first"),
        (TEXT, b"one"),
        (CONT, b"two"),
        (END, b""),
        (0x81, b"third"),
        (TEXT, b"a"),
        (CONT, b"b"),
        (END, b""),
        (0x81, b"fifth"),
        (0x81, b"sixth"),
        (0x81, b"seventh"),
    ]


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("parts", [["a", "b"], []])
@pytest.mark.parametrize("end", ["whole", "fails", "cancelled"])
async def test_a_message_in_pieces_has_the_place_of_its_call(
    serve: Any, wire: Any, full: bool, parts: list[str], end: str
) -> None:
    """Whatever its iterator waits for before the first piece."""

    async def late() -> Any:
        begun.set()
        await go_on.wait()
        if end == "fails":
            raise ValueError("nothing to send")
        for part in parts:
            yield part

    async def handler(request: Any, ws: WSProtocol) -> None:
        outbox = ws._connection.outbox
        if full:
            while not outbox.paused:
                sent.append(await ws.send(bytes(100_000)))
        filled.set()
        tasks = [asyncio.ensure_future(ws.send(late()))]
        await asyncio.sleep(0)
        tasks += [asyncio.ensure_future(ws.send(text)) for text in ("later", "latest")]
        await begun.wait()
        await (await ws.ping())
        if end == "cancelled":
            tasks[0].cancel()
        go_on.set()
        found = await asyncio.gather(*tasks, return_exceptions=True)
        failed.extend(type(error) for error in found if error is not None)

    begun, go_on, filled = asyncio.Event(), asyncio.Event(), asyncio.Event()
    sent: list[None] = []
    failed: list[type] = []
    site = await serve(handler, compression=False)
    client = await site.connect(max_size=None)
    await filled.wait()
    texts = [text async for text in client if isinstance(text, str)]
    message = ["".join(parts)] if parts and end == "whole" else []
    assert texts == [*message, "later", "latest"]
    errors = {"whole": [], "fails": [ValueError], "cancelled": [asyncio.CancelledError]}
    assert failed == errors[end]


async def test_a_message_in_pieces_that_is_cancelled_in_its_queue_is_never_begun(
    serve: Any,
) -> None:
    async def late() -> Any:
        await go_on.wait()
        yield "first"

    async def never() -> Any:
        asked.append(True)
        yield "never"

    async def handler(request: Any, ws: WSProtocol) -> None:
        calls = [ws.send(late()), ws.send(never()), ws.send("last")]
        tasks = [asyncio.ensure_future(call) for call in calls]
        await asyncio.sleep(0)
        tasks[1].cancel()
        await asyncio.sleep(0)
        go_on.set()
        await asyncio.wait(tasks)

    go_on = asyncio.Event()
    asked: list[bool] = []
    client = await (await serve(handler)).connect()
    assert [text async for text in client] == ["first", "last"]
    assert not asked


async def test_pieces_may_send_a_message_before_the_first_of_them_only(serve: Any) -> None:
    """A later one would wait for the end of its own message."""

    async def parts(ws: WSProtocol) -> Any:
        await ws.send("before")
        with pytest.raises(RuntimeError, match="cannot send another message"):
            await ws.send(each("nested"))
        yield "first"
        with pytest.raises(RuntimeError, match="cannot send another message"):
            await ws.send("within")
        yield "last"

    async def handler(request: Any, ws: WSProtocol) -> None:
        await ws.send(parts(ws))
        await ws.send("after")

    client = await (await serve(handler)).connect()
    assert [text async for text in client] == ["before", "firstlast", "after"]


async def test_a_reader_that_is_slow_slows_the_iterator(serve: Any, wire: Any) -> None:
    count = 0

    async def parts() -> Any:
        nonlocal count
        while count < 200:
            count += 1
            yield bytes(100_000)

    async def handler(request: Any, ws: WSProtocol) -> None:
        if ws is site.ws[0]:
            await ws.send(parts())

    site = await serve(handler, compression=False)
    raw = await site.raw()
    raw.reader._transport.pause_reading()
    await wire.until(lambda: site.ws and site.ws[0]._connection.outbox.waiting)
    before = count
    await (await site.connect()).wait_closed()
    assert count == before < 200
    raw.reader._transport.resume_reading()
    frames = [await raw.frame() for _ in range(201)]
    assert sum(len(payload) for _, payload in frames) == 200 * 100_000
    assert [first for first, _ in frames] == [BINARY] + [CONT] * 199 + [END]


@pytest.mark.parametrize("how", ["raises", "mixed", "cancelled"])
async def test_a_message_that_cannot_end_ends_the_connection(
    serve: Any, wire: Any, how: str
) -> None:
    """It must not be taken for a whole one; others that wait are not sent in the middle of it."""
    closed: list[str] = []

    async def parts() -> Any:
        try:
            yield "half"
            if how == "raises":
                raise KeyError("oops")
            if how == "mixed":
                yield b"bytes"
            await asyncio.Event().wait()
        finally:
            closed.append(how)

    async def handler(request: Any, ws: WSProtocol) -> None:
        sending = asyncio.ensure_future(ws.send(parts()))
        await asyncio.sleep(0)
        waiting = asyncio.ensure_future(ws.send("after"))
        await asyncio.sleep(0)
        if how == "cancelled":
            sending.cancel()
        await asyncio.wait([sending, waiting])
        if how != "cancelled":
            assert isinstance(sending.exception(), KeyError if how == "raises" else TypeError)
        assert isinstance(waiting.exception(), ConnectionClosed)
        assert closed == [how]

    site = await serve(handler)
    raw = await site.raw()
    assert await raw.frame() == (TEXT, b"half")
    assert await raw.close_code() == 1011
    raw.writer.close()
    assert await site.ended() == [None]


@pytest.mark.parametrize("part", [1, None])
async def test_a_part_of_another_type_at_first_sends_nothing(serve: Any, part: Any) -> None:
    async def handler(request: Any, ws: WSProtocol) -> None:
        with pytest.raises(TypeError, match="str or bytes"):
            await ws.send(each(part))
        await ws.send("still open")

    client = await (await serve(handler)).connect()
    assert await client.recv() == "still open"


async def test_an_iterator_ends_with_its_connection(serve: Any, wire: Any) -> None:
    async def parts() -> Any:
        while True:
            yield bytes(100_000)

    class Bare:
        """An iterator without `aclose`."""

        def __init__(self) -> None:
            self.parts = parts()

        def __aiter__(self) -> Any:
            return self

        async def __anext__(self) -> Any:
            return await anext(self.parts)

    async def handler(request: Any, ws: WSProtocol) -> None:
        await ws.send(Bare())

    site = await serve(handler, compression=False)
    raw = await site.raw()
    raw.reader._transport.pause_reading()
    await wire.until(lambda: site.ws and site.ws[0]._connection.outbox.paused)
    raw.reset()
    (error,) = await site.ended()
    assert isinstance(error, ConnectionClosed)


async def test_a_peer_that_closes_ends_the_iterator(serve: Any, wire: Any) -> None:
    async def parts(ws: WSProtocol) -> Any:
        yield "half"
        await wire.until(lambda: ws.closed)
        yield "other half"

    async def handler(request: Any, ws: WSProtocol) -> None:
        await ws.send(parts(ws))

    site = await serve(handler)
    raw = await site.raw()
    assert await raw.frame() == (TEXT, b"half")
    raw.send(wire.frame(8, b"\x0f\xa0"))
    assert await raw.rest() == b"\x88\x02\x0f\xa0"
    (error,) = await site.ended()
    assert error.code == 4000
