"""A read that fails or is cancelled loses nothing: the next one continues."""

import asyncio
import io

import pytest

from roll_multipart import LimitError, MultipartError, encode, parts, parts_async

FIELD, FILE = "hello wörld" * 10, bytes(range(256)) * 20
BODY, CONTENT_TYPE = encode({"a": FIELD}, {"f": (FILE, "f.bin")})
CHUNKS = [BODY[start : start + 37] for start in range(0, len(BODY), 37)]
ALL = {"a": FIELD.encode(), "f": FILE}


class Waiting:
    """Chunks of which each comes only after a read that waited for it was cancelled."""

    def __init__(self):
        self.chunks = iter([*CHUNKS, None])
        self.ready = asyncio.Queue()
        self.waits = asyncio.Event()

    async def next(self):
        self.waits.set()
        return await self.ready.get()

    async def finish(self, call):
        """Call it until it is not cancelled before it ends."""
        while True:
            task = asyncio.ensure_future(call())
            wait = asyncio.ensure_future(self.waits.wait())
            await asyncio.wait({task, wait}, return_when=asyncio.FIRST_COMPLETED)
            wait.cancel()
            if task.done():
                return task.result()
            self.waits.clear()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            self.ready.put_nowait(next(self.chunks, None))


class Stream:
    """A source with an asynchronous `read`, like the streams of asyncio and aiohttp."""

    def __init__(self, waiting):
        self.waiting = waiting

    async def read(self, size):
        return await self.waiting.next() or b""


class Iterator:
    """An asynchronous iterator, but not a generator."""

    def __init__(self, waiting):
        self.waiting = waiting

    def __aiter__(self):
        return self

    async def __anext__(self):
        if chunk := await self.waiting.next():
            return chunk
        raise StopAsyncIteration


def make_receive(waiting):
    async def receive():
        chunk = await waiting.next()
        return {"type": "http.request", "body": chunk or b"", "more_body": chunk is not None}

    return receive


class Request:
    """A source that receives its messages in a generator, like the requests of Starlette."""

    def __init__(self, waiting):
        self.receive = make_receive(waiting)

    async def stream(self):
        more = True
        while more:
            message = await self.receive()
            more = message["more_body"]
            yield message["body"]


async def read_whole(part, finish):
    return await finish(part.read_async)


async def read_text(part, finish):
    return (await finish(part.text_async)).encode() if part.name == "a" else FILE


async def read_some(part, finish):
    content = b""
    while piece := await finish(lambda: part.read_async(100)):
        assert len(piece) == 100 or len(content) + len(piece) == len(ALL[part.name])
        content += piece
    return content


async def read_pieces(part, finish):
    content = b""
    while piece := await finish(lambda: anext(aiter(part), b"")):
        content += piece
    return content


async def read_nested(part, finish):
    """Parse a part as a source; it is read and then refused, because it is not multipart."""
    if part.name == "a":
        return await finish(part.read_async)
    with pytest.raises(MultipartError, match="final boundary"):
        await finish(lambda: anext(parts_async("multipart/mixed; boundary=inner", part)))
    return FILE


READS = [read_whole, read_text, read_some, read_pieces]


@pytest.mark.parametrize("read", READS)
@pytest.mark.parametrize("make", [Stream, Iterator, make_receive, Request])
async def test_cancelled_read_continues_where_it_stopped(make, read):
    waiting = Waiting()
    found = parts_async(CONTENT_TYPE, make(waiting))
    contents = {}
    while part := await waiting.finish(lambda: anext(found, None)):
        contents[part.name] = await read(part, waiting.finish)
    assert contents == ALL
    assert next(waiting.chunks, "ended") == "ended"


async def test_cancelled_skip_continues_where_it_stopped():
    waiting = Waiting()
    found = parts_async(CONTENT_TYPE, Stream(waiting))
    names = []
    while part := await waiting.finish(lambda: anext(found, None)):
        names.append(part.name)
    assert names == ["a", "f"]


async def test_nested_part_continues_where_it_stopped():
    inner, inner_type = encode({"x": "1" * 100, "y": "2" * 100})
    body, content_type = encode(files={"f": (inner, "f", inner_type)})
    waiting = Waiting()
    waiting.chunks = iter([*[body[start : start + 20] for start in range(0, len(body), 20)], None])
    outer = parts_async(content_type, Stream(waiting))
    part = await waiting.finish(lambda: anext(outer))
    found, contents = parts_async(part.content_type, part), {}
    while nested := await waiting.finish(lambda: anext(found, None)):
        contents[nested.name] = await waiting.finish(nested.read_async)
    assert contents == {"x": b"1" * 100, "y": b"2" * 100}
    assert await waiting.finish(lambda: anext(outer, None)) is None


@pytest.mark.parametrize("read", READS)
async def test_error_says_that_a_generator_has_ended(read):
    async def generator():
        while chunk := await waiting.next():
            yield chunk

    waiting = Waiting()
    found = parts_async(CONTENT_TYPE, generator())
    message = r"rest of the body is lost: .* async_generator, ended with CancelledError\(\)"
    for _ in range(2):
        with pytest.raises(RuntimeError, match=message):
            while part := await waiting.finish(lambda: anext(found, None)):
                await read(part, waiting.finish)


