"""Crafted bytes cost time and memory in proportion to their number.

Times are those of the processor, and compared with one another; the bounds
of seconds and bytes are far above what is measured, and below what superlinear growth takes.
"""

import asyncio
import time
import tracemalloc
import zlib
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from websockets.protocol import State

from roll_websocket import HandshakeError, Listener, WSProtocol
from roll_websocket.deflate import Deflate
from roll_websocket.inflate import TAIL, Inflate
from roll_websocket.opening import Opening
from roll_websocket.wire import Wire

KIB = 1024
MIB = 1024 * KIB

# Seconds of the processor: for a head of 64 KiB, and for 128 KiB of frames.
HEAD = 0.2
FRAMES = 1.0


def seconds(run: Callable[[], object]) -> float:
    """Of the processor."""
    start = time.process_time()
    run()
    return time.process_time() - start


def grows_in_proportion(
    run: Callable[[int], Callable[[], object]], size: int, most: float
) -> None:
    """At `size`, 4 and 16 times as much, which takes `most` seconds at the most."""
    calls = [run(size * factor) for factor in (1, 4, 16)]
    times = [seconds(call) for call in calls]
    for _ in range(3):
        if is_proportional(times):
            break
        # A busy machine lengthens some of the times, and shortens none.
        times = [min(before, seconds(call)) for before, call in zip(times, calls, strict=True)]
    assert is_proportional(times), times
    assert times[-1] <= most


def is_proportional(times: list[float]) -> bool:
    """Twice the proportion at most, and what the clock does not tell."""
    small, middle, large = times
    return middle <= 8 * small + 0.01 and large <= 8 * middle + 0.01


GOOD = {
    "HOST": "localhost",
    "CONNECTION": "upgrade",
    "UPGRADE": "websocket",
    "SEC-WEBSOCKET-VERSION": "13",
    "SEC-WEBSOCKET-KEY": "dGhlIHNhbXBsZSBub25jZQ==",
}
FIELDS = [
    *GOOD,
    "ORIGIN",
    "SEC-WEBSOCKET-EXTENSIONS",
    "SEC-WEBSOCKET-PROTOCOL",
    "CONTENT-LENGTH",
    "TRANSFER-ENCODING",
]
# The separators of these fields, what they quote and escape with, and whole members.
FILLINGS = [
    *',;="\\ \t:/.%[]A',
    "\xe9",
    "\udcff",
    "\x7f",
    ", ",
    "; ",
    '\\"',
    'a;b="\\a"',
    "a,",
    "a;b=c,",
    'a;b="c";',
    "permessage-deflate,",
    "permessage-deflate; client_max_window_bits, ",
    "permessage-deflate; server_max_window_bits=8,",
    "chat,",
    "https://",
]
AROUND = [("", ""), ("permessage-deflate", ""), ('a;b="', '"'), ('a;b="', ""), ("a", "!\x00")]


def handshake(field: str, value: str) -> int:
    request: Any = SimpleNamespace(method="GET", version="1.1", headers=GOOD | {field: value})
    try:
        WSProtocol(request).handshake(origins=["https://a.example"], subprotocols=["z"])
    except HandshakeError as error:
        return error.status
    return 101


