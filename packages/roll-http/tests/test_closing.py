"""The stream of a response is always closed: sent, cut, refused, or never begun."""

from __future__ import annotations

import asyncio
import io

import pytest

from roll_http import ClientDisconnected, FileBody, HttpError, Response

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
LAST = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"


class AsyncIterator:
    """Notes each time that it is closed."""

    def __init__(self, items=(b"ab", b"cd")):
        self.items = list(items)
        self.closed = 0

    def __aiter__(self):
        return self

    async def __anext__(self):
        if not self.items:
            raise StopAsyncIteration
        if isinstance(self.items[0], Exception):
            raise self.items[0]
        return self.items.pop(0)

    async def aclose(self):
        await asyncio.sleep(0)
        self.closed += 1


class WithClose(AsyncIterator):
    """An iterator with `close` only."""

    aclose = None

    def close(self):
        self.closed += 1


class WithAsyncClose(AsyncIterator):
    """An iterator with an async `close`."""

    aclose = None

    async def close(self):
        await asyncio.sleep(0)
        self.closed += 1


class AsyncIterable(AsyncIterator):
    """Gives a generator each time, and is to be closed itself."""

    async def __aiter__(self):
        while self.items:
            yield await self.__anext__()

    __anext__ = AsyncIterator.__anext__


class Iterable(AsyncIterable):
    """An iterable that is not an iterator."""

    def __init__(self, items=(b"ab", b"cd")):
        super().__init__(items)
        self.inner = AsyncIterator(items)

    def __aiter__(self):
        return self.inner


class Iterator:
    def __init__(self, items=(b"ab", b"cd")):
        self.items = list(items)
        self.closed = 0

    def __iter__(self):
        return self

    def __next__(self):
        if not self.items:
            raise StopIteration
        if isinstance(self.items[0], Exception):
            raise self.items[0]
        return self.items.pop(0)

    def close(self):
        self.closed += 1


KINDS = [AsyncIterator, WithClose, WithAsyncClose, AsyncIterable, Iterable, Iterator]


async def until(condition):
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0)


def control(request, response):
    response.headers["A"] = "a\nb"


def no_name(request, response):
    response.headers["A b"] = "c"


def no_text(request, response):
    response.headers["A"] = "\ud800"


def bad_cookie(request, response):
    response.cookies["a b"] = "c"


def bad_length(request, response):
    response.headers["Content-Length"] = "many"


def bad_status(request, response):
    response.status = 101


def raised(request, response):
    raise RuntimeError("a mistake")


def refused(request, response):
    raise HttpError(403)


def cancelled_by_itself(request, response):
    raise asyncio.CancelledError


UNSENT = [
    *(control, no_name, no_text, bad_cookie, bad_length, bad_status),
    *(raised, refused, cancelled_by_itself),
]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("spoil", UNSENT)
@pytest.mark.parametrize("method", [b"GET", b"HEAD"])
async def test_the_stream_of_a_response_that_can_not_be_sent_is_closed(serve, kind, spoil, method):
    body = kind()

    async def handler(request, response):
        response.body = body
        spoil(request, response)

    answer = await (await serve(handler)).exchange(LAST.replace(b"GET", method))
    assert answer.startswith(f"HTTP/1.1 {403 if spoil is refused else 500} ")
    assert body.closed == 1


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("status", [200, 204, 205, 304])
@pytest.mark.parametrize("method", [b"GET", b"HEAD"])
@pytest.mark.parametrize("version", [b"1.0", b"1.1"])
async def test_the_stream_of_a_response_that_was_sent_is_closed(
    serve, kind, status, method, version
):
    body = kind()

    async def handler(request, response):
        response.body = body
        response.status = status

    request = LAST.replace(b"GET", method).replace(b"1.1", version)
    await (await serve(handler)).exchange(request)
    assert body.closed == 1
    if kind is Iterable:
        assert body.inner.closed == 1


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("items", [[OSError()], [b"a", OSError()], [object(), OSError()]])
@pytest.mark.parametrize("length", [None, 1, 5])
async def test_a_stream_that_fails_is_closed(serve, kind, items, length):
    body = kind(items)

    async def handler(request, response):
        response.body = body
        if length is not None:
            response.headers["Content-Length"] = length

    with pytest.raises(ConnectionError):
        await (await serve(handler)).exchange(LAST)
    assert body.closed == 1


class Endless(AsyncIterator):
    async def __anext__(self):
        await asyncio.sleep(0)
        return b"x" * 10_000


@pytest.mark.parametrize("way", ["abort", "close", "stop"])
async def test_a_stream_is_closed_when_its_client_goes_or_the_server_stops(serve, way):
    body = Endless()

    async def handler(request, response):
        response.body = body

    peer = await serve(handler)
    connection = await peer.connect(limit=1024)
    connection.send(GET)
    await connection.head()
    if way == "stop":
        await peer.server.stop(0)
    elif way == "abort":
        connection.abort()
    else:
        connection.writer.close()
    await until(lambda: body.closed)
    assert body.closed == 1


@pytest.mark.parametrize("way", ["gone", "cancelled", "stop", "raised"])
async def test_a_stream_is_closed_that_was_set_before_its_client_went(serve, way):
    body, begun, go_on = AsyncIterator(), asyncio.Event(), asyncio.Event()

    async def handler(request, response):
        response.body = body
        request.cancel_on_disconnect = way == "cancelled"
        begun.set()
        await go_on.wait()
        if way == "raised":
            raise ClientDisconnected("gone")

    peer = await serve(handler)
    connection = await peer.connect()
    connection.send(GET)
    await begun.wait()
    if way == "stop":
        await peer.server.stop(0)
    else:
        protocol = next(peer.server.connections)
        connection.abort()
        await until(lambda: protocol.gone)
        if way != "cancelled":
            go_on.set()
    await until(lambda: body.closed)


