"""Input of clients costs time and memory in proportion to its size, whatever it contains.

Everything that is parsed is filled with its own separators, at n, 4n and 16n. The ceilings are
generous: what is quadratic exceeds them several times.
"""

from __future__ import annotations

import asyncio
import time
import tracemalloc

import pytest

from roll_http import HttpError, Limits, Request, parse_cookies
from roll_http.body import BodyStream
from roll_http.h1.body_decoders import ChunkedDecoder
from roll_http.h1.head import RequestError
from roll_http.h1.head_parser import HeadParser
from roll_http.syntax import list_members, percent_decode

KIB = 1024
SIZES = (2 * KIB, 8 * KIB, 32 * KIB)
WIDE = Limits(request_line=2**30, head=2**30, headers=2**30, trailers=2**30)

SLACK = 5  # times more than in proportion; what is quadratic takes 16 times more
LEAST = 200e-6  # seconds: below, what is measured is noise
LONGEST = 0.25  # seconds, for the largest; five times what it may take on a common machine
BASE = 256 * KIB  # bytes that anything may take
PER_BYTE = 8  # bytes of memory that a byte may take
# As many members of a list or cookies as its bytes can hold, each an object.
PER_BYTE_OF_HEAD = 48


def cpu(call, argument):
    """Seconds of CPU, the least of some calls."""
    least = float("inf")
    for _ in range(5):
        begin = time.process_time()
        call(argument)
        least = min(least, time.process_time() - begin)
        if least < LEAST:
            break
    return least


def peak(call, argument):
    """Bytes of memory in use at once, at most."""
    tracemalloc.start()
    try:
        call(argument)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def assert_grows_in_proportion(call, make, sizes=SIZES, per_byte=PER_BYTE):
    """Call with what `make` makes of each size."""
    inputs = [make(size) for size in sizes]
    times = [max(cpu(call, each), LEAST) for each in inputs]
    for size, seconds in zip(sizes, times, strict=True):
        allowed = SLACK * times[0] * size / sizes[0]
        assert seconds <= allowed, f"{size} bytes take {seconds} s, {sizes[0]} {times[0]} s"
    assert times[-1] <= LONGEST
    if per_byte:
        assert peak(call, inputs[-1]) <= BASE + per_byte * len(inputs[-1])


