"""Time and memory stay in proportion to the input, whichever of its separators is repeated."""

import time
import tracemalloc
from contextlib import suppress
from functools import partial

import pytest

from roll_multipart import (
    Form,
    Multipart,
    MultipartError,
    Query,
    encode,
    get_boundary,
    parse_form,
    parts,
)

KIB = 2**10
SMALL, LARGE = 8 * KIB, 128 * KIB
# Linear is 16. A shared machine may take a few times as long for one of the two, and what is below
# 20 ms says nothing; the square of 16 is far above.
GROWTH, NOISE = 64, 0.02
# Bytes of memory a byte of input, and what any parse needs for itself.
MEMORY, OVERHEAD = 8, 256 * KIB


def repeat(pattern, size):
    return (pattern * (size // len(pattern) + 1))[:size]


def repeat_behind(prefix, pattern, size):
    return prefix + repeat(pattern, size)


def attempt(function, *arguments, **settings):
    with suppress(MultipartError):
        function(*arguments, **settings)


def seconds(function, data):
    taken = []
    for _ in range(2):
        start = time.thread_time()
        function(data)
        taken.append(time.thread_time() - start)
    return min(taken)


def peak(function, data):
    tracemalloc.start()
    try:
        function(data)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def check(function, make):
    """Hold the function to its growth for data that `make` makes of a size."""
    small, large = make(SMALL), make(LARGE)
    function(small)
    assert seconds(function, large) <= GROWTH * seconds(function, small) + NOISE
    assert peak(function, small) <= MEMORY * len(small) + OVERHEAD
    assert peak(function, large) <= MEMORY * len(large) + OVERHEAD


ESCAPES = ["%", "%4", "%1", "%zz", "%41", "%00", "%1f", "%26", "%FF", "%C3", "%C3%A9", "%%41"]
ESCAPES += ["%F0%9F%98%80", "a%", "ab%zz", "\\%", "\\x41%", "%5C", "\\", "+", "+%20", "="]
OTHERS = ["&", ";", "a=&", "=&", "%26&", "é", "é%", "😀", "\x1e", "\x1f%", "\0", " ", "x"]


@pytest.mark.parametrize("pattern", ESCAPES + OTHERS)
def test_urlencoded_text_of_any_separator(pattern):
    for prefix in ("", "a="):
        make = partial(repeat_behind, prefix.encode(), pattern.encode())
        check(lambda data: attempt(Form.parse, data, strict=True), make)
    if pattern.isascii():  # else a text has other bytes than its characters
        check(lambda data: attempt(Query.parse, data), partial(repeat_behind, "a=😀&b=", pattern))


@pytest.mark.parametrize("pattern", [b"\xff", b"\xc3%", b"\xf0\x9f\x98", b"\xff%zz", b"\xe2%82"])
def test_urlencoded_bytes_that_are_not_utf8(pattern):
    check(Form.parse, lambda size: b"a=" + repeat(pattern, size))
    check(lambda data: attempt(Form.parse, data, strict=True), lambda size: repeat(pattern, size))


@pytest.mark.parametrize("tail", ["😀", "%F0%9F%98%80", "%FF😀"])
def test_text_that_becomes_wide_at_its_end(tail):
    check(Query.parse, lambda size: b"a=" + b"x" * size + tail.encode())


@pytest.mark.parametrize("method", ["int", "float", "bool"])
@pytest.mark.parametrize("pattern", ["9", "0", "-", "1e", ".", "e", " ", "_", "٣", "t", "0.1"])
def test_casts(method, pattern):
    def cast(text):
        with suppress(ValueError):
            getattr(Query({"a": [text]}), method)("a")

    check(cast, lambda size: repeat(pattern, size))
    check(cast, lambda size: "0." + repeat(pattern, size))


PARAMETERS = [";", "; ", " ;", ";a", ";a=", ";a=b", ';a="', '"', "\\", '\\"', '\\"; ', ' \\"', "="]
PARAMETERS += [" ", "\t", " \t;", ',"', "'", "%", "%22", "%0D", "%4", "*", "é", "/", "\\\\", ":"]
PARAMETERS += ["C:", ".", ". ", "../", "\x01", "\u202e", "utf-8''", "a"]


@pytest.mark.parametrize("pattern", PARAMETERS)
def test_the_parameters_of_a_content_type(pattern):
    for parameter in ("", ";", ";boundary=", ';boundary="', '; boundary=b; x="'):
        make = partial(repeat_behind, "multipart/form-data" + parameter, pattern)
        check(lambda text: attempt(get_boundary, text), make)


def parse(data, chunk=0, **limits):
    """Parse a body in chunks of a size, or whole."""
    multipart = Multipart(**limits)
    multipart.initialize("multipart/form-data; boundary=b")
    with suppress(MultipartError):
        for start in range(0, len(data), chunk or len(data)):
            multipart.feed_data(data[start : start + chunk] if chunk else data)
    multipart.abort()


DISPOSITION = "--b\r\nContent-Disposition: form-data"


@pytest.mark.parametrize("pattern", PARAMETERS)
@pytest.mark.parametrize(
    "prefix", ["", '; name="', "; name=", '; name=a; filename="', "; name=a; filename*=utf-8''"]
)
def test_the_parameters_of_a_disposition(prefix, pattern):
    """In one head as long as it likes, and in as many as a body may have."""

    def make(size):
        return (DISPOSITION + prefix + repeat(pattern, size) + '"\r\n\r\n').encode()

    check(lambda data: parse(data, max_header_size=10**9), make)
    head = make(7000) + b"x\r\n"
    check(parse, lambda size: repeat(head, size))


@pytest.mark.parametrize("pattern", ['\\"', '"', ';"', '\\";', ";", '"\\'])
def test_the_content_type_of_a_part(pattern):
    def make(size):
        head = f'{DISPOSITION}; name="a"\r\nContent-Type: a/b{";" * 20}"'
        return (head + repeat(pattern, size) + "\r\n\r\n").encode()

    check(lambda data: parse(data, max_header_size=10**9), make)
    check(parse, lambda size: repeat(make(7000) + b"x\r\n", size))


@pytest.mark.parametrize("pattern", [b"a:\r\n", b"\r\n", b"a", b":", b": ", b"\r", b"\n", b"\t"])
@pytest.mark.parametrize("name", [b"", b"X: ", b"Content-Type: "])
def test_the_lines_of_a_head(name, pattern):
    def make(size):
        return b"--b\r\n" + name + repeat(pattern, size)

    for chunk in (0, 1000):
        check(partial(parse, chunk=chunk, max_header_size=10**9, max_headers=10**9), make)
        check(partial(parse, chunk=chunk), make)


FLOODS = [b"\r", b"\n", b"\r\n", b"\r\n\r\n", b"\r\n-", b"\r\n--", b"\r\n--\r\n", b"--b", b"-"]
FLOODS += [b"\r\r\n--", b"\n--b\n", b"b", b"x", b"\0", b"\xff", b"\r\n--a", "😀".encode(), b" "]
PLACES = {
    "preamble": b".",
    "padding": b"--b",
    "field": b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n',
    "file": b'--b\r\nContent-Disposition: form-data; name="a"; filename="f"\r\n\r\n',
    "epilogue": b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n\r\n--b--',
    "empty form": b"--b--",
}


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
@pytest.mark.parametrize("flood", FLOODS)
def test_what_is_between_the_boundaries(flood, place):
    for chunk in (0, 700):
        run = partial(parse, chunk=chunk, max_preamble=10**9)
        check(run, partial(repeat_behind, place, flood))


def read(data, chunk=0, skip=False):
    """Read a body part by part, or skip its parts."""
    chunks = [data[start : start + chunk] for start in range(0, len(data), chunk or len(data))]
    with suppress(MultipartError):
        for part in parts("multipart/form-data; boundary=b", chunks if chunk else data):
            if not skip:
                for _ in part:
                    pass


@pytest.mark.parametrize("size", [1, 2, 30])
def test_tiny_chunks(size):
    """Each would take forty bytes if it were kept."""

    def chunked(data):
        return [data[start : start + size] for start in range(0, len(data), size)]

    def pull(chunks):
        for part in parts("multipart/form-data; boundary=b", chunks):
            part.text()

    def parse(chunks):
        parse_form("multipart/form-data; boundary=b", chunks)

    def decode(chunks):
        parse_form("application/x-www-form-urlencoded", chunks)

    body = PLACES["field"] + b"xy" * 4 * SMALL + b"\r\n--b--"
    for function, data in ((pull, body), (parse, body), (decode, b"a=" + b"xy" * 4 * SMALL)):
        chunks = chunked(data)
        assert peak(function, chunks) <= MEMORY * len(data) + OVERHEAD


@pytest.mark.parametrize("flood", FLOODS)
def test_what_is_read_part_by_part(flood):
    for chunk in (0, 700):
        for skip in (False, True):
            make = partial(repeat_behind, PLACES["file"], flood)
            check(partial(read, chunk=chunk, skip=skip), make)


@pytest.mark.parametrize("pattern", ['"', "\r", "\n", "\\", "%", "é", "😀", "x"])
def test_names_that_are_encoded(pattern):
    def run(text):
        encode({text: "", "a": text}, {"f": (text, text)})

    small, large = repeat(pattern, SMALL), repeat(pattern, LARGE)
    run(small)
    assert seconds(run, large) <= GROWTH * seconds(run, small) + NOISE


@pytest.mark.parametrize("character", ["-", "a", "'"])
def test_boundaries_of_one_character(character):
    boundary = character * 200
    content_type = f'multipart/form-data; boundary="{boundary}"'

    def run(data):
        multipart = Multipart(max_preamble=10**9)
        multipart.initialize(content_type)
        attempt(multipart.feed_data, data)
        multipart.abort()

    head = f'--{boundary}\r\nContent-Disposition: form-data; name="a"\r\n\r\n'.encode()
    for flood in (character * 199, f"\r\n--{character * 199}!", f"\r\n--{character * 150}"):
        for place in (b".", head):
            check(run, partial(repeat_behind, place, flood.encode()))


@pytest.mark.parametrize("part", ["", "x"])
@pytest.mark.parametrize("kind", ["", '; filename=""', '; filename="f"'])
def test_many_parts(part, kind):
    def make(size):
        one = f'--b\r\nContent-Disposition: form-data; name="a"{kind}\r\n\r\n{part}\r\n'
        return repeat(one.encode(), size)

    check(parse, make)


FORM_TYPE = "multipart/form-data; boundary=b"
FORM_HEAD = b'--b\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\nx'
FORM_END = b"\r\n--b--\r\n"


def read_bit_by_bit(data):
    """Read one long chunk, of which the rest is kept each time."""
    [size] = [read_pieces(part) for part in parts(FORM_TYPE, [FORM_HEAD, data, FORM_END])]
    assert size == 1 + len(data)


def read_pieces(part):
    size = 0
    while piece := part.read(100):
        size += len(piece)
    return size


def test_a_long_chunk_that_is_read_in_short_pieces():
    check(read_bit_by_bit, lambda size: bytes(16 * size))


class Late:
    """A source of which every second read fails."""

    def __init__(self, data):
        chunks = [data[start : start + 1000] for start in range(0, len(data), 1000)]
        self.chunks = iter([FORM_HEAD, *chunks, FORM_END])
        self.fails = False

    def read(self, size):
        self.fails = not self.fails
        if self.fails:
            raise TimeoutError
        return next(self.chunks, b"")


def read_again_and_again(data):
    found = parts(FORM_TYPE, Late(data))
    part = in_time(lambda: next(found))
    assert in_time(part.read) == b"x" + data


def in_time(call):
    while True:
        with suppress(TimeoutError):
            return call()


def test_a_content_that_is_read_again_after_each_error():
    check(read_again_and_again, lambda size: bytes(64 * size))
