"""Forms that are encoded while they are sent."""

import io
import os
import threading
import tracemalloc

import pytest

from roll_multipart import MemoryFile, Part, encode, encode_stream, encode_stream_async

CONTENT = bytes(range(256)) * 3000


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "big.png"
    path.write_bytes(CONTENT)
    return path


@pytest.fixture(params=["sync", "async"])
def stream(request):
    """Encode, and give the form with the pieces of its body."""

    async def collect(form):
        return [piece async for piece in form]

    async def stream(fields=(), files=()):
        if request.param == "sync":
            form = encode_stream(fields, files)
            return form, list(form)
        form = encode_stream_async(fields, files)
        return form, await collect(form)

    return stream


def check(tools, form, pieces, files, fields=None):
    body = b"".join(pieces)
    assert all(type(piece) is bytes and len(piece) <= 2**18 + 2**15 for piece in pieces)
    result = tools.parse(body, form.content_type)
    assert (result.error, result.files, result.fields) == (None, files, fields or {})
    if form.content_length is not None:
        assert form.content_length == len(body)
        assert form.headers["Content-Length"] == str(len(body))
    assert form.headers["Content-Type"] == form.content_type


def uploaded(content):
    file = MemoryFile(Part(b"", "f", "big.png", "image/png"))
    file.write(content)
    file.seek(0)
    return file


async def test_files_of_known_size_have_an_exact_length(tools, stream, path):
    for make in (lambda: path, lambda: path.open("rb"), lambda: uploaded(CONTENT)):
        content = make()
        form, pieces = await stream({"a": "é", "b": ["1", 2]}, {"f": [content, b"small"]})
        expected = [("big.png", "image/png", CONTENT), ("f", "application/octet-stream", b"small")]
        check(tools, form, pieces, {"f": expected}, {"a": ["é"], "b": ["1", "2"]})
        assert form.content_length is not None
        if content is not path:
            content.close()


async def test_an_empty_form(tools, stream):
    form, pieces = await stream()
    check(tools, form, pieces, {})
    assert len(pieces) == 1


async def test_an_open_file_is_sent_from_its_position(tools, stream, path):
    with path.open("rb") as file:
        file.seek(100)
        form, pieces = await stream(files={"f": file})
        check(tools, form, pieces, {"f": [("big.png", "image/png", CONTENT[100:])]})


def test_a_form_can_be_sent_again(tools, path):
    with path.open("rb") as file:
        form = encode_stream({"a": "1"}, {"f": [path, file, b"x"]})
        assert b"".join(form) == b"".join(form)
        assert form.content_length == len(b"".join(form))


async def test_source_that_can_be_read_once_is_refused_the_second_time(path):
    async def pieces():
        yield b"x"

    for make in (lambda: iter([b"x"]), lambda: io.StringIO("x")):
        form = encode_stream(files={"f": make()})
        assert b"x" in b"".join(form)
        with pytest.raises(ValueError, match="only once"):
            list(form)
    form = encode_stream_async(files={"f": pieces()})
    assert b"x" in b"".join([piece async for piece in form])
    with pytest.raises(ValueError, match="only once"):
        _ = [piece async for piece in form]

    class Anew:
        def __iter__(self):
            return iter([b"x"])

    form = encode_stream(files={"f": Anew()})
    assert list(form) == list(form)


async def test_a_file_that_gives_more_than_its_size_is_an_error(stream):
    class Growing(io.BytesIO):
        def read(self, size=-1):
            return super().read(size) * 2

    with pytest.raises(ValueError, match="more than its size"):
        await stream(files={"f": Growing(b"x")})


async def test_filename_that_is_not_utf8_is_sent_with_its_bytes_on_disk(stream, tmp_path):
    path = tmp_path / os.fsdecode(b"\xff.png")
    path.write_bytes(b"png")
    _, pieces = await stream(files={"f": path})
    assert b'filename="\xff.png"' in b"".join(pieces)


async def test_source_without_a_size_has_no_length(tools, stream):
    read, write = os.pipe()
    os.write(write, b"piped")
    os.close(write)
    with open(read, "rb") as pipe:
        for content, expected in (
            ((piece for piece in (b"ab", b"", bytearray(b"c"))), b"abc"),
            (io.StringIO("é"), "é".encode()),
            (pipe, b"piped"),
        ):
            form, pieces = await stream({"a": "1"}, {"f": (content, "f.bin")})
            assert form.content_length is None
            assert "Content-Length" not in form.headers
            check(
                tools,
                form,
                pieces,
                {"f": [("f.bin", "application/octet-stream", expected)]},
                {"a": ["1"]},
            )


