"""The protocol without I/O: results do not depend on how the bytes are cut."""

import random
import zlib
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from websockets.datastructures import Headers
from websockets.http11 import Request
from websockets.protocol import State

from roll_websocket.inbox import Piece
from roll_websocket.wire import Wire

KEY = b"\x37\xfa\x21\x3d"


def frame(first: int, payload: bytes, mask: bool = True) -> bytes:
    size = len(payload)
    flag = 0x80 if mask else 0
    if size < 126:
        head = bytes([first, flag | size])
    elif size < 65536:
        head = bytes([first, flag | 126]) + size.to_bytes(2)
    else:
        head = bytes([first, flag | 127]) + size.to_bytes(8)
    if not mask:
        return head + payload
    return head + KEY + bytes(byte ^ KEY[index % 4] for index, byte in enumerate(payload))


def opened(**options: Any) -> Wire:
    wire = Wire(
        **({"max_size": 300, "compression": False, "origins": None, "subprotocols": ()} | options)
    )
    wire.inbox.most = wire.inbox.limit = 10**6
    return wire


def outcome(wire: Wire, chunks: list[bytes]) -> tuple[Any, ...]:
    """Return the results of these chunks, without holds and turns."""
    for chunk in chunks:
        if not wire.take(chunk):
            wire.receive_data(chunk)
        while wire.reader.held:
            wire.step()
    sent = b"".join(wire.data_to_send())
    end = None if wire.state is State.OPEN else wire.end()
    return list(map(shown, wire.inbox.messages)), wire.pongs, sent, end


def shown(message: str | bytes | Piece) -> Any:
    """A message, or the data of a piece and whether it is the last one."""
    return (message.data, message.last) if isinstance(message, Piece) else message


GOOD = (
    frame(0x81, "h\u00e9".encode())
    + frame(0x82, b"\xff" * 126)
    + frame(0x01, b"a\xc3")
    + frame(0x89, b"ping")
    + frame(0x80, b"\xa9")
    + frame(0x8A, b"pong")
    + frame(0x81, b"")
    + frame(0x88, b"\x03\xe8bye")
    + frame(0x81, b"late")
)


def test_result_does_not_depend_on_where_bytes_are_cut() -> None:
    whole = outcome(opened(), [GOOD])
    assert whole[0] == ["h\u00e9", b"\xff" * 126, "a\u00e9", ""]
    for offset in range(len(GOOD)):
        assert outcome(opened(), [GOOD[:offset], GOOD[offset:]]) == whole


def test_result_is_the_same_byte_by_byte() -> None:
    assert outcome(opened(), [bytes([byte]) for byte in GOOD]) == outcome(opened(), [GOOD])


KINDS = st.sampled_from([0x81, 0x82, 0x01, 0x02, 0x00, 0x80, 0x89, 0x8A, 0x88, 0xC1, 0x83])
PAYLOADS = st.one_of(
    st.binary(max_size=10),
    st.text(max_size=10).map(str.encode),
    st.integers(120, 310).map(lambda size: b"x" * size),
)
FRAMES = st.lists(st.tuples(KINDS, PAYLOADS, st.integers(0, 19).map(bool)), max_size=6)


@settings(max_examples=100, deadline=None)
@given(frames=FRAMES, cuts=st.lists(st.integers(0, 400), max_size=4), packed=st.booleans())
def test_the_short_way_is_the_layer_s_way(frames: Any, cuts: list[int], packed: bool) -> None:
    """Whole frames take the fast path, but not with one byte of the next frame."""
    parts = [frame(*part) for part in frames]
    stream = b"".join(parts)
    edges = [0, *sorted(cut for cut in cuts if cut < len(stream)), len(stream)]
    chunks = [stream[start:end] for start, end in pairwise(edges)]
    slow = outcome(opened(), [bytes([byte]) for byte in stream])
    assert outcome(opened(), parts) == slow
    assert outcome(opened(), chunks) == slow


SHORT_LENGTHS = [(126, length) for length in (0, 5, 125, 126, 65535)]
LONG_LENGTHS = [(127, length) for length in (0, 5, 125, 126, 65535, 65536, 1 << 63)]


