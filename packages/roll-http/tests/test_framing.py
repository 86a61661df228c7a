"""Where bodies end."""

from __future__ import annotations

import pytest

from roll_http.framing import SLICE, ChunkedFraming, LengthFraming
from roll_http.head import BadRequest

AFTER = b"GET / HTTP/1.1\r\n\r\n"
CHUNKED = b"3;a=b\r\nabc\r\n4\r\n\r\n\r\n\r\n0\r\nTrailer: v\r\n\r\n"


def feed_cut(framing, pieces):
    """The body, and what is left once it is complete."""
    body, rest = b"", b""
    for piece in pieces:
        data, offset = rest + piece, 0
        while offset < len(data) and not framing.complete:
            chunk, offset = framing.feed(data, offset)
            body += chunk
        rest = data[offset:]
    return body, rest


def cuts(data):
    for size in range(1, len(data) + 1):
        yield [data[i : i + size] for i in range(0, len(data), size)]
    for at in range(len(data)):
        yield [data[:at], data[at:]]


def test_a_chunked_body_ends_at_the_same_byte_however_it_is_cut():
    for pieces in cuts(CHUNKED + AFTER):
        framing = ChunkedFraming(100)
        assert feed_cut(framing, pieces) == (b"abc\r\n\r\n", AFTER)
        assert framing.complete


def test_a_measured_body_ends_at_the_same_byte_however_it_is_cut():
    for pieces in cuts(b"abcdef" + AFTER):
        framing = LengthFraming(6)
        assert feed_cut(framing, pieces) == (b"abcdef", AFTER)
        assert framing.remaining == 0


def test_a_measured_body_says_what_remains():
    framing = LengthFraming(10)
    assert framing.feed(b"--abc", 2) == (b"abc", 5)
    assert framing.remaining == 7
    assert not framing.complete


def test_a_long_feed_is_taken_in_slices():
    framing = ChunkedFraming(100)
    data = b"%x\r\n%b\r\n0\r\n\r\n" % (3 * SLICE, b"a" * 3 * SLICE)
    first, offset = framing.feed(data, 0)
    assert offset == SLICE
    body, rest = feed_cut(framing, [data[offset:]])
    assert first + body == b"a" * 3 * SLICE
    assert rest == b""


@pytest.mark.parametrize(
    "data",
    [
        b"x\r\n",
        b"3 \r\nabc\r\n",
        b"0x3\r\nabc\r\n",
        b"-3\r\nabc\r\n",
        b"3\nabc\n",
        b"3\r\nabcd\r\n",
        b"3\r\nabc0\r\n\r\n",
        b"ffffffffffffffffff\r\n",
        b"0\r\n bad\r\n\r\n",
        b"0\r\nBad\x00: v\r\n\r\n",
    ],
)
def test_loose_chunks_are_refused(data):
    with pytest.raises(BadRequest) as caught:
        feed_cut(ChunkedFraming(1000), [data])
    assert caught.value.status == 400


def test_extensions_and_trailers_are_bounded_and_small_chunks_are_not():
    with pytest.raises(BadRequest, match="too large"):
        feed_cut(ChunkedFraming(100), [b"3;" + b"a" * 200])
    with pytest.raises(BadRequest, match="too large"):
        feed_cut(ChunkedFraming(100), [b"0\r\nA: " + b"a" * 200])
    body, _ = feed_cut(ChunkedFraming(100), [b"1\r\na\r\n" * 1000 + b"0\r\n\r\n"])
    assert body == b"a" * 1000
