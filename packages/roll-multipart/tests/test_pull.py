"""Parts that are read one after the other, from all kinds of sources."""

import asyncio
import codecs
import gc
import io
import mmap
import shutil
import tracemalloc
import weakref

import pytest

from roll_multipart import (
    LimitError,
    MultipartError,
    encode,
    parts,
    parts_async,
)
from roll_multipart.events import CHARSETS

CONTENT_TYPE = "multipart/form-data; boundary=boundary"


@pytest.fixture
def form(tools):
    return tools.body(
        tools.part("a", "é".encode()),
        tools.part("f", b"x" * 10_000, "Content-Type: text/plain", "X-More: 1", filename="f.txt"),
        tools.part("b", b""),
        tools.part("c", b"last"),
    )


def read_all(content_type, source, **limits):
    return [(part.name, part.read()) for part in parts(content_type, source, **limits)]


async def read_all_async(content_type, source, **limits):
    return [
        (part.name, await part.read_async())
        async for part in parts_async(content_type, source, **limits)
    ]


ALL = [("a", "é".encode()), ("f", b"x" * 10_000), ("b", b""), ("c", b"last")]


class Starlette:
    """An object with `stream()` that is not a stream itself."""

    def __init__(self, chunks):
        self.stream = lambda: iterate(chunks)


class Aiohttp(dict):
    """A source with `content`, and with `read` for all of it."""

    def __init__(self, content):
        self.content = content

    async def read(self):
        raise AssertionError


class Roll(dict):
    """A source that can be iterated over, with `read` for all of it."""

    def __init__(self, chunks):
        self.chunks = chunks

    async def read(self):
        raise AssertionError

    def __aiter__(self):
        return iterate(self.chunks)


class Stream:
    """A stream with an asynchronous `read`, as aiohttp and asyncio have it."""

    def __init__(self, data, size):
        self.data = io.BytesIO(data)
        self.size = size

    async def read(self, size):
        return self.data.read(min(size, self.size))


async def iterate(chunks):
    for chunk in chunks:
        yield chunk


def receive_from(messages):
    messages = iter(messages)

    async def receive():
        return next(messages)

    return receive


def messages_of(chunks):
    yield {"type": "http.request", "body": b"", "more_body": True}
    for chunk in chunks:
        yield {"type": "http.request", "body": chunk, "more_body": True}
    yield {"type": "http.request"}


@pytest.mark.parametrize("size", [1, 7, 5000, 100_000])
def test_parts_come_from_any_source(tools, form, size):
    chunks = tools.pieces(form, size)
    for source in (
        chunks,
        iter(chunks),
        io.BytesIO(form),
        form,
        bytearray(form),
        memoryview(form),
    ):
        assert read_all(CONTENT_TYPE, source) == ALL


async def test_a_mapped_file_is_a_source(form, tmp_path):
    """Its `read` is built in, and does not say what it takes."""
    (tmp_path / "form").write_bytes(form)
    with (tmp_path / "form").open("rb") as file:
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        assert await read_all_async(CONTENT_TYPE, mapped) == ALL
        mapped.seek(0)
        assert read_all(CONTENT_TYPE, mapped) == ALL
        mapped.close()


@pytest.mark.parametrize("size", [1, 7, 5000, 100_000])
async def test_parts_come_from_any_asynchronous_source(tools, form, size):
    chunks = tools.pieces(form, size)
    for source in (
        iterate(chunks),
        Stream(form, size),
        Starlette(chunks),
        Roll(chunks),
        Aiohttp(Stream(form, size)),
        receive_from(messages_of(chunks)),
        chunks,
        io.BytesIO(form),
        form,
    ):
        assert await read_all_async(CONTENT_TYPE, source) == ALL


@pytest.mark.parametrize("source", ["text", 5, None])
async def test_other_sources_are_refused(source):
    with pytest.raises(TypeError, match=r"Expected bytes, a file, .* not"):
        parts(CONTENT_TYPE, source)
    with pytest.raises(TypeError, match=r"Expected bytes, a file, .* not"):
        await read_all_async(CONTENT_TYPE, source)


class Endless(io.BytesIO):
    """The input of a connection that stays open: reading too much would wait for ever."""

    def read(self, size=-1):
        assert 0 <= size <= len(self.getbuffer()) - self.tell()
        return super().read(size)