@pytest.mark.parametrize(("form", "length"), SHORT_LENGTHS + LONG_LENGTHS)
def test_extended_length_has_the_same_result_however_it_is_cut(form: int, length: int) -> None:
    payload = bytes(length % (1 << 63))
    head = bytes([0x82, 0x80 | form]) + length.to_bytes(2 if form == 126 else 8)
    data = head + KEY + payload
    whole = outcome(opened(max_size=1 << 17), [data])
    assert (whole[3] is None) == (126 <= length < 65536 if form == 126 else length == 65536)
    for offset in range(16):
        assert outcome(opened(max_size=1 << 17), [data[:offset], data[offset:]]) == whole
    single = [bytes([byte]) for byte in data[:20]]
    assert outcome(opened(max_size=1 << 17), [*single, data[20:]]) == whole


@settings(max_examples=100, deadline=None)
@given(data=st.binary(max_size=40))
def test_any_bytes_end_in_a_known_state(data: bytes) -> None:
    messages, _, _, end = outcome(opened(), [data])
    assert end is None or end.code in {1000, 1002, 1005, 1007, 1009} or 1000 < end.code < 5000
    assert all(isinstance(message, str | bytes) for message in messages)


@pytest.mark.parametrize("data", [b"", b"\x81", b"\x81\x80", b"\x81\x80\0\0\0", b"\x81\xfe\0\x7e"])
def test_a_frame_not_yet_whole_is_awaited(data: bytes) -> None:
    assert outcome(opened(), [data]) == ([], [], b"", None)


def test_a_step_after_the_end_does_nothing() -> None:
    wire = opened()
    wire.receive_eof()
    assert wire.state is State.CLOSED
    wire.step()
    assert wire.end().code == 1006