@pytest.mark.parametrize("kind", KINDS)
async def test_the_stream_of_the_response_that_was_given_is_closed_when_another_is_returned(
    serve, kind
):
    body = kind()

    async def handler(request, response):
        response.body = body
        other = Response(None, None)
        other.body = "other"
        return other

    assert (await (await serve(handler)).exchange(LAST)).endswith("other")
    assert body.closed == 1


@pytest.mark.parametrize("kind", KINDS)
async def test_a_stream_that_another_response_sends_is_closed_after_it(serve, kind):
    body, seen = kind(), []

    async def handler(request, response):
        response.body = body
        other = Response(None, None)

        async def wrapped():
            if kind is Iterator:
                for item in body:
                    yield item
            else:
                async for item in body:
                    yield item
            seen.append(body.closed)

        other.body = body if request.path == "/moved" else wrapped()
        return other

    peer = await serve(handler)
    assert "ab\r\n2\r\ncd" in await peer.exchange(LAST)
    assert (seen, body.closed) == ([0], 1)
    body.__init__()
    assert "ab\r\n2\r\ncd" in await peer.exchange(LAST.replace(b"/ ", b"/moved "))
    assert body.closed == 1


async def test_a_stream_returned_in_place_of_a_response_is_closed(serve, caplog):
    body = AsyncIterator()

    async def handler(request, response):
        return body

    assert (await (await serve(handler)).exchange(LAST)).startswith("HTTP/1.1 500 ")
    assert body.closed == 1


@pytest.mark.parametrize("way", ["returned", "raised"])
async def test_a_stream_is_closed_that_was_set_before_a_switch(serve, way):
    body = AsyncIterator()

    async def handler(request, response):
        response.body = body
        request.protocol.switch(asyncio.Protocol(), b"HTTP/1.1 101 Switching Protocols\r\n\r\n")
        if way == "raised":
            raise RuntimeError("a mistake")

    connection = await (await serve(handler)).connect()
    connection.send(GET)
    await connection.head()
    await until(lambda: body.closed)


async def test_a_generator_that_was_begun_runs_its_end(serve):
    ended = []

    async def handler(request, response):
        async def items():
            try:
                yield b"first"
                yield b"second"
            finally:
                ended.append(True)

        response.body = stream = items()
        assert await anext(stream) == b"first"
        response.headers["A"] = "\n"

    await (await serve(handler)).exchange(LAST)
    assert ended == [True]


@pytest.mark.parametrize("status", [200, 204])
async def test_an_open_file_is_closed_with_a_response_that_can_not_be_sent(
    serve, tmp_path, status
):
    path = tmp_path / "a"
    path.write_bytes(b"abc")
    files = [io.FileIO(path), path.open("rb"), io.BytesIO(b"abc")]

    async def handler(request, response):
        file = files[int(request.path[1:])]
        response.body = FileBody(file, 0, 3) if isinstance(file, io.FileIO) else file
        response.status = status
        response.headers["A"] = "\n"

    peer = await serve(handler)
    for number, file in enumerate(files):
        await peer.exchange(LAST.replace(b"/ ", b"/%d " % number))
        assert file.closed


async def test_an_error_while_a_stream_is_closed_is_logged_once_and_harms_nothing(serve, caplog):
    class Failing(AsyncIterator):
        async def aclose(self):
            raise OSError("while closing")

    async def handler(request, response):
        response.body = Failing()
        if request.path == "/":
            raise HttpError(409)

    answer = await (await serve(handler)).exchange(GET + LAST.replace(b"/ ", b"/sent "))
    assert answer.startswith("HTTP/1.1 409 ")
    assert answer.endswith("cd\r\n0\r\n\r\n")
    assert [record.getMessage() for record in caplog.records] == [
        "A streamed response failed while it was closed"
    ] * 2


async def test_stop_cancels_the_closing_of_a_stream_without_a_log(serve, caplog):
    closing, ended = asyncio.Event(), []

    class Hanging(AsyncIterator):
        async def aclose(self):
            closing.set()
            try:
                await asyncio.Event().wait()
            finally:
                ended.append(True)

    async def handler(request, response):
        response.body = Hanging()

    peer = await serve(handler)
    connection = await peer.connect()
    connection.send(GET)
    await closing.wait()
    await peer.server.stop(0)
    assert ended == [True]
    assert not caplog.records


async def test_iterable_that_is_not_an_iterator_is_not_closed(serve):
    """A channel of many clients, for example: only the iterator that it gave ends."""

    class Channel:
        closed = 0

        async def __aiter__(self):
            yield b"ab"

        def close(self):
            self.closed += 1

    channel = Channel()

    async def handler(request, response):
        response.body = channel

    peer = await serve(handler)
    for _ in range(2):
        assert "ab" in await peer.exchange(LAST)
    assert channel.closed == 0


async def test_body_that_is_a_class_is_not_streamed(serve, caplog):
    async def handler(request, response):
        response.body = AsyncIterator

    assert (await (await serve(handler)).exchange(LAST)).startswith("HTTP/1.1 500 ")
    assert len(caplog.records) == 1


async def test_the_next_request_waits_for_the_end_of_a_stream(serve):
    order = []

    class Slow(AsyncIterator):
        async def aclose(self):
            for _ in range(10):
                await asyncio.sleep(0)
            order.append("closed")

    async def handler(request, response):
        order.append(request.path)
        if request.path == "/":
            response.body = Slow()
            raise HttpError(409)

    await (await serve(handler)).exchange(GET + LAST.replace(b"/ ", b"/next "))
    assert order == ["/", "closed", "/next"]