def test_pipe_given_by_path_has_no_length_and_is_opened_each_time(tools, tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    form = encode_stream(files={"f": path})
    assert form.content_length is None
    for content in (b"one", b"two"):
        writer = threading.Thread(target=path.write_bytes, args=(content,))
        writer.start()
        check(tools, form, list(form), {"f": [("pipe", "application/octet-stream", content)]})
        writer.join()


async def test_asynchronous_contents(tools, path):
    class Stream:
        def __init__(self):
            self.file = path.open("rb")

        async def read(self, size):
            return self.file.read(size)

    async def pieces():
        yield CONTENT[:1000]
        yield CONTENT[1000:]

    for content in (pieces(), Stream()):
        form = encode_stream_async(files={"f": (content, "f.png")})
        found = [piece async for piece in form]
        assert form.content_length is None
        assert tools.parse(b"".join(found), form.content_type).files == {
            "f": [("f.png", "image/png", CONTENT)]
        }
        if isinstance(content, Stream):
            content.file.close()


async def agenerator():
    yield b"x"


@pytest.mark.parametrize(
    "content", [None, 1j, {"a": 1}, {b"x"}, ({},), {b"x": 1}.keys()], ids=repr
)
async def test_other_contents_are_refused_at_once(content):
    for function in (encode_stream, encode_stream_async):
        with pytest.raises(TypeError, match="must be text, bytes or a file"):
            function(files={"f": content})
        with pytest.raises(TypeError, match="must be text, bytes, a number or a file"):
            function({"a": (piece for piece in [b"x"])})


class AsyncFile:
    """A file that is read asynchronously, like the files of Starlette."""

    async def read(self, size=-1):
        raise AssertionError


@pytest.mark.parametrize("function", [encode, encode_stream])
@pytest.mark.parametrize("content", [agenerator(), AsyncFile()], ids=["iterable", "file"])
def test_error_for_asynchronous_content_names_the_function_that_accepts_it(function, content):
    for fields, files in ((), {"f": content}), ((), {"f": (content, "f")}), ({"a": content}, ()):
        with pytest.raises(TypeError, match="encode_stream_async takes asynchronous"):
            function(fields, files)


@pytest.mark.parametrize("content", [[b"x"], (b"x",), iter([b"x"])], ids=repr)
def test_error_for_chunks_names_the_function_that_accepts_them(content):
    with pytest.raises(TypeError, match="encode_stream takes an iterable of bytes"):
        encode(files={"f": (content, "f.txt")})


@pytest.mark.parametrize("content", [{b"x"}, frozenset([b"x"]), {b"x": 1}], ids=repr)
def test_refused_set_or_mapping_is_not_sent_to_encode_stream(content):
    for function in (encode, encode_stream):
        with pytest.raises(TypeError) as caught:
            function(files={"f": content})
        assert "encode_stream" not in str(caught.value)


BINARY = "application/octet-stream"


@pytest.mark.parametrize("kind", [list, tuple])
async def test_chunks_in_a_list_are_a_content_of_known_size(tools, stream, kind):
    chunks = kind([b"ab", bytearray(b"c"), "é", memoryview(b"d")])
    form, pieces = await stream(files={"f": (chunks, "f.bin"), "empty": (kind(), "e.bin")})
    assert form.content_length is not None
    files = {"f": [("f.bin", BINARY, "abcéd".encode())], "empty": [("e.bin", BINARY, b"")]}
    check(tools, form, pieces, files)


async def test_a_list_by_itself_is_several_files(tools, stream):
    form, pieces = await stream(files={"f": [b"ab", b"c", [b"d", b"e"]]})
    check(tools, form, pieces, {"f": [("f", BINARY, content) for content in (b"ab", b"c", b"de")]})


@pytest.mark.parametrize(
    ("change", "message"),
    [(list.clear, "3 bytes shorter"), (lambda chunks: chunks.append(b"!"), "1 bytes more")],
    ids=["shorter", "longer"],
)
async def test_a_list_that_changes_before_it_is_sent_is_an_error(change, message):
    chunks = [b"ab", b"c"]
    form = encode_stream(files={"f": (chunks, "f")})
    async_form = encode_stream_async(files={"f": (chunks, "f")})
    change(chunks)
    with pytest.raises(ValueError, match=message):
        list(form)
    with pytest.raises(ValueError, match=message):
        _ = [piece async for piece in async_form]


@pytest.mark.parametrize("content", [[1], [b"x", None], (b"x", [b"y"])], ids=repr)
def test_a_list_of_other_things_is_refused_at_once(content):
    for function in (encode_stream, encode_stream_async):
        with pytest.raises(TypeError, match="The content of a file has bytes, not"):
            function(files={"f": (content, "f")})


async def test_pieces_are_bytes_or_text(stream):
    with pytest.raises(TypeError, match="The content of a file has bytes, not int"):
        await stream(files={"f": iter([1])})


async def test_a_path_must_be_a_file(stream, tmp_path):
    with pytest.raises(FileNotFoundError):
        await stream(files={"f": tmp_path / "missing"})
    with pytest.raises(IsADirectoryError):
        await stream(files={"f": tmp_path})


async def test_a_file_that_became_shorter_is_an_error(stream, path):
    class Shrinking(io.BytesIO):
        def read(self, size=-1):
            return super().read(size)[: size // 2] if self.tell() == 0 else b""

    with pytest.raises(ValueError, match="shorter while it was sent"):
        await stream(files={"f": Shrinking(CONTENT)})


async def test_growing_file_is_sent_with_its_first_size(tools, path):
    form = encode_stream(files={"f": path})
    with path.open("ab") as file:
        file.write(b"more")
    check(tools, form, list(form), {"f": [("big.png", "image/png", CONTENT)]})


async def test_a_file_of_any_size_takes_little_memory(tmp_path):
    path = tmp_path / "f"
    with path.open("wb") as file:
        file.truncate(2**26)
    tracemalloc.start()
    form = encode_stream({"a": "1"}, {"f": path})
    assert sum(map(len, form)) == form.content_length
    form = encode_stream_async({"a": "1"}, {"f": path})
    assert sum([len(piece) async for piece in form]) == form.content_length
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2**21