def test_of_a_wsgi_input_the_content_is_read_and_no_more(form):
    environ = {"wsgi.input": Endless(form + b"GET / HTTP/1.1"), "CONTENT_LENGTH": str(len(form))}
    assert read_all(CONTENT_TYPE, environ) == ALL
    assert environ["wsgi.input"].tell() == len(form)


def test_a_wsgi_input_may_be_terminated(form):
    environ = {"wsgi.input": io.BytesIO(form), "wsgi.input_terminated": True}
    assert read_all(CONTENT_TYPE, environ) == ALL


@pytest.mark.parametrize("length", [None, "", "0"])
def test_a_wsgi_request_without_a_length_has_no_body(form, length):
    environ = {"wsgi.input": Endless(form), "CONTENT_LENGTH": length}
    with pytest.raises(MultipartError, match="final boundary"):
        read_all(CONTENT_TYPE, environ)


@pytest.mark.parametrize("length", ["-1", "+5", " 5", "5 ", "1_0", "٣", "x", "9" * 5000, "1e3"])
def test_a_malformed_content_length_is_an_error(length):
    with pytest.raises(MultipartError, match="Malformed Content-Length"):
        read_all(CONTENT_TYPE, {"wsgi.input": Endless(b""), "CONTENT_LENGTH": length})


@pytest.mark.parametrize("length", [5, 1.5, b"7", ["5"]])
def test_content_length_that_is_not_text_is_a_type_error(length):
    with pytest.raises(TypeError, match="CONTENT_LENGTH must be text, not"):
        read_all(CONTENT_TYPE, {"wsgi.input": Endless(b""), "CONTENT_LENGTH": length})


@pytest.mark.parametrize("missing", [1, 9, 100])
def test_a_wsgi_input_that_ends_early_is_an_error(form, missing):
    environ = {"wsgi.input": io.BytesIO(form[:-missing]), "CONTENT_LENGTH": str(len(form))}
    with pytest.raises(MultipartError, match="ended before its Content-Length"):
        read_all(CONTENT_TYPE, environ)


async def test_an_awaited_wsgi_input_that_ends_early_is_an_error(form):
    environ = {"wsgi.input": io.BytesIO(form[:-9]), "CONTENT_LENGTH": str(len(form))}
    with pytest.raises(MultipartError, match="ended before its Content-Length"):
        await read_all_async(CONTENT_TYPE, environ)


async def test_a_client_that_disconnects_is_an_error(form):
    messages = [*list(messages_of([form[:100]]))[:-1], {"type": "http.disconnect"}]
    with pytest.raises(MultipartError, match="disconnected"):
        await read_all_async(CONTENT_TYPE, receive_from(messages))


def test_a_part_has_its_headers(form):
    _, part, *_ = list(parts(CONTENT_TYPE, form))
    assert (part.name, part.filename, part.content_type) == ("f", "f.txt", "text/plain")
    assert part.headers == {
        "content-disposition": 'form-data; name="f"; filename="f.txt"',
        "content-type": "text/plain",
        "x-more": "1",
    }
    assert part.params == {"name": "f", "filename": "f.txt"}
    assert repr(part) == "<PartReader 'f' filename='f.txt' 'text/plain'>"


def test_a_part_is_read_in_pieces_whole_or_skipped(tools, form):
    for source in (form, tools.pieces(form, 3), tools.pieces(form, 4000)):
        found = parts(CONTENT_TYPE, source)
        assert next(found).text() == "é"
        part = next(found)
        assert part.read(0) == b""
        assert part.read(3) == b"xxx"
        assert len(part.read(7000)) == 7000
        pieces = list(part)
        assert all(type(piece) is bytes for piece in pieces)
        assert sum(map(len, pieces)) == 2997
        assert part.read(None) == part.read() == part.read(5) == b""
        assert list(part) == []
        assert next(found).name == "b"
        assert next(found).read(100) == b"last"
        assert list(found) == []
        assert next(found, None) is None


