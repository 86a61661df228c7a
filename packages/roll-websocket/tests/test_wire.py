"""The protocol without I/O: however the bytes are cut, the same comes of them."""

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from websockets.protocol import State

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
    """What comes of these chunks, holds and turns left out."""
    for chunk in chunks:
        if not wire.take(chunk):
            wire.receive_data(chunk)
        while wire.reader.held:
            wire.step()
    sent = b"".join(wire.data_to_send())
    end = None if wire.state is State.OPEN else wire.end()
    return list(wire.inbox.messages), wire.pongs, sent, end


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


def test_cut_at_every_offset_the_same_comes_of_it() -> None:
    whole = outcome(opened(), [GOOD])
    assert whole[0] == ["h\u00e9", b"\xff" * 126, "a\u00e9", ""]
    for offset in range(len(GOOD)):
        assert outcome(opened(), [GOOD[:offset], GOOD[offset:]]) == whole


def test_byte_by_byte_the_same_comes_of_it() -> None:
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
    """Whole frames take the short way; with one byte of the next, none does."""
    parts = [frame(*part) for part in frames]
    stream = b"".join(parts)
    edges = [0, *sorted(cut for cut in cuts if cut < len(stream)), len(stream)]
    chunks = [stream[start:end] for start, end in pairwise(edges)]
    slow = outcome(opened(), [bytes([byte]) for byte in stream])
    assert outcome(opened(), parts) == slow
    assert outcome(opened(), chunks) == slow


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