class Deflated:
    """A client with permessage-deflate."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire

    def send(self, *payloads: bytes, first: int = 0xC1) -> tuple[Any, ...]:
        """Messages of one frame each."""
        return outcome(self.wire, [frame(first, payload) for payload in payloads])


def deflated(offer: str = "permessage-deflate", **options: Any) -> Deflated:
    headers = Headers(
        {
            "Connection": "Upgrade",
            "Upgrade": "websocket",
            "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Extensions": offer,
        }
    )
    wire = opened(compression=True, **options)
    assert wire.accept(Request("/", headers)).status_code == 101
    return Deflated(wire)


def pack(data: bytes, flush: int = zlib.Z_SYNC_FLUSH, memory: int = 8) -> bytes:
    packer = zlib.compressobj(wbits=-15, memLevel=memory)
    packed = packer.compress(data) + packer.flush(flush)
    return packed + b"\0" if flush == zlib.Z_FINISH else packed[:-4]


LAST_BLOCK = bytes.fromhex("f348cdc9c9070000")  # RFC 7692 7.2.3.4
OFFERS = ["permessage-deflate", "permessage-deflate; client_no_context_takeover"]


@pytest.mark.parametrize("offer", OFFERS)
def test_a_stream_may_end_with_a_message(offer: str) -> None:
    client = deflated(offer)
    messages, _, _, end = client.send(
        LAST_BLOCK, pack(b"second"), pack(b"third", zlib.Z_FINISH), pack(b"fourth")
    )
    assert (messages, end) == (["Hello", "second", "third", "fourth"], None)


@pytest.mark.parametrize("offer", OFFERS)
def test_a_stream_may_end_within_a_message(offer: str) -> None:
    client = deflated(offer)
    ended = pack(b"one, ", zlib.Z_FINISH)[:-1]
    messages, _, _, end = client.send(ended + pack(b"two"), pack(b"three"))
    assert (messages, end) == (["one, two", "three"], None)


def test_a_stream_may_end_with_a_fragment() -> None:
    ended = pack(b"one, ", zlib.Z_FINISH)[:-1]
    chunks = [frame(0x41, ended), frame(0x00, ended), frame(0x80, pack(b"two"))]
    messages, _, _, end = outcome(deflated().wire, chunks)
    assert (messages, end) == (["one, one, two"], None)


def raw(data: bytes, flush: int, window: bytes = b"", strategy: int = 0) -> bytes:
    """DEFLATE data that may refer to `window`."""
    packer = zlib.compressobj(wbits=-12, strategy=strategy, zdict=window)
    return packer.compress(data) + packer.flush(flush)


EMPTY_LAST = b"\x03\x00"
STORED_LAST = b"\x01\x05\x00\xfa\xffHello"
TEXT = b"a sentence that is long enough to be referred to, "


@pytest.mark.parametrize("offer", OFFERS)
@pytest.mark.parametrize(
    ("payload", "message"),
    [
        (b"\x00", ""),
        (b"\x02\x00", ""),
        (EMPTY_LAST + b"\x00", ""),
        (EMPTY_LAST * 1024 + b"\x00", ""),
        (b"\x00\x00\x00\xff\xff" * 300 + b"\x00", ""),
        (b"\x00\x05\x00\xfa\xffHello\x00", "Hello"),
        (STORED_LAST + b"\x00", "Hello"),
        (STORED_LAST * 100 + b"\x00", "Hello" * 100),
        (STORED_LAST + EMPTY_LAST * 2 + STORED_LAST + b"\x00", "HelloHello"),
        (STORED_LAST + pack(b", you"), "Hello, you"),
        (bytes.fromhex("f248050000 00ffffcac9c90700"), "Hello"),  # RFC 7692 7.2.3.5
        (raw(b"one ", zlib.Z_FULL_FLUSH) + raw(b"two", zlib.Z_FINISH) + b"\x00", "one two"),
        (raw(TEXT, zlib.Z_FINISH) + raw(TEXT, zlib.Z_FINISH, TEXT) + b"\x00", "TEXTTEXT"),
        (raw(TEXT, zlib.Z_FINISH, b"", zlib.Z_FIXED) + b"\x00", "TEXT"),
        (raw(TEXT, zlib.Z_FINISH, b"", zlib.Z_HUFFMAN_ONLY) + b"\x00", "TEXT"),
        (raw(TEXT, zlib.Z_FINISH), "TEXT"),  # Without the block that should follow.
    ],
)
@pytest.mark.parametrize("cut", [False, True])
def test_a_message_may_have_blocks_of_any_kind(
    offer: str, payload: bytes, message: str, cut: bool
) -> None:
    """RFC 7692 7.2.3; also in fragments of one byte, and with further messages after it."""
    message = message.replace("TEXT", TEXT.decode())
    chunks = [frame(0xC1, payload)]
    if cut:
        chunks = [frame(0x41, b""), *(frame(0, payload[i : i + 1]) for i in range(len(payload)))]
        chunks.append(frame(0x80, b""))
    following = frame(0xC1, pack(b"next")) + frame(0xC1, STORED_LAST + b"\x00")
    messages, _, _, end = outcome(deflated(offer, max_size=10**4).wire, [*chunks, following] * 2)
    assert (messages, end) == ([message, "next", "Hello"] * 2, None)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.text(max_size=20), st.booleans()), max_size=20))
def test_window_continues_after_a_block_with_bfinal(texts: list[tuple[str, bool]]) -> None:
    """A sender may mark any block as the last one and continue."""
    packer = zlib.compressobj(wbits=-12, strategy=zlib.Z_FIXED)
    payloads = []
    for text, last in texts:
        packed = packer.compress(text.encode() * 2) + packer.flush(zlib.Z_SYNC_FLUSH)
        payload = bytes([packed[0] | 1]) + packed[1:] if last and text else packed
        payloads.append(payload[:-4])
    messages, _, _, end = deflated().send(*payloads)
    assert (messages, end) == ([text * 2 for text, _ in texts], None)


def test_window_continues_after_megabytes() -> None:
    data = random.Random(1).randbytes(100_000)
    client = deflated(max_size=10**6)
    messages, _, _, end = client.send(
        raw(data, zlib.Z_FINISH) + b"\x00",
        raw(data[-4000:], zlib.Z_FINISH, data[-4096:]) + b"\x00",
        raw(b"x", zlib.Z_FINISH, data[-4000:])
        + raw(data[-4000:], zlib.Z_FINISH, data[-4000:] + b"x")
        + b"\x00",
        first=0xC2,
    )
    assert (messages, end) == ([data, data[-4000:], b"x" + data[-4000:]], None)


def test_without_a_context_a_message_refers_to_no_other() -> None:
    referring = raw(TEXT, zlib.Z_FINISH, TEXT) + b"\x00"
    messages, _, _, end = deflated(OFFERS[1]).send(raw(TEXT, zlib.Z_FINISH) + b"\x00", referring)
    assert (messages, end.code) == ([TEXT.decode()], 1002)


@pytest.mark.parametrize(
    "payload",
    [
        b"\x07\x00",  # Of the type that does not exist.
        STORED_LAST + b"\x07\x00",
        b"\x00\x05\x00\xfa\xfeHello\x00",  # Its length is not what its complement says.
        EMPTY_LAST * 1025 + b"\x00",
    ],
)
@pytest.mark.parametrize("offer", OFFERS)
def test_malformed_blocks_are_refused(offer: str, payload: bytes) -> None:
    messages, _, _, end = deflated(offer, max_size=10**4).send(payload, pack(b"next"))
    assert (messages, end.code) == ([], 1002)


def test_invalid_text_is_refused_after_a_block_with_bfinal() -> None:
    payload = raw(b"a\xc3", zlib.Z_FINISH) + raw(b"a", zlib.Z_FINISH) + b"\x00"
    messages, _, _, end = deflated().send(payload)
    assert (messages, end.code) == ([], 1007)


@pytest.mark.parametrize("size", [300, 301])
def test_the_limit_is_that_of_all_streams_of_a_message(size: int) -> None:
    payload = raw(b"x" * 200, zlib.Z_FINISH) + EMPTY_LAST + raw(b"x" * (size - 200), zlib.Z_FINISH)
    messages, _, _, end = deflated().send(payload + b"\x00")
    assert (messages, end and end.code) == ((["x" * 300], None) if size == 300 else ([], 1009))


def test_uncompressed_messages_pass() -> None:
    chunks = [
        frame(0x81, b"plain"),
        frame(0x01, b"in "),
        frame(0x89, b"ping"),
        frame(0x80, b"parts"),
        frame(0xC1, pack(b"packed")),
    ]
    messages, _, _, end = outcome(deflated().wire, chunks)
    assert (messages, end) == (["plain", "in parts", "packed"], None)


@pytest.mark.parametrize(
    "chunks",
    [
        [frame(0xC1, b"\xff" * 20)],
        [frame(0x41, pack(b"x")), frame(0xC0, pack(b"x"))],
        [frame(0x01, b"x"), frame(0xC0, b"x")],
    ],
    ids=["garbage", "marked fragment", "marked fragment of a plain message"],
)
def test_bad_compression_is_refused(chunks: list[bytes]) -> None:
    messages, _, _, end = outcome(deflated().wire, chunks)
    assert (messages, end.code) == ([], 1002)


PAYLOADS = [b"", pack(b"x"), pack(b"x", zlib.Z_FINISH), b"\xff" * 20, b"\xc3"]
ANY_FRAMES = [
    frame(fin | rsv | opcode, payload)
    for fin in (0x80, 0)
    for rsv in (0, 0x40, 0x20)
    for opcode in (0x0, 0x1, 0x2, 0x3, 0x8, 0x9, 0xA)
    for payload in PAYLOADS
]


def ends_known(wire: Wire, chunks: list[bytes]) -> bool:
    """Check that frames are accepted or refused, without an internal failure."""
    end = outcome(wire, chunks)[-1]
    return end is None or end.code in {1000, 1002, 1005, 1007, 1009}


MANY_OFFERS = [
    *OFFERS,
    "permessage-deflate; server_no_context_takeover",
    "permessage-deflate; client_max_window_bits=8",
]


@pytest.mark.parametrize("offer", MANY_OFFERS)
def test_any_frame_may_follow_a_whole_message(offer: str, log: pytest.LogCaptureFixture) -> None:
    """With a context that is kept or not, and a decoder that is there or not."""
    for first in (frame(0xC1, pack(b"x")), frame(0x81, b"x"), frame(0x41, pack(b"x"))):
        for second in ANY_FRAMES:
            assert ends_known(deflated(offer).wire, [first, second])
    assert log.records == []


@settings(max_examples=500)
@given(st.sampled_from(MANY_OFFERS), st.lists(st.sampled_from(ANY_FRAMES), max_size=8))
def test_any_frames_are_accepted_or_refused(offer: str, chunks: list[bytes]) -> None:
    assert ends_known(deflated(offer).wire, chunks)


def test_a_continuation_of_nothing_is_refused(log: pytest.LogCaptureFixture) -> None:
    client = deflated("permessage-deflate; client_no_context_takeover")
    messages, _, _, end = outcome(client.wire, [frame(0xC1, pack(b"x")), frame(0x80, b"y")])
    assert (messages, end.code) == (["x"], 1002)
    assert log.records == []


def test_a_limit_may_be_larger_than_the_machine() -> None:
    messages, _, _, end = deflated(max_size=2**70).send(pack(b"x" * 1000))
    assert (messages, end) == (["x" * 1000], None)


@pytest.mark.parametrize("flush", [zlib.Z_SYNC_FLUSH, zlib.Z_FINISH])
@pytest.mark.parametrize("limit", [300, 70_000])
@pytest.mark.parametrize("memory", [1, 5, 8])
def test_a_message_of_the_limit_may_have_grown_by_its_compression(
    flush: int, limit: int, memory: int
) -> None:
    data = random.Random(1).randbytes(limit)
    client = deflated(max_size=limit)
    messages, _, _, end = client.send(
        pack(data, flush, memory), pack(data[1:], flush, memory), first=0xC2
    )
    assert (messages, end) == ([data, data[1:]], None)
    messages, _, _, end = client.send(pack(data + b"x", flush, memory), first=0xC2)
    assert (len(messages), end.code) == (2, 1009)


@pytest.mark.parametrize("flush", [zlib.Z_SYNC_FLUSH, zlib.Z_FINISH])
def test_a_message_over_the_limit_is_refused_without_inflating_it(flush: int) -> None:
    messages, _, _, end = deflated().send(pack(bytes(10**7), flush))
    assert (messages, end.code) == ([], 1009)


AFTER_CLOSE = {
    "messages": frame(0xC1, pack(b"x" * 200)) * 100,
    "fragments": frame(0x41, pack(b"x")) + frame(0x00, pack(b"y")) * 300 + frame(0x80, b""),
    "too large": frame(0xC1, pack(b"x" * 10**5)),
    "fragments that are not compressed": frame(0x01, b"x" * 299) + frame(0x00, b"y" * 299) * 300,
    "malformed": frame(0xC1, b"\xff" * 20),
    "not UTF-8": frame(0x81, b"\xff") + frame(0xC1, pack(b"\xff")),
    "ended streams": frame(0xC1, b"\x03\x00" * 5) * 100,
}


@pytest.mark.parametrize("begun", [b"", frame(0x41, pack(b"x"))])
@pytest.mark.parametrize("kind", AFTER_CLOSE)
def test_messages_after_the_own_close_are_dropped_unread(kind: str, begun: bytes) -> None:
    """Before, they were inflated first: one connection kept the processor busy."""
    wire = deflated().wire
    assert outcome(wire, [frame(0xC1, pack(b"first")) + begun])[0] == ["first"]
    wire.send_close(1000, "bye")
    wire.data_to_send()
    data = AFTER_CLOSE[kind]
    if begun:
        data = frame(0x80, b"") + data
    close = frame(0x88, b"\x0f\xa0")
    messages, _, sent, end = outcome(wire, [data, frame(0x89, b"ping"), close])
    assert messages == ["first"]
    assert sent == frame(0x8A, b"ping", mask=False)
    assert (end.code, wire.close_rcvd and wire.close_rcvd.code) == (1000, 4000)
    assert wire.deflate is not None
    assert not wire.deflate.inflate.window


def test_without_a_limit_all_is_inflated() -> None:
    messages, _, _, end = deflated(max_size=None).send(pack(b"x" * 10**6))
    assert (messages, end) == (["x" * 10**6], None)


def test_empty_fragment_is_not_yielded_as_a_piece() -> None:
    wire = opened()
    wire.begin_stream()
    for chunk in (frame(0x01, b"\xc3"), frame(0x00, b""), frame(0x00, b"\xa9"), frame(0x80, b"")):
        wire.receive_data(chunk)
    pieces = [wire.inbox.pop() for _ in range(2)]
    assert [(piece.data, piece.last) for piece in pieces] == [("\u00e9", False), ("", True)]  # type: ignore[union-attr]  # pieces, all of them
    assert not wire.inbox.messages