async def test_an_asynchronous_part_is_read_in_pieces_whole_or_skipped(tools, form):
    for chunks in ([form], tools.pieces(form, 3), tools.pieces(form, 4000)):
        found = parts_async(CONTENT_TYPE, iterate(chunks))
        assert await (await anext(found)).text_async() == "é"
        part = await anext(found)
        assert await part.read_async(0) == b""
        assert await part.read_async(3) == b"xxx"
        assert len(await part.read_async(7000)) == 7000
        assert sum([len(piece) async for piece in part]) == 2997
        assert await part.read_async() == await part.read_async(5) == b""
        assert (await anext(found)).name == "b"
        assert await (await anext(found)).read_async(100) == b"last"
        assert [part async for part in found] == []
        assert await anext(found, None) is None


async def test_skipped_part_cannot_be_read(form):
    found = parts(CONTENT_TYPE, form)
    first = next(found)
    next(found)
    with pytest.raises(ValueError, match="was skipped already"):
        first.read()
    found = parts_async(CONTENT_TYPE, form)
    first = await anext(found)
    await anext(found)
    with pytest.raises(ValueError, match="was skipped already"):
        await first.read_async(5)


def test_a_part_can_be_copied_as_a_file(form):
    target = io.BytesIO()
    found = parts(CONTENT_TYPE, form)
    next(found)
    shutil.copyfileobj(next(found), target, 999)
    assert target.getvalue() == b"x" * 10_000


@pytest.mark.parametrize(
    ("content_type", "charset", "content", "text"),
    [
        (None, "utf-8", "é".encode(), "é"),
        ("text/plain", "utf-8", "é".encode(), "é"),
        ("text/plain; charset=ISO-8859-1", "iso-8859-1", b"\xe9", "é"),
        ('text/plain; charset="utf-16-le"', "utf-16-le", "é".encode("utf-16-le"), "é"),
        ("text/plain; charset=ascii", "ascii", b"\xe9", "\ufffd"),
    ],
)
def test_text_is_decoded_with_its_charset(tools, content_type, charset, content, text):
    lines = [f"Content-Type: {content_type}"] if content_type else []
    part = next(parts(CONTENT_TYPE, tools.body(tools.part("a", content, *lines))))
    assert (part.charset, part.text()) == (charset, text)


@pytest.mark.parametrize(
    "charset",
    ["martian", "", "hex", "\u0663", "punycode", "idna", "undefined", "unicode_escape", "utf-7"],
)
def test_an_unknown_charset_is_an_error(tools, charset):
    data = tools.body(tools.part("a", b"x", f"Content-Type: text/plain; charset={charset}"))
    with pytest.raises(MultipartError):
        next(parts(CONTENT_TYPE, data)).text()


def test_a_known_charset_is_one_of_python():
    assert all(codecs.lookup(charset)._is_text_encoding for charset in CHARSETS)


def test_a_malformed_content_type_has_no_charset(tools):
    data = tools.body(tools.part("a", b"x", "Content-Type: text/plain; charset"))
    with pytest.raises(MultipartError):
        _ = next(parts(CONTENT_TYPE, data)).charset


MIXED = (
    b"preamble\r\n--boundary\r\n\r\nno head\r\n"
    b"--boundary\r\nContent-Type: application/json\r\nContent-ID: <1>\r\n\r\n{}\r\n"
    b'--boundary\r\nContent-Disposition: attachment; filename="a/b.txt"\r\n\r\nfile\r\n'
    b'--boundary\r\nContent-Disposition: form-data; name="n"\r\n\r\nnamed\r\n--boundary--'
)


@pytest.mark.parametrize("kind", ["mixed", "related", "alternative", "Mixed", "byteranges"])
@pytest.mark.parametrize("size", [1, 9, 1000])
def test_other_multipart_types_need_no_names(tools, kind, size):
    content_type = f"multipart/{kind}; boundary=boundary"
    found = [
        (part.name, part.filename, part.content_type, part.headers.get("content-id"), part.read())
        for part in parts(content_type, tools.pieces(MIXED, size))
    ]
    assert found == [
        ("", None, "", None, b"no head"),
        ("", None, "application/json", "<1>", b"{}"),
        ("", "b.txt", "", None, b"file"),
        ("n", None, "", None, b"named"),
    ]


def test_form_still_needs_content_disposition():
    with pytest.raises(MultipartError, match="needs Content-Disposition"):
        read_all(CONTENT_TYPE, MIXED)


