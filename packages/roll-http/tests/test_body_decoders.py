"""The end of bodies: by length, and chunked."""

from __future__ import annotations

import httptools
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from roll_http.h1.body_decoders import FEED_SIZE, ChunkedDecoder, LengthDecoder
from roll_http.h1.head import RequestError

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
        framing = ChunkedDecoder(100)
        assert feed_cut(framing, pieces) == (b"abc\r\n\r\n", AFTER)
        assert framing.complete


def test_a_body_with_a_length_ends_at_the_same_byte_however_it_is_cut():
    for pieces in cuts(b"abcdef" + AFTER):
        framing = LengthDecoder(6)
        assert feed_cut(framing, pieces) == (b"abcdef", AFTER)
        assert framing.remaining == 0


def test_a_body_with_a_length_knows_how_much_remains():
    framing = LengthDecoder(10)
    assert framing.feed(b"--abc", 2) == (b"abc", 5)
    assert framing.remaining == 7
    assert not framing.complete


def test_long_input_is_decoded_in_pieces():
    framing = ChunkedDecoder(100)
    data = b"%x\r\n%b\r\n0\r\n\r\n" % (3 * FEED_SIZE, b"a" * 3 * FEED_SIZE)
    first, offset = framing.feed(data, 0)
    assert offset == FEED_SIZE
    body, rest = feed_cut(framing, [data[offset:]])
    assert first + body == b"a" * 3 * FEED_SIZE
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
def test_malformed_chunks_are_refused(data):
    with pytest.raises(RequestError) as caught:
        feed_cut(ChunkedDecoder(1000), [data])
    assert caught.value.status == 400


@pytest.mark.parametrize(
    "before", [b" ;a=b", b"; a=b", b";a =b", b";a= b", b";a=b ", b" ", b"\t;a"]
)
def test_white_space_in_a_chunk_extension_is_refused(before):
    with pytest.raises(RequestError, match="Malformed chunked body"):
        ChunkedDecoder(100).feed(b"1" + before + b"\r\na\r\n0\r\n\r\n", 0)


@pytest.mark.parametrize("extension", [b";a=b", b';a="x y"', b";a", b";a=b;c"])
def test_chunk_extension_is_dropped(extension):
    decoder = ChunkedDecoder(100)
    assert decoder.feed(b"1" + extension + b"\r\na\r\n0\r\n\r\n", 0)[0] == b"a"
    assert decoder.complete


def test_extensions_and_trailers_are_limited_but_small_chunks_are_not():
    with pytest.raises(RequestError, match="too large"):
        feed_cut(ChunkedDecoder(100), [b"3;" + b"a" * 200])
    with pytest.raises(RequestError, match="too large"):
        feed_cut(ChunkedDecoder(100), [b"0\r\nA: " + b"a" * 200])
    body, _ = feed_cut(ChunkedDecoder(100), [b"1\r\na\r\n" * 1000 + b"0\r\n\r\n"])
    assert body == b"a" * 1000


def test_chunks_without_extensions_need_no_allowance():
    message = b"00a\r\n0123456789\r\n0\r\n\r\n"
    for pieces in cuts(message + AFTER):
        assert feed_cut(ChunkedDecoder(0), pieces) == (b"0123456789", AFTER)


def test_a_chunk_full_of_line_ends_is_data():
    data = b"\r\n\r\n" * 20_000 + b"\r\n0\r\n\r\n"
    message = b"%x\r\n%b\r\n0\r\n\r\n" % (len(data), data)
    for size in (1000, FEED_SIZE, len(message)):
        pieces = [message[at : at + size] for at in range(0, len(message), size)]
        assert feed_cut(ChunkedDecoder(100), [*pieces, AFTER]) == (data, AFTER)


def test_unused_bytes_of_short_size_lines_do_not_add_up_for_trailers():
    framing = ChunkedDecoder(100)
    feed_cut(framing, [b"1\r\na\r\n" * 10_000])
    with pytest.raises(RequestError, match="too large"):
        feed_cut(framing, [b"0\r\nA: " + b"a" * 20_000] * 3)


class Reference:
    """httptools fed a byte at a time: it says where a message ends."""

    def __init__(self):
        self.body = b""
        self.ended = False
        self.parser = httptools.HttpRequestParser(self)
        self.parser.feed_data(b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n")

    def on_body(self, data):
        self.body += data

    def on_message_complete(self):
        self.ended = True

    def read(self, data):
        for at in range(len(data)):
            try:
                self.parser.feed_data(data[at : at + 1])
            except httptools.HttpParserError:
                return "refused"
            if self.ended:
                return self.body, data[at + 1 :]
        return self.body, None


def read_cut(data, pieces):
    framing = ChunkedDecoder(10_000)
    try:
        body, rest = feed_cut(framing, pieces)
    except RequestError:
        return "refused"
    return body, rest if framing.complete else None


LINE_ENDS = st.sampled_from([b"\r\n", b"\n", b"\r", b"\r\n\r\n", b"0\r\n\r\n", b"\r\n0\r\n\r\n"])
PIECES = st.one_of(
    LINE_ENDS,
    st.sampled_from([b"0", b"a", b";", b"=", b'"', b" ", b"\x00", b"T: v\r\n", AFTER]),
    st.binary(max_size=3),
)
EXTENSIONS = st.sampled_from([b"", b";a", b";a=b", b';a="\\"b"', b";a;b=c", b" ;a", b";;a"])
TRAILERS = [b"T: v\r\n", b"X:\r\n", b"Connection: upgrade\r\nUpgrade: x\r\n", b" folded\r\n"]


@st.composite
def chunked_messages(draw):
    message = b""
    for data in draw(
        st.lists(st.lists(LINE_ENDS | st.binary(min_size=1, max_size=9), min_size=1))
    ):
        chunk = b"".join(data)
        message += b"%x%b\r\n%b\r\n" % (len(chunk), draw(EXTENSIONS), chunk)
    trailers = b"".join(draw(st.lists(st.sampled_from(TRAILERS), max_size=3)))
    message += (
        draw(st.sampled_from([b"0", b"000"])) + draw(EXTENSIONS) + b"\r\n" + trailers + b"\r\n"
    )
    if draw(st.booleans()):
        at = draw(st.integers(0, len(message)))
        message = message[:at] + draw(PIECES) + message[at + draw(st.integers(0, 2)) :]
    return message + b"".join(draw(st.lists(PIECES, max_size=3)))


@settings(max_examples=400, deadline=None)
@given(chunked_messages(), st.data())
@example(b"000\r\n\r\n\r\r\n\r\n", None)
@example(b"0\r\n\r\n\n\r\n\r\n", None)
def test_the_chunked_decoder_agrees_with_httptools(message, data):
    expected = Reference().read(message)
    assert read_cut(message, [message]) == expected
    assert read_cut(message, [message[at : at + 1] for at in range(len(message))]) == expected
    for at in range(len(message)) if len(message) < 60 else ():
        assert read_cut(message, [message[:at], message[at:]]) == expected
    if data is not None:
        cuts = sorted(data.draw(st.lists(st.integers(0, len(message)), max_size=5)))
        pairs = zip([0, *cuts], [*cuts, len(message)], strict=True)
        assert read_cut(message, [message[start:end] for start, end in pairs]) == expected