def fill(filler):
    """Something of a size, filled again and again."""
    return lambda size: filler * (size // len(filler))


def parse_head(data):
    """Parse a head on a new connection; whether it is refused does not matter."""
    try:
        return HeadParser(WIDE).parse(data, 0)
    except RequestError as error:
        return error


NAMES = [
    b"Cookie",
    b"Connection",
    b"Transfer-Encoding",
    b"Content-Length",
    b"Expect",
    b"Host",
    b"Upgrade",
    b"Content-Type",
    b"Accept",
]
FILLERS = [
    *(bytes([sign]) for sign in b'%,;="\\ \t:[].-/@0a\xe9'),
    *(b", ", b"; ", b"%4", b"%41", b"%41ab", b"a,", b"a=b;", b'\\"', b'"a', b"a b", b"close,"),
    *(b"chunked,", b"100-continue,", b"1,", b"[:", b"v1.", b"\xc2\xa0", b"\xe2\x80\x80"),
]
FORMS = [b"%b", b"%%%bx", b'a="%b"', b"a=%b;", b"chunked%b", b"100-continue%bx", b"[%b]", b"a:%b"]


@pytest.mark.parametrize("name", NAMES, ids=bytes.decode)
@pytest.mark.parametrize("form", FORMS, ids=bytes.decode)
def test_a_field_filled_with_separators_takes_linear_time(name, form):
    def make(filler):
        lines = b"GET / HTTP/1.1\r\nHost: here\r\n" if name != b"Host" else b"GET / HTTP/1.1\r\n"
        before, after = form % b"|", b"\r\n\r\n"
        start, end = before.split(b"|")
        return lambda size: lines + name + b": " + start + fill(filler)(size) + end + after

    for filler in FILLERS:
        assert_grows_in_proportion(parse_head, make(filler), per_byte=PER_BYTE_OF_HEAD)


@pytest.mark.parametrize("form", ["{}", "%{}x", 'a="{}"', "a={}", "a=%{}", '"{}"="', "a=b;{}=%41"])
def test_a_cookie_header_filled_with_separators_takes_linear_time(form):
    for filler in FILLERS:
        text = filler.decode("latin-1")
        assert_grows_in_proportion(
            parse_cookies,
            lambda size, text=text: form.format(fill(text)(size)),
            per_byte=PER_BYTE_OF_HEAD,
        )


@pytest.mark.parametrize("filler", ["%", "%4", "%41", "%41ab", "%zz", "é%41", "%C3", "%E2%82%AC"])
def test_percent_decoding_takes_linear_time(filler):
    assert_grows_in_proportion(percent_decode, fill(filler), (16 * KIB, 64 * KIB, 256 * KIB))


@pytest.mark.parametrize("filler", [",", ", ", "a,", "\t,", "\u212a,"])
def test_members_of_a_list_take_linear_time(filler):
    assert_grows_in_proportion(
        lambda text: sum(1 for _ in list_members(text)), fill(filler), per_byte=PER_BYTE_OF_HEAD
    )


TARGETS = [b"/", b"//", b"%", b"%4", b"%41", b"%41ab", b"?", b"&", b"#", b"=", b";", b"+", b"../"]
STARTS = [b"/", b"", b"http://", b"http://a/", b"http://[", b"http://%41", b"http://a:"]


@pytest.mark.parametrize("method", [b"GET", b"CONNECT", b"OPTIONS"])
@pytest.mark.parametrize("start", STARTS, ids=bytes.decode)
def test_a_target_filled_with_separators_takes_linear_time(method, start):
    for filler in [*TARGETS, b":", b"[", b"@", b"a", b"0", b" ", b"\t", b"\r", b" HTTP/1.1"]:
        assert_grows_in_proportion(
            parse_head,
            lambda size, filler=filler: b"".join(
                [method, b" ", start, fill(filler)(size), b" HTTP/1.1\r\nHost: a\r\n\r\n"]
            ),
        )


def parse_in_pieces(data, step=64):
    parser, start = HeadParser(WIDE), 0
    try:
        for end in range(step, len(data) + step, step):
            _, start = parser.parse(data[:end], start)
    except RequestError:
        pass


@pytest.mark.parametrize(
    "start",
    [b"", b"GET /", b"GET / HTTP/1.1\r\nHost: a\r\nB: ", b"GET / HTTP/1.1\r\nHost: a\r\n"],
    ids=repr,
)
@pytest.mark.parametrize("filler", [b"a", b"%", b"\r\n", b"a: b\r\n", b"\r", b" "], ids=repr)
def test_a_head_in_pieces_takes_linear_time(start, filler):
    # The bytes that came are cut out again for each piece, here as in the connection: to copy
    # 32 KiB takes some 1 us.
    assert_grows_in_proportion(parse_in_pieces, lambda size: start + fill(filler)(size))


@pytest.mark.parametrize("line", [b"Cookie: a=b", b"X: y", b"X:", b"Connection: a"], ids=repr)
def test_many_lines_of_one_field_take_linear_time(line):
    def make(count):
        return b"GET / HTTP/1.1\r\nHost: a\r\n" + (line + b"\r\n") * count + b"\r\n"

    assert_grows_in_proportion(parse_head, make, (1000, 4000, 16_000), per_byte=PER_BYTE_OF_HEAD)
    head, _ = parse_head(make(16_000))
    name = line.partition(b":")[0].decode().upper()
    assert len(head.headers[name].split("; " if name == "COOKIE" else ", ")) == 16_000


def test_many_long_lines_of_one_field_take_linear_time():
    line = b"X: " + b"y" * 1000 + b"\r\n"
    assert_grows_in_proportion(
        parse_head,
        lambda count: b"GET / HTTP/1.1\r\nHost: a\r\n" + line * count + b"\r\n",
        (250, 1000, 4000),
    )


def decode_chunks(data):
    """Decode as the connection does, with all bytes at hand and with packets of a network."""
    for step in (len(data), 1460):
        framing = ChunkedDecoder(2**30)
        try:
            feed_in_steps(framing, data, step)
        except RequestError:
            continue


def feed_in_steps(framing, data, step):
    rest = b""
    for at in range(0, len(data), step):
        rest += data[at : at + step]
        offset = 0
        while offset < len(rest) and not framing.complete:
            _, offset = framing.feed(rest, offset)
        rest = rest[offset:]
        if framing.complete:
            return


BODIES = [b"\r\n", b"\r\n\r\n", b"\r\n0\r\n\r\n", b"\n", b"0\r\n", b"a", b"\r"]


@pytest.mark.parametrize("size", [4, 100, 1000, None], ids=repr)
@pytest.mark.parametrize("filler", BODIES, ids=repr)
def test_chunks_filled_with_line_ends_take_linear_time(filler, size):
    def make(total):
        data = fill(filler)(total)
        step = size or len(data)
        pieces = (data[at : at + step] for at in range(0, len(data), step))
        return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"

    assert_grows_in_proportion(decode_chunks, make, (32 * KIB, 128 * KIB, 512 * KIB))


@pytest.mark.parametrize(
    ("start", "filler", "end"),
    [
        (b"", b"0", b"\r\n\r\n"),
        (b"1", b";a", b"\r\na\r\n0\r\n\r\n"),
        (b"1", b";a=b", b"\r\na\r\n0\r\n\r\n"),
        (b'1;a="', b'\\"', b'"\r\na\r\n0\r\n\r\n'),
        (b"", b"1;a=b\r\na\r\n", b"0\r\n\r\n"),
        (b"", b"1\r\na\r\n", b"0\r\n\r\n"),
        (b"0\r\n", b"a: b\r\n", b"\r\n"),
        (b"0\r\n", b"a:\r\n", b"\r\n"),
        (b"0\r\na: ", b"b ", b"\r\n\r\n"),
        (b"0\r\n\r\n", b"\r\n", b""),
        (b"0\r\n\r\n", b"\r\n\r\n", b"GET"),
        (b"0\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n", b""),
    ],
    ids=repr,
)
def test_extensions_and_trailers_take_linear_time(start, filler, end):
    assert_grows_in_proportion(decode_chunks, lambda size: start + fill(filler)(size) + end)


def decode_json(body):
    request = Request(None, None)
    request.body = body
    try:
        return request.json
    except HttpError as error:
        return error


JSON = [
    b"[",
    b"]",
    b"[]",
    b'{"a":',
    b'"',
    b"\\",
    b'"\\u0041',
    b" ",
    b"1",
    b"1e9",
    b"NaN,",
    b",",
    b"\xff",
]


@pytest.mark.parametrize(
    "form", [b"%b", b"[%b", b'["%b"]', b"0.%b", b"1%b.0", b"1e%b", b"1 %b", b"1 %bx"]
)
def test_json_filled_with_separators_takes_linear_time(form):
    start, end = (form % b"|").split(b"|")
    for filler in JSON:
        assert_grows_in_proportion(
            decode_json,
            lambda size, filler=filler: start + fill(filler)(size) + end,
            (16 * KIB, 64 * KIB, 256 * KIB),
            per_byte=0,
        )


def test_the_measurement_detects_quadratic_time():
    def join_one_by_one(text):
        joined = b""
        for _ in range(len(text) // 64):
            joined = bytes([*joined, 0])

    with pytest.raises(AssertionError, match="bytes take"):
        assert_grows_in_proportion(join_one_by_one, fill(b"a"), (16 * KIB, 64 * KIB, 256 * KIB))
    with pytest.raises(AssertionError, match="peak"):
        assert_grows_in_proportion(lambda text: [[] for _ in text], fill(b"a"))


PIECES = [1, 2, 6, 30, 63, 64, 65, 300]


async def read_piece_by_piece(size, piece, *, at_once):
    """Read a body whose pieces arrive one after another, before or while it is read."""
    request = Request(None, None)
    request.attach_body(stream := BodyStream(None))
    reading = None if at_once else asyncio.ensure_future(request.read())
    tracemalloc.start()
    try:
        for start in range(0, size, piece):
            stream.feed(b"%06d" % (start % 1_000_000) * (piece // 6) + b"abcdef"[: piece % 6])
            while reading is not None and stream.size:
                await asyncio.sleep(0)
        stream.end()
        body = await (reading or request.read())
        return body, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("at_once", [False, True], ids=["while it is read", "before"])
@pytest.mark.parametrize("piece", PIECES)
async def test_body_that_arrives_in_pieces_of_any_size_takes_little_memory(piece, at_once):
    size = piece * (32 * KIB // piece)
    body, most = await read_piece_by_piece(size, piece, at_once=at_once)
    assert body == b"".join(
        b"%06d" % (start % 1_000_000) * (piece // 6) + b"abcdef"[: piece % 6]
        for start in range(0, size, piece)
    )
    assert most <= 20 * KIB + PER_BYTE * size


class InPieces(Request):
    """A request that is iterated over in pieces of two bytes."""

    __slots__ = ("text",)

    async def __aiter__(self):
        for start in range(0, len(self.text), 2):
            yield self.text[start : start + 2]


def read_in_pieces(text):
    """Read a body that never waits."""
    request = InPieces(None, None)
    request.text = text
    request.attach_body(BodyStream(None))
    with pytest.raises(StopIteration) as ended:
        request.read().send(None)
    assert ended.value.value == text


def test_a_body_is_joined_in_linear_time():
    assert_grows_in_proportion(read_in_pieces, fill(b"ab"), sizes=(32 * KIB, 128 * KIB, 256 * KIB))


def feed_in_pieces(text):
    """Feed a body that nothing reads."""
    stream = BodyStream(None)
    for start in range(0, len(text), 2):
        stream.feed(text[start : start + 2])
    assert stream.size == len(text)


def test_waiting_pieces_are_joined_in_linear_time():
    assert_grows_in_proportion(feed_in_pieces, fill(b"ab"), sizes=(32 * KIB, 128 * KIB, 256 * KIB))