async def test_nested_parts_are_read_as_a_separate_body(tools):
    inner = tools.body(tools.part("x", b"1"), tools.part("y", b"2")).replace(b"boundary", b"inner")
    outer = tools.part("f", inner, "Content-Type: multipart/mixed; boundary=inner")
    for data in (tools.body(outer), tools.pieces(tools.body(outer), 5)):
        [found] = [
            [(nested.name, nested.read()) for nested in parts(part.content_type, part)]
            for part in parts(CONTENT_TYPE, data)
        ]
        assert found == [("x", b"1"), ("y", b"2")]
        async for part in parts_async(CONTENT_TYPE, data):
            assert await read_all_async(part.content_type, part) == [("x", b"1"), ("y", b"2")]


@pytest.mark.parametrize("content_type", [None, "", "text/plain; boundary=x", "multipart/mixed"])
def test_other_content_types_are_refused_at_once(content_type):
    for read in (parts, parts_async):
        with pytest.raises(MultipartError):
            read(content_type, b"")


async def test_text_that_is_read_as_a_whole_is_limited(tools):
    fits = [tools.part("a", b"x" * 10), tools.part("f", b"x" * 90, filename="f")]
    body = tools.body(*fits, tools.part("a", b"x" * 10))
    assert len(read_all(CONTENT_TYPE, body, max_field_size=10, max_text_size=20)) == 3
    for limits in ({"max_field_size": 9}, {"max_text_size": 19}):
        with pytest.raises(LimitError, match="Too much text"):
            read_all(CONTENT_TYPE, body, **limits)
        with pytest.raises(LimitError, match="Too much text"):
            await read_all_async(CONTENT_TYPE, body, **limits)
        pieces = [piece for part in parts(CONTENT_TYPE, body, **limits) for piece in part]
        assert sum(map(len, pieces)) == 110


def test_files_are_limited(tools):
    files = tools.body(*[tools.part("f", b"x" * 10, filename="f")] * 3, tools.part("a", b"x" * 99))
    assert len(read_all(CONTENT_TYPE, files, max_files_size=30)) == 4
    with pytest.raises(LimitError, match="Too much in the files"):
        list(parts(CONTENT_TYPE, files, max_files_size=29))


def test_error_of_a_part_is_raised_after_the_parts_before_it(tools):
    body = tools.part("a", b"1") + b"--boundaryX"
    for source in (body, tools.pieces(body), [body[:-1], body[-1:]], [body, b"more"]):
        found = parts(CONTENT_TYPE, source)
        assert next(found).read() == b"1"
        for _ in range(2):
            with pytest.raises(MultipartError, match="Unexpected bytes"):
                next(found)
    found = parts(CONTENT_TYPE, tools.part("a", b"1"))
    assert next(found).read(1) == b"1"
    with pytest.raises(MultipartError, match="final boundary"):
        next(found)


async def test_skipped_content_is_not_kept_in_memory(tools):
    """A file of 16 MiB is skipped in the memory of a few chunks."""
    head, end = tools.part("f", b"", filename="f")[:-2], b"\r\n" + tools.body()
    chunk = bytes(2**16)

    def chunks():
        yield head
        for _ in range(256):
            yield chunk[:-1] + b"x"
        yield end

    tracemalloc.start()
    assert [part.name for part in parts(CONTENT_TYPE, chunks())] == ["f"]
    assert [part.name async for part in parts_async(CONTENT_TYPE, iterate(chunks()))] == ["f"]
    assert sum(len(piece) for part in parts(CONTENT_TYPE, chunks()) for piece in part) == 2**24
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 6 * 2**16


def test_parts_are_freed_without_the_garbage_collector(form):
    gc.disable()
    try:
        found = parts(CONTENT_TYPE, form)
        part = next(found)
        left = weakref.ref(found)
        del part, found
        assert left() is None
    finally:
        gc.enable()


def test_encoded_body_is_read_back():
    body, content_type = encode({"a": "1"}, {"f": (b"2", "f.txt")})
    assert read_all(content_type, body) == [("a", b"1"), ("f", b"2")]


async def test_an_error_of_the_source_passes_through(form):
    async def failing():
        yield form[:200]
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await read_all_async(CONTENT_TYPE, failing())
