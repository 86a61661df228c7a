"""A read of the body that is interrupted loses nothing, or says what was lost."""

from __future__ import annotations

import asyncio
import random

import pytest

from roll_http import ClientDisconnected, HttpError, Request
from roll_http.body import HIGH_WATER, BodyStream

BODY = bytes(range(256)) * 40


def head(size: int | None) -> bytes:
    framing = "Transfer-Encoding: chunked" if size is None else f"Content-Length: {size}"
    return f"POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{framing}\r\n\r\n".encode()


def chunked(body: bytes, size: int = 1000) -> bytes:
    parts = [body[start : start + size] for start in range(0, len(body), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


async def read(request, got):
    got.append(await request.read())


async def load(request, got):
    await request.load_body()
    got.append(request.body)


async def iterate(request, got):
    async for chunk in request:
        got.append(chunk)


async def iterate_slowly(request, got):
    """A reader that can be cancelled while it handles a chunk."""
    async for chunk in request:
        got.append(chunk)
        await asyncio.sleep(0)


async def take_one(request, got):
    async for chunk in request:
        got.append(chunk)
        break
    else:
        raise EOFError


async def call_anext(request, got):
    chunks = aiter(request)
    while True:
        try:
            got.append(await anext(chunks))
        except StopAsyncIteration:
            return


READERS = [read, load, iterate, iterate_slowly, call_anext]


async def interrupted(reader, request, got):
    """Run a reader again and again, and cancel it wherever it waits."""
    while True:
        try:
            async with asyncio.timeout(0):
                return await reader(request, got)
        except TimeoutError:
            await asyncio.sleep(0)


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("framing", ["length", "chunked"])
async def test_reader_continues_after_each_timeout(serve, reader, framing):
    got = []

    async def handler(request, response):
        await interrupted(reader, request, got)

    message = head(None) + chunked(BODY) if framing == "chunked" else head(len(BODY)) + BODY
    connection = await (await serve(handler)).connect()
    for start in range(0, len(message), 700):
        connection.send(message[start : start + 700])
        await connection.writer.drain()
        for _ in range(4):
            await asyncio.sleep(0)
    assert (await connection.rest()).startswith(b"HTTP/1.1 200 ")
    assert b"".join(got) == BODY


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("seed", range(20))
async def test_nothing_is_lost_wherever_a_reader_is_cancelled(reader, seed):
    random_ = random.Random(seed)
    stream = BodyStream(None)
    request = Request(None, None)
    request.attach_body(stream)
    got, rest, task = [], BODY, None
    while task is None or not task.done() or task.cancelled():
        if task is None or task.done():
            task = asyncio.ensure_future(reader(request, got))
        event = random_.choice(["feed", "cancel", "turn", "turn"])
        if event == "feed":
            size = random_.choice([1, 50, 900])
            piece, rest = rest[:size], rest[size:]
            stream.feed(piece) if piece else stream.end()
        elif event == "cancel":
            task.cancel()
        await asyncio.sleep(0)
    task.result()
    assert b"".join(got) == BODY


async def test_a_loop_that_was_left_is_gone_on_with():
    request = Request(None, None)
    request.attach_body(stream := BodyStream(None))
    for number in range(5):
        stream.feed(b"%d" % number)
    stream.end()
    got = []
    with pytest.raises(EOFError):
        while True:
            await take_one(request, got)
    assert got == [b"0", b"1", b"2", b"3", b"4"]
    with pytest.raises(RuntimeError, match="only once"):
        await take_one(request, got)


@pytest.mark.parametrize("framing", ["length", "chunked"])
async def test_backpressure_holds_while_a_read_is_interrupted(serve, framing):
    size = 20 * HIGH_WATER
    interrupted_at = []

    async def handler(request, response):
        while not response.body:
            try:
                async with asyncio.timeout(0):
                    response.body = str(len(await request.read()))
            except TimeoutError:
                interrupted_at.append(request._stream.size)
                await asyncio.sleep(0)

    body = b"x" * size
    message = head(None) + chunked(body, 50_000) if framing == "chunked" else head(size) + body
    answer = await (await serve(handler)).exchange(message)
    assert answer.endswith(f"\r\n\r\n{size}")
    assert max(interrupted_at) > HIGH_WATER


async def test_other_readers_get_the_whole_body_when_one_is_cancelled():
    request = Request(None, None)
    request.attach_body(stream := BodyStream(None))
    readers = [asyncio.ensure_future(request.read()) for _ in range(3)]
    stream.feed(b"a")
    for _ in range(3):
        await asyncio.sleep(0)
    readers[0].cancel()
    await asyncio.wait([readers[0]])
    stream.feed(b"b")
    stream.end()
    assert await asyncio.gather(*readers[1:]) == [b"ab", b"ab"]


async def cancelled_read(request, stream):
    stream.feed(b"a")
    reading = asyncio.ensure_future(request.read())
    for _ in range(3):
        await asyncio.sleep(0)
    reading.cancel()
    await asyncio.wait([reading])


async def test_a_cancelled_read_may_be_followed_by_an_iteration():
    request = Request(None, None)
    request.attach_body(stream := BodyStream(None))
    await cancelled_read(request, stream)
    stream.feed(b"b")
    stream.end()
    assert [chunk async for chunk in request] == [b"a", b"b"]


async def test_after_a_part_was_streamed_the_whole_can_not_be_read():
    request = Request(None, None)
    request.attach_body(stream := BodyStream(None))
    stream.feed(b"a")
    await take_one(request, [])
    for _ in range(2):
        with pytest.raises(RuntimeError, match="A part of the body was streamed already"):
            await request.read()
    stream.feed(b"b")
    stream.end()
    assert [chunk async for chunk in request] == [b"b"]
    with pytest.raises(RuntimeError, match="only once"):
        await request.read()


class Shouting(Request):
    async def __aiter__(self):
        async for chunk in super().__aiter__():
            if chunk == b"?":
                raise HttpError(400, "No questions")
            yield chunk.upper()


async def test_read_after_a_cancelled_read_of_an_overridden_iteration_raises():
    request = Shouting(None, None)
    request.attach_body(stream := BodyStream(None))
    await cancelled_read(request, stream)
    stream.feed(b"b")
    stream.end()
    for _ in range(2):
        with pytest.raises(RuntimeError, match="the `__aiter__` of Shouting can't continue"):
            await request.read()


async def test_overridden_iteration_cancelled_before_the_first_chunk_continues():
    request = Shouting(None, None)
    request.attach_body(stream := BodyStream(None))
    reading = asyncio.ensure_future(request.read())
    for _ in range(3):
        await asyncio.sleep(0)
    reading.cancel()
    await asyncio.wait([reading])
    stream.feed(b"ab")
    stream.end()
    assert await request.read() == b"AB"


@pytest.mark.parametrize("whole", [False, True])
async def test_each_read_gets_the_error_of_an_overridden_iteration(whole):
    request = Shouting(None, None)
    if whole:
        request.attach_whole(b"?")
    else:
        request.attach_body(stream := BodyStream(None))
        stream.feed(b"?")
    for _ in range(2):
        with pytest.raises(HttpError, match="No questions"):
            await request.read()


@pytest.mark.parametrize("way", [read, iterate])
async def test_each_read_of_a_body_over_the_limit_gets_the_same_error(way):
    request = Request(None, None)
    request.attach_body(stream := BodyStream(None))
    request.max_body = 3
    stream.feed(b"ab")
    stream.feed(b"cd")
    for _ in range(2):
        with pytest.raises(HttpError) as caught:
            await way(request, [])
        assert caught.value.status == 413


@pytest.mark.parametrize("way", [read, iterate])
async def test_each_read_after_the_client_has_gone_gets_that_error(way):
    request = Request(None, None)
    request.attach_body(stream := BodyStream(None))
    await cancelled_read(request, stream)
    stream.fail(ClientDisconnected("gone"))
    for _ in range(2):
        with pytest.raises(ClientDisconnected):
            await way(request, [])


async def test_a_read_that_is_cancelled_after_the_answer_keeps_nothing():
    request = Request(None, None)
    request.attach_body(stream := BodyStream(None))
    stream.feed(b"a")
    reading = asyncio.ensure_future(request.read())
    for _ in range(3):
        await asyncio.sleep(0)
    stream.discard()
    reading.cancel()
    await asyncio.wait([reading])
    assert (stream.size, list(stream._chunks)) == (0, [])
    with pytest.raises(RuntimeError, match="answered before"):
        await request.read()


async def test_earlier_iterator_raises_when_another_one_has_taken_over():
    request = Request(None, None)
    request.attach_body(stream := BodyStream(None))
    for piece in (b"a", b"b", b"c"):
        stream.feed(piece)
    first = aiter(request)
    assert await anext(first) == b"a"
    second = aiter(request)
    assert await anext(second) == b"b"
    with pytest.raises(RuntimeError, match="being read elsewhere"):
        await anext(first)
    assert await anext(second) == b"c"


async def test_body_that_was_begun_as_a_form_is_not_read_further():
    """A parser of a form would take the rest for the whole."""
    request = Request(None, None)
    request.attach_body(stream := BodyStream(None))
    stream.feed(b"a")
    chunks = aiter(request)
    stream.handed_over = True
    assert await anext(chunks) == b"a"
    with pytest.raises(RuntimeError, match="as a form already"):
        aiter(request)
    stream.fail(ClientDisconnected("gone"))
    with pytest.raises(ClientDisconnected):
        aiter(request)