async def test_request_that_cannot_be_resumed_raises_an_error_that_says_so():
    """It has a `stream`, but nothing tells that another one would go on."""

    class Other:
        async def stream(self):
            yield CHUNKS[0]
            raise TimeoutError("slow")

    found = parts_async(CONTENT_TYPE, Other())
    with pytest.raises(TimeoutError):
        await anext(found)
    with pytest.raises(RuntimeError, match=r"ended with TimeoutError\('slow'\)"):
        await anext(found)


async def test_a_body_that_was_complete_is_not_lost():
    async def generator():
        yield BODY
        raise TimeoutError

    found = parts_async(CONTENT_TYPE, generator())
    names = [(await anext(found)).name, (await anext(found)).name]
    assert names == ["a", "f"]
    with pytest.raises(TimeoutError):
        await anext(found)
    assert await anext(found, None) is None


async def test_a_body_that_ends_too_early_is_the_clients_fault_still():
    waiting = Waiting()
    waiting.chunks = iter([*CHUNKS[:40], None])
    found = parts_async(CONTENT_TYPE, Stream(waiting))
    part = await waiting.finish(lambda: anext(found))
    assert await waiting.finish(part.read_async) == FIELD.encode()
    part = await waiting.finish(lambda: anext(found))
    for _ in range(2):
        with pytest.raises(MultipartError, match="The body ended before its final boundary"):
            await waiting.finish(part.read_async)


class Slow(io.BytesIO):
    """A file whose every second read is too slow."""

    in_time = False

    def read(self, size=-1):
        self.in_time = not self.in_time
        if self.in_time:
            raise TimeoutError
        return super().read(min(size, 37))


class SlowIterator:
    """An iterator whose every second chunk is late at first."""

    def __init__(self):
        self.below = Slow(BODY)

    def __iter__(self):
        return self

    def __next__(self):
        if chunk := self.below.read(37):
            return chunk
        raise StopIteration


def in_time(call):
    while True:
        try:
            return call()
        except TimeoutError:
            continue


def environ(file):
    return {"wsgi.input": file, "CONTENT_LENGTH": str(len(BODY))}


@pytest.mark.parametrize("size", [None, 100, "pieces"])
@pytest.mark.parametrize(
    "make",
    [
        lambda: Slow(BODY),
        lambda: environ(Slow(BODY + b"more")),
        lambda: {"wsgi.input": Slow(BODY), "wsgi.input_terminated": True},
        SlowIterator,
    ],
    ids=["file", "wsgi", "terminated", "iterator"],
)
def test_an_error_of_the_source_loses_nothing(make, size):
    found, contents = parts(CONTENT_TYPE, make()), {}
    while part := in_time(lambda: next(found, None)):
        read = (lambda: next(part, b"")) if size == "pieces" else (lambda: part.read(size))
        content = b""
        while piece := in_time(read):
            content += piece
        contents[part.name] = content
    assert contents == ALL


def test_a_plain_generator_has_ended_too():
    def generator():
        yield CHUNKS[0]
        raise OSError("gone")

    found = parts(CONTENT_TYPE, generator())
    with pytest.raises(OSError, match="gone"):
        next(found)
    for _ in range(2):
        with pytest.raises(RuntimeError, match="generator, ended with OSError"):
            next(found)


async def test_content_before_an_error_of_the_body_can_be_read_again(tools):
    data = tools.part("a", b"x" * 100)[:-2] + b"\r\n--boundaryX"
    content_type = "multipart/form-data; boundary=boundary"
    part = next(parts(content_type, tools.pieces(data, 20)))
    async_part = await anext(parts_async(content_type, tools.pieces(data, 20)))
    for _ in range(2):
        assert part.read(50) == await async_part.read_async(50) == b"x" * 50
    assert part.read() == await async_part.read_async() == b""


async def test_text_past_a_limit_can_still_be_read_in_pieces(tools):
    data = tools.body(tools.part("a", b"x" * 100))
    content_type = "multipart/form-data; boundary=boundary"
    part = next(parts(content_type, tools.pieces(data, 7), max_field_size=50))
    async_part = await anext(parts_async(content_type, tools.pieces(data, 7), max_field_size=50))
    for _ in range(2):
        with pytest.raises(LimitError):
            part.read()
        with pytest.raises(LimitError):
            await async_part.text_async()
    assert part.read(60) == await async_part.read_async(60) == b"x" * 60
    assert part.read() == await async_part.read_async() == b"x" * 40


async def test_an_unknown_charset_takes_nothing_away(tools):
    data = tools.body(tools.part("a", b"abc", "Content-Type: text/plain; charset=martian"))
    content_type = "multipart/form-data; boundary=boundary"
    part = next(parts(content_type, data))
    with pytest.raises(MultipartError, match="martian"):
        part.text()
    assert part.read() == b"abc"
    async_part = await anext(parts_async(content_type, data))
    with pytest.raises(MultipartError, match="martian"):
        await async_part.text_async()
    assert await async_part.read_async() == b"abc"
