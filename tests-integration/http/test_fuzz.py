"""The parsers: any bytes are refused in the one documented way."""

import string

from hypothesis import example, given, settings
from hypothesis import strategies as st

from roll_http import Limits
from roll_http.h1.body_decoders import ChunkedDecoder, LengthDecoder
from roll_http.h1.head import Head, RequestError
from roll_http.h1.head_parser import HeadParser
from roll_http.limits import KIB

STATUSES = {400, 414, 417, 431, 501, 505}

# Pieces of requests, good and bad, so that nonsense comes near enough to sense.
PIECES = [
    *[b"GET", b"POST", b"CONNECT", b"OPTIONS", b"BREW", b" ", b"  ", b"\t", b"/", b"*", b"a:80"],
    *[b"http://a", b"?b", b"#", b"%", b"HTTP/1.1", b"HTTP/1.0", b"HTTP/2.0", b"HTTP/1.9"],
    *[b"\r\n", b"\r", b"\n", b"\r\n\r\n", b"\0", b"\x7f", b"\xc3\xa9", b"\xff", b":", b": ", b","],
    *[b"Host", b"Content-Length", b"Transfer-Encoding", b"Connection", b"Upgrade", b"Expect"],
    *[b"0", b"5", b"-1", b"18446744073709551615", b"9" * 30, b"chunked", b"close", b"upgrade"],
    *[b"keep-alive", b"100-continue", b"X", b"_", b"Cookie", b"a", b"[::1]", b"a" * 9000],
    b"GET / HTTP/1.1\r\nHost: a\r\n",
]
near_heads = st.lists(st.sampled_from(PIECES), max_size=30).map(b"".join)
CHUNKS = [b"0", b"5", b"a", b"ffffffffffffffff", b"fffffffffffffffff", b";", b";a", b'="', b'"']
CHUNKS += [b"\r\n", b"\r", b"\n", b"hello", b"X: y", b":", b" ", b"\0", b"\xff", b"0\r\n\r\n"]
near_chunks = st.lists(st.sampled_from(CHUNKS), max_size=40).map(b"".join)


def parse(pieces):
    """Parse a head that arrives in pieces; return it with its end, or the refusal."""
    parser = HeadParser(Limits())
    data, start = b"", 0
    for piece in pieces:
        data += piece
        try:
            head, start = parser.parse(data, start)
        except RequestError as error:
            return error.status
        if head is not None:
            return {name: getattr(head, name) for name in Head.__slots__}, data[:start]
    return None


def cut(data, places):
    cuts = sorted({place % (len(data) + 1) for place in places})
    return [data[a:b] for a, b in zip([0, *cuts], [*cuts, None], strict=True)]


places = st.lists(st.integers(0, 10_000), max_size=6)


@settings(max_examples=1500, deadline=None)
@given(st.one_of(near_heads, st.binary(max_size=300)), places)
@example(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", [3])
def test_a_head_is_parsed_or_refused_however_it_is_cut(data, places):
    whole = parse([data])
    assert whole is None or isinstance(whole, tuple) or whole in STATUSES
    parts = parse(cut(data, places))
    if isinstance(whole, int) and isinstance(parts, int):
        return  # which of several faults is seen first depends on what was there
    assert parts == whole


@settings(max_examples=500, deadline=None)
@given(st.lists(st.sampled_from(PIECES[:-2]), max_size=3), st.integers(0, 60))
def test_a_good_head_that_is_spoilt_is_never_another(insertion, at):
    """A refused head is never parsed as a valid one."""
    good = b"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nX: y\r\n\r\n"
    result = parse([good[:at] + b"".join(insertion) + good[at:]])
    if isinstance(result, tuple):
        head, _ = result
        assert set(head["method"]) <= set(string.ascii_uppercase)
        assert head["target"].isascii()
        for name, value in head["headers"].items():
            assert name.isascii()
            assert not set(value) & set("\r\n\0")


def decode(pieces):
    framing = ChunkedDecoder(16 * KIB)
    body, data = b"", b""
    for piece in pieces:
        data += piece
        while data and not framing.complete:
            try:
                part, end = framing.feed(data, 0)
            except RequestError as error:
                return error.status
            body += part
            data = data[end:]
    return body, data, framing.complete


@settings(max_examples=1500, deadline=None)
@given(st.one_of(near_chunks, st.binary(max_size=200)), places)
def test_chunks_are_decoded_or_refused_however_they_are_cut(data, places):
    whole = decode([data])
    assert isinstance(whole, tuple) or whole == 400
    assert decode(cut(data, places)) == whole


@settings(max_examples=300, deadline=None)
@given(st.lists(st.binary(min_size=1, max_size=100), max_size=10), st.binary(max_size=50), places)
def test_what_is_chunked_comes_out_whole(chunks, follows, places):
    data = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n"
    assert decode(cut(data + follows, places)) == (b"".join(chunks), follows, True)


@given(st.binary(min_size=1, max_size=100), st.integers(1, 100), places)
def test_a_length_takes_no_more_than_it_says(data, length, places):
    framing = LengthDecoder(length)
    body, rest = b"", b""
    for piece in cut(data, places):
        rest += piece
        if not framing.complete:
            part, end = framing.feed(rest, 0)
            body, rest = body + part, rest[end:]
    assert body == data[:length]
    assert rest == data[length:]
    assert framing.complete == (len(data) >= length)