@pytest.mark.parametrize("field", FIELDS)
def test_a_field_full_of_its_separators(field: str, log: pytest.LogCaptureFixture) -> None:
    def run(size: int) -> Callable[[], object]:
        values = [
            before + filling * (size // len(filling)) + after
            for filling in FILLINGS
            for before, after in AROUND
        ]
        return lambda: statuses.update(handshake(field, value) for value in values)

    statuses: set[int] = set()
    grows_in_proportion(run, 4 * KIB, HEAD * len(FILLINGS) * len(AROUND))
    assert statuses <= {101, 400, 403, 426, 501}
    assert log.records == []


class Sink:
    """A transport that takes what is written."""

    def __init__(self) -> None:
        self.closed = False

    def __getattr__(self, name: str) -> Any:
        return lambda *args: None

    def is_closing(self) -> bool:
        return self.closed

    def can_write_eof(self) -> bool:
        return True


@pytest.mark.parametrize("line", [b"X: a\r\n", b"Cookie: " + b"a, " * 200 + b"\r\n", b": \r\n"])
@pytest.mark.parametrize("cut", [1, 100, 2**16])
async def test_a_head_of_many_lines(wire: Any, line: bytes, cut: int) -> None:
    def run(size: int) -> Callable[[], object]:
        data = wire.head()[:-2] + line * (size // len(line))
        return lambda: feed(data)

    def feed(data: bytes) -> None:
        opening: Any = Opening(Listener(wire.echo))
        opening.connection_made(Sink())
        for start in range(0, len(data), cut):
            opening.data_received(data[start : start + cut])
        opening.leave()

    grows_in_proportion(run, 4 * KIB, HEAD)


def frame(first: int, payload: bytes = b"") -> bytes:
    size = len(payload)
    if size < 126:
        return bytes([first, 0x80 | size]) + bytes(4) + payload
    return bytes([first, 0xFE]) + size.to_bytes(2) + bytes(4) + payload


def packed(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-12)
    return (packer.compress(data) + packer.flush(zlib.Z_SYNC_FLUSH))[:-4]


ENDED = zlib.compressobj(wbits=-12).flush(zlib.Z_FINISH)
ZEROS = packed(bytes(MIB))

# A frame that begins, and one that is repeated.
REPEATED = {
    "empty fragments": (frame(0x01), frame(0x00)),
    "fragments of a byte": (frame(0x02, b"x"), frame(0x00, b"x")),
    "text cut in its characters": (frame(0x01), frame(0x00, b"\xc3") + frame(0x00, b"\xa9")),
    "empty messages": (b"", frame(0x82)),
    "messages of a byte": (b"", frame(0x81, b"x")),
    "fragmented messages": (b"", frame(0x01, b"x") + frame(0x80, b"x")),
    "pings": (b"", frame(0x89)),
    "pings in a message": (frame(0x01), frame(0x89, b"p" * 125)),
    "pongs": (b"", frame(0x8A, b"p")),
    "empty compressed fragments": (frame(0x41), frame(0x00)),
    "compressed messages": (b"", frame(0xC1, packed(b"x"))),
    "compressed fragments of a byte": (frame(0x42), b"".join(frame(0, b"\0") for _ in range(5))),
    "ended streams in fragments": (frame(0x42, ENDED), frame(0x00, ENDED)),
    "too many ended streams in one frame": (b"", frame(0xC2, ENDED * 20_000)),
    "ended streams in one frame": (b"", frame(0xC2, ENDED * 1000 + b"\0")),
}


def receive(data: bytes, cut: int) -> Wire:
    """All that comes, taken as soon as it is there."""
    wire = Wire(max_size=MIB, compression=False, origins=None, subprotocols=())
    wire.extensions = [Deflate(False, False, 12, 12, {})]
    wire.inbox.most, wire.inbox.limit = 64, 64 * KIB
    for start in range(0, len(data), cut):
        chunk = data[start : start + cut]
        if not wire.take(chunk):
            wire.receive_data(chunk)
        take(wire)
        while wire.held and wire.state is State.OPEN:
            wire.step()
            take(wire)
    return wire


def take(wire: Wire) -> None:
    while wire.inbox.messages:
        wire.inbox.pop()
    wire.pongs.clear()
    wire.data_to_send()


@pytest.mark.parametrize("cut", [7, 256 * KIB])
@pytest.mark.parametrize("kind", REPEATED)
def test_frames_without_end(kind: str, cut: int) -> None:
    first, repeated = REPEATED[kind]

    def run(size: int) -> Callable[[], object]:
        data = first + repeated * max(size // len(repeated), 1)
        return lambda: receive(data, cut)

    grows_in_proportion(run, 8 * KIB, FRAMES)


@pytest.mark.parametrize("kind", REPEATED)
def test_frames_take_the_memory_of_their_bytes(kind: str) -> None:
    first, repeated = REPEATED[kind]
    data = first + repeated * (64 * KIB // len(repeated))
    tracemalloc.start()
    try:
        receive(data, 64 * KIB)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak <= 2 * len(data) + 300 * KIB


def test_inflating_takes_the_memory_of_one_message() -> None:
    data = frame(0xC2, ZEROS) * 20
    tracemalloc.start()
    try:
        receive(data, 64 * KIB)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak <= 4 * MIB


class Counter(Inflate):
    """Counts the bytes of content, and the ends of streams."""

    content = ends = 0

    def inflate(self, data: Any, limit: int | None) -> tuple[bytes, bytes]:
        content, rest = super().inflate(data, limit)
        self.content += len(content)
        self.ends += self.stream is None
        return content, rest


FRAME_OF_ENDS = frame(0xC2, ENDED * 1000 + b"\0")
TURNS = {
    "messages": frame(0xC2, ZEROS) * 200,
    "messages of 64 KiB": frame(0xC2, packed(bytes(64 * KIB))) * 200,
    "fragments": frame(0x42) + frame(0x00, packed(bytes(4 * KIB)) + TAIL) * 200,
    "streams that end": FRAME_OF_ENDS * 200,
    "streams that end in fragments": frame(0x42) + frame(0x00, ENDED * 1000) * 200,
}


@pytest.mark.parametrize("kind", TURNS)
def test_a_turn_has_the_work_of_a_few_frames_whatever_they_inflate_to(kind: str) -> None:
    """Before, 64 frames of 1 KiB inflated to 64 MiB in one turn, even if nothing was read."""
    wire = Wire(max_size=MIB, compression=False, origins=None, subprotocols=())
    deflate = Deflate(False, False, 12, 12, {})
    counter = deflate.inflate = Counter(12)
    wire.extensions = [deflate]
    wire.inbox.most, wire.inbox.limit = 10**6, 10**9
    counter.content = counter.ends = 0
    wire.receive_data(TURNS[kind])
    turns = 1
    while wire.held:
        assert counter.content <= MIB + MIB // 4
        assert counter.ends <= 2100
        counter.content = counter.ends = 0
        wire.step()
        turns += 1
    assert wire.state is State.OPEN
    assert turns > 3


@pytest.mark.parametrize("awaited", [False, True])
async def test_fragments_that_inflate_end_at_the_limit(awaited: bool) -> None:
    """They are refused, where a `recv` waits; else they wait, as a stream takes them in pieces."""
    wire = Wire(max_size=MIB, compression=False, origins=None, subprotocols=())
    wire.extensions = [Deflate(False, False, 12, 12, {})]
    wire.inbox.most, wire.inbox.limit = 64, 64 * KIB
    if awaited:
        wire.inbox.receiver = asyncio.get_running_loop().create_future()
    tracemalloc.start()
    try:
        wire.receive_data(frame(0x42, ZEROS + TAIL) + frame(0x00, ZEROS + TAIL) * 100)
        while wire.held and not wire.stalled:
            wire.step()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak <= 6 * MIB
    assert wire.state is (State.CLOSING if awaited else State.OPEN)
    if awaited:
        assert wire.end().code == 1009
    else:
        assert wire.stalled
