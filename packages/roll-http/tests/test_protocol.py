"""One connection, on a real socket: order, framing, limits, ends."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import gc
import logging

import pytest

from roll_http import (
    ClientDisconnected,
    Cookies,
    HttpError,
    HTTPProtocol,
    Limits,
    Request,
    Response,
    Server,
)
from roll_http.body import HIGH_WATER

GET = b"GET / HTTP/1.1\r\nHost: here\r\n\r\n"
LAST = b"GET /last HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n"


def get(path: str, *fields: str) -> bytes:
    return "\r\n".join([f"GET {path} HTTP/1.1", "Host: here", *fields, "", ""]).encode()


def post(body: bytes, *fields: str, path: str = "/") -> bytes:
    head = [f"POST {path} HTTP/1.1", "Host: here", f"Content-Length: {len(body)}", *fields, "", ""]
    return "\r\n".join(head).encode() + body


def bodies(answers: str) -> list[str]:
    """The bodies of answers that have a Content-Length, in order."""
    found = []
    while answers:
        head, _, answers = answers.partition("\r\n\r\n")
        length = int(head.lower().partition("content-length: ")[2].split("\r\n")[0])
        found.append(answers[:length])
        answers = answers[length:]
    return found


async def path(request, response):
    response.body = request.path


async def echo(request, response):
    response.body = await request.read()


async def stream_back(request, response):
    async def chunks():
        async for chunk in request:
            yield chunk

    response.body = chunks


async def test_a_request_is_answered_and_the_connection_kept(serve):
    peer = await serve(path)
    connection = await peer.connect()
    for name in ("/a", "/b"):
        connection.send(get(name))
        assert "HTTP/1.1 200 OK" in await connection.head()
        assert await connection.exactly(2) == name.encode()


async def test_connection_close_closes(serve):
    answer = await (await serve(path)).exchange(LAST)
    assert "Connection: close\r\n" in answer
    assert answer.endswith("/last")


async def test_pipelined_requests_are_answered_in_order_one_at_a_time(serve):
    release = asyncio.Event()
    running = []

    async def handler(request, response):
        running.append(request.path)
        if request.path == "/slow":
            assert running == ["/slow"]
            asyncio.get_running_loop().call_soon(release.set)
            await release.wait()
            assert running == ["/slow"]
        response.body = request.path

    peer = await serve(handler)
    assert bodies(await peer.exchange(get("/slow") + get("/fast") + LAST)) == [
        "/slow",
        "/fast",
        "/last",
    ]


async def test_many_pipelined_requests_are_all_answered(serve):
    peer = await serve(path)
    assert bodies(await peer.exchange(get("/a") * 500 + LAST)) == ["/a"] * 500 + ["/last"]


async def test_reading_pauses_when_a_client_pipelines_without_end(serve):
    release = asyncio.Event()

    async def handler(request, response):
        await release.wait()
        response.body = request.path

    peer = await serve(handler)
    connection = await peer.connect()
    connection.send(get("/a", "Filler: " + "x" * 4000) * 3000 + LAST)
    assert await connection.unsent() > 4_000_000
    release.set()
    answer = await connection.rest()
    assert answer.count(b"HTTP/1.1 200 OK") == 3001
    assert answer.endswith(b"/last")


async def test_each_request_has_its_own_task_and_context(serve):
    variable = contextvars.ContextVar("variable", default="unset")
    tasks = []

    async def handler(request, response):
        response.body = variable.get()
        variable.set(request.path)
        tasks.append(asyncio.current_task())
        if request.path == "/later":
            await asyncio.sleep(0)

    peer = await serve(handler)
    answer = await peer.exchange(get("/a") + get("/later") + get("/b") + LAST)
    assert bodies(answer) == ["unset"] * 4
    assert len(set(tasks)) == 4


@pytest.mark.parametrize("size", [1, 2, 3, 7, 30])
async def test_any_cut_of_the_input_gives_the_same_answers(serve, size):
    peer = await serve(echo)
    chunked = (
        b"POST / HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"3\r\nabc\r\n2;x\r\nde\r\n0\r\nT: v\r\n\r\n"
    )
    data = post(b"one") + chunked + GET + post(b"two") + LAST
    connection = await peer.connect()
    for start in range(0, len(data), size):
        connection.send(data[start : start + size])
        await asyncio.sleep(0)
    answer = (await connection.rest()).decode()
    assert bodies(answer) == ["one", "abcde", "", "two", ""]


async def test_a_bad_request_is_answered_and_nothing_after_it_runs(serve):
    peer = await serve(path)
    answer = await peer.exchange(get("/a") + b"GET  /b HTTP/1.1\r\n\r\n" + GET)
    assert answer.count("HTTP/1.1 200 OK") == 1
    assert answer.count("HTTP/1.1 400 Bad Request") == 1
    assert "Connection: close" in answer
    assert peer.app.seen == ["GET /a"]


async def test_input_after_a_refusal_is_read_so_that_the_answer_arrives(serve):
    peer = await serve()
    connection = await peer.connect()
    connection.send(b"GET /\r\n")
    assert "400" in await connection.head()
    connection.send(b"x" * 1000)
    assert b"Malformed request line" in await connection.rest()


async def test_lingering_ends_with_its_time_or_its_bytes(serve):
    peer = await serve(linger=10, linger_timeout=0.05)
    connection = await peer.connect()
    connection.send(b"GET /\r\n")
    assert "400" in await connection.head()
    connection.send(b"x" * 100)
    with pytest.raises(ConnectionError):
        while True:
            connection.send(b"x")
            await connection.writer.drain()
            await asyncio.sleep(0)
    idle = await peer.connect()
    idle.send(b"GET /\r\n")
    assert b"400" in await idle.rest()
    while any(peer.server.connections):
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("behind", [b"\r\n", b"x" * 1000], ids=["empty line", "much"])
async def test_an_answer_in_flight_is_not_cut_by_later_input(serve, behind):
    size = 20_000_000

    async def handler(request, response):
        response.body = b"x" * size

    peer = await serve(handler, linger=10, linger_timeout=0.05)
    connection = await peer.connect(limit=1024)
    connection.send(LAST + behind)
    await connection.head()
    protocol = next(peer.server.connections)
    received = 0
    while received < size:
        received += len(await connection.exactly(min(1_000_000, size - received)))
        if received == 2_000_000:
            while protocol.writer.corked or not protocol.transport.get_write_buffer_size():
                await asyncio.sleep(0)
        if received > 2_000_000:
            protocol.read_expired()  # time and again
    with contextlib.suppress(ConnectionError):
        assert await connection.rest() == b""
    while any(peer.server.connections):
        await asyncio.sleep(0.01)


async def test_an_error_of_the_application_is_a_logged_500_and_keeps_the_connection(serve, caplog):
    async def handler(request, response):
        if request.path == "/":
            raise RuntimeError("secret")
        response.body = "fine"

    answer = await (await serve(handler)).exchange(GET + LAST)
    assert bodies(answer) == ["Internal Server Error", "fine"]
    assert "500 Internal Server Error" in answer
    assert "secret" not in answer
    assert "secret" in caplog.text


async def test_an_http_error_of_the_application_is_answered(serve, caplog):
    class Teapot(HttpError):
        message = "short and stout"

        def __init__(self):
            self.status = 418

    async def handler(request, response):
        if request.path == "/":
            raise Teapot
        await request.read()

    peer = await serve(handler, body=10)
    length = b"POST /read HTTP/1.1\r\nHost: here\r\nContent-Length: 11\r\n\r\n"
    answer = await peer.exchange(GET + length + b"a" * 11 + LAST)
    assert "HTTP/1.1 418 I'm a Teapot\r\nContent-Type: text/plain; charset=utf-8" in answer
    assert "413 " in answer
    assert bodies(answer)[0] == "short and stout"
    assert not caplog.records


async def test_an_http_error_without_a_status_is_a_500(serve, caplog):
    class Unfinished(HttpError):
        def __init__(self):
            pass

    async def handler(request, response):
        raise Unfinished

    assert "500 Internal" in await (await serve(handler)).exchange(LAST)
    assert "Unfinished" in caplog.text


async def test_a_foreign_request_class_is_a_logged_500(serve, caplog):
    class Foreign(dict):
        def __init__(self, app, protocol):
            self.app = app

    peer = await serve()
    peer.app.Request = Foreign
    assert "500" in await peer.exchange(LAST)
    assert "has no attribute 'set_head'" in caplog.text
    assert len(caplog.records) == 1


async def test_a_handler_that_awaits_something_cancelled_is_a_500(serve):
    async def handler(request, response):
        future = asyncio.get_running_loop().create_future()
        future.cancel()
        await future

    assert "500 Internal" in await (await serve(handler)).exchange(LAST)


@pytest.mark.parametrize("value", ["a\r\nSet-Cookie: evil=1", "a\0b"])
async def test_nothing_is_injected_by_a_header(serve, caplog, value):
    async def handler(request, response):
        response.headers["X-A"] = value

    answer = await (await serve(handler)).exchange(LAST)
    assert answer.startswith("HTTP/1.1 500 ")
    assert "evil" not in answer
    assert "control character" in caplog.text


async def test_on_answered_gets_the_length_of_the_body(serve):
    seen = []

    class Seeing(HTTPProtocol):
        def on_answered(self, request, response, size):
            seen.append((request.path, response.status, size))

    async def handler(request, response):
        async def body():
            yield "abc"
            yield "de"

        bodies = {"/large": b"x" * 200_000, "/stream": body}
        response.body = bodies.get(request.path, request.path)

    peer = await serve(handler)
    peer.server._factory = lambda: Seeing(peer.app)
    head = get("/stream").replace(b"GET", b"HEAD")
    await peer.exchange(get("/large") + get("/stream") + head + LAST)
    assert seen == [
        ("/large", 200, 200_000),
        ("/stream", 200, 5),
        ("/stream", 200, 0),
        ("/last", 200, 5),
    ]


@pytest.mark.parametrize("size", [50_000_000, 1000])
async def test_on_answered_gets_the_size_written_of_an_aborted_body(serve, size):
    seen = []
    gone = asyncio.Event()

    class Seeing(HTTPProtocol):
        def on_answered(self, request, response, size):
            seen.append(size)

        def connection_lost(self, exc):
            super().connection_lost(exc)
            gone.set()

    async def handler(request, response):
        if size == 1000:
            await gone.wait()
        response.body = b"x" * size

    peer = await serve(handler)
    peer.server._factory = lambda: Seeing(peer.app)
    connection = await peer.connect()
    connection.send(GET)
    if size > 1000:
        await connection.exactly(10_000_000)
    connection.abort()
    while not seen:
        await asyncio.sleep(0.01)
    assert (10_000_000 < seen[0] < size) if size > 1000 else seen == [0]


# Bodies of requests.


async def test_a_large_body_is_loaded_whole(serve):
    body = bytes(range(256)) * 8192
    peer = await serve(echo)
    connection = await peer.connect()
    connection.send(post(body, "Connection: close"))
    answer = await connection.rest()
    assert answer.endswith(b"\r\n\r\n" + body)


async def test_a_complete_body_is_read_even_above_the_high_water_mark(serve):
    async def handler(request, response):
        while not request._stream.complete:
            await asyncio.sleep(0)
        response.body = str(len(await request.read()))

    peer = await serve(handler)
    answer = await peer.exchange(post(bytes(HIGH_WATER + 1), "Connection: close"))
    assert bodies(answer) == [str(HIGH_WATER + 1)]


async def test_a_body_larger_than_the_limit_is_a_413(serve):
    async def handler(request, response):
        try:
            await request.read()
        except HttpError as error:
            response.status = error.status

    peer = await serve(handler, body=10)
    assert "413" in await peer.exchange(post(b"x" * 11, "Connection: close"))
    assert "200" in await peer.exchange(post(b"x" * 10, "Connection: close"))


async def test_reading_pauses_while_the_handler_does_not_read(serve):
    release = asyncio.Event()
    size = 8 * 1024 * 1024

    async def handler(request, response):
        await release.wait()
        response.body = sum([len(chunk) async for chunk in request])

    peer = await serve(handler)
    connection = await peer.connect()
    connection.send(post(b"x" * size, "Connection: close"))
    assert await connection.unsent() > size // 4
    release.set()
    assert bodies((await connection.rest()).decode()) == [str(size)]


async def test_100_continue_is_sent_when_the_body_is_read_and_only_then(serve):
    peer = await serve(echo)
    connection = await peer.connect()
    connection.send(post(b"", "Expect: 100-continue").replace(b"Length: 0", b"Length: 3"))
    assert await connection.head() == "HTTP/1.1 100 Continue\r\n\r\n"
    connection.send(b"abc" + LAST)
    assert bodies((await connection.rest()).decode()) == ["abc", ""]


async def test_a_client_that_did_not_wait_gets_no_100(serve):
    peer = await serve(echo)
    answer = await peer.exchange(post(b"abc", "Expect: 100-continue", "Connection: close"))
    assert "100 Continue" not in answer


async def test_no_100_is_sent_within_a_response_that_reads_the_body(serve):
    peer = await serve(stream_back)
    connection = await peer.connect()
    connection.send(post(b"", "Expect: 100-continue").replace(b"Length: 0", b"Length: 5"))
    assert "HTTP/1.1 200 OK" in await connection.head()
    connection.send(b"hello")
    assert await connection.rest() == b"5\r\nhello\r\n0\r\n\r\n"


async def test_a_stream_that_reads_a_malformed_body_is_logged(serve, caplog):
    peer = await serve(stream_back)
    connection = await peer.connect()
    connection.send(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n")
    await connection.until(b"a\r\n")
    connection.send(b"no size\r\n")
    with pytest.raises(ConnectionError):
        await connection.rest()
    (record,) = caplog.records
    assert "Malformed chunked body" in record.getMessage()
    assert record.exc_info is None


@pytest.mark.parametrize(
    ("field", "rest"),
    [("Content-Length: 10", b"67890"), ("Transfer-Encoding: chunked", b"5\r\n67890\r\n0\r\n\r\n")],
    ids=["length", "chunked"],
)
async def test_reading_the_body_after_the_answer_raises_and_does_not_block_the_connection(
    serve, field, rest
):
    readers = []

    async def read(request):
        return [chunk async for chunk in request]

    async def handler(request, response):
        readers.append(asyncio.create_task(read(request)))
        await asyncio.sleep(0)
        response.body = "accepted"

    peer = await serve(handler, keep_alive_timeout=0.1)
    connection = await peer.connect()
    begin = b"12345" if "Length" in field else b"5\r\n12345\r\n"
    head = f"POST / HTTP/1.1\r\nHost: here\r\n{field}\r\n\r\n".encode()
    connection.send(head + begin)
    await connection.until(b"accepted")
    connection.send(rest)
    assert await connection.rest() == b""  # its idle time is over
    with pytest.raises(RuntimeError, match="answered before its body"):
        await readers[0]


async def test_a_method_changed_by_the_handler_does_not_change_the_framing(serve):
    async def handler(request, response):
        request.method = "GET"
        response.body = "not for a HEAD"

    peer = await serve(handler)
    connection = await peer.connect()
    connection.send(b"HEAD / HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n")
    assert "Content-Length: 14" in await connection.head()
    assert await connection.rest() == b""


async def test_proxy_connection_is_ignored(serve):
    peer = await serve(path)
    assert bodies(await peer.exchange(get("/a", "Proxy-Connection: close") + LAST)) == [
        "/a",
        "/last",
    ]


@pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt])
@pytest.mark.parametrize("when", ["at once", "later", "sent", "streamed", "closed"])
def test_an_exception_that_ends_the_program_leaves_no_request(caplog, kind, when):
    class Ending(Response):
        """Ends the program when its headers are read, or when its body is."""

        headers = property(lambda self: ended() if when == "sent" else {}, lambda *_: None)
        body = property(lambda self: ended() if when == "closed" else b"", lambda *_: None)

    def ended():
        raise kind

    async def pieces():
        yield b"first"
        raise kind

    class App:
        Request, Cookies, limits = Request, Cookies, Limits()
        Response = Ending if when == "closed" else Response

        async def __call__(self, request, response):
            if when == "later":
                await asyncio.sleep(0)
            if when == "sent":
                return Ending(None, None)
            if when == "streamed":
                response.body = pieces()
                return response
            if when == "closed":  # the body of the response that is not sent is read
                raise HttpError(409)
            raise kind

    async def ask():
        await server.listen("127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname()[:2])
        writer.write(GET)
        with contextlib.suppress(ConnectionError):
            assert await reader.read() == b""
        writer.close()

    async def stop():
        async with asyncio.timeout(5):
            await server.stop(5)

    app = App()
    server = Server(lambda: HTTPProtocol(app), app.limits)
    loop = asyncio.new_event_loop()
    asked = loop.create_task(ask())
    with contextlib.suppress(kind):
        loop.run_until_complete(asked)
    loop.run_until_complete(stop())  # which would wait for a request
    loop.run_until_complete(asked)
    loop.close()
    assert [record for record in caplog.records if record.name == "roll_http"] == []
    gc.collect()  # asyncio logs the error of the task here, and not in another test


@pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt])
@pytest.mark.parametrize("turns", [0, 1])
def test_observer_that_ends_the_program_leaves_no_request(kind, turns):
    class Ending(HTTPProtocol):
        def on_answered(self, request, response, size):
            raise kind

    class App:
        Request, Response, Cookies, limits = Request, Response, Cookies, Limits()

        async def __call__(self, request, response):
            for _ in range(turns):
                await asyncio.sleep(0)
            return response

    async def ask():
        await server.listen("127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname()[:2])
        writer.write(GET)
        with contextlib.suppress(ConnectionError):
            await reader.read()
        writer.close()

    async def stop():
        async with asyncio.timeout(5):
            await server.stop(5)

    app = App()
    server = Server(lambda: Ending(app), app.limits)
    loop = asyncio.new_event_loop()
    asked = loop.create_task(ask())
    with pytest.raises(kind):
        loop.run_until_complete(asked)
    loop.run_until_complete(stop())  # which would wait for a request
    loop.run_until_complete(asked)
    loop.close()
    gc.collect()  # asyncio logs the error of the task here, and not in another test


ODD = [GeneratorExit, type("Odd", (BaseException,), {})]


@pytest.mark.parametrize("turns", [0, 1, 3])
@pytest.mark.parametrize("kind", ODD)
async def test_base_exception_of_a_handler_is_logged_once_and_a_500(serve, caplog, kind, turns):
    async def handler(request, response):
        if request.path == "/":
            for _ in range(turns):
                await asyncio.sleep(0)
            raise kind("broken")
        response.body = "fine"

    answer = await (await serve(handler)).exchange(GET + LAST)
    assert bodies(answer) == ["Internal Server Error", "fine"]
    gc.collect()  # asyncio logs the error of a task that nothing has awaited
    (record,) = caplog.records
    assert str(record.exc_info[1]) == "broken"


@pytest.mark.parametrize("kind", ODD)
async def test_base_exception_of_a_field_is_logged_once_and_a_500(serve, caplog, kind):
    class Text:
        def __str__(self):
            raise kind("broken")

    async def handler(request, response):
        response.headers["X-A"] = Text() if request.path == "/" else "a"
        response.body = "fine"

    answer = await (await serve(handler)).exchange(GET + LAST)
    assert bodies(answer) == ["Internal Server Error"]
    (record,) = caplog.records
    assert str(record.exc_info[1]) == "broken"


async def test_closing_a_waiting_coroutine_logs_nothing(serve, caplog):
    """Python closes the coroutine of a task that is collected, maybe within another task."""
    closed, begun = [], asyncio.Event()

    async def handler(request, response):
        begun.set()
        try:
            await asyncio.get_running_loop().create_future()
        except GeneratorExit:
            closed.append(request.path)
            raise

    peer = await serve(handler)
    connection = await peer.connect()
    connection.send(GET)
    await begun.wait()
    (protocol,) = peer.server.connections
    task = protocol.exchange.task
    task.get_coro().close()
    with contextlib.suppress(ConnectionError):
        assert await connection.rest() == b""
    task.cancel()
    await asyncio.wait([task])
    assert (closed, caplog.records) == (["/"], [])


async def test_an_answer_without_reading_an_expected_body_closes(serve):
    peer = await serve(path)
    head = post(b"", "Expect: 100-continue").replace(b"Length: 0", b"Length: 3")
    answer = await peer.exchange(head)
    assert "100 Continue" not in answer
    assert "Connection: close" in answer


async def test_an_unread_body_is_skipped_and_the_connection_kept(serve):
    peer = await serve(path)
    connection = await peer.connect()
    connection.send(post(b"", path="/a").replace(b"Length: 0", b"Length: 6"))
    assert "200 OK" in await connection.head()
    assert await connection.exactly(2) == b"/a"
    connection.send(b"GET")
    await asyncio.sleep(0)
    connection.send(b" / " + LAST)
    assert bodies((await connection.rest()).decode()) == ["/last"]
    assert peer.app.seen == ["POST /a", "GET /last"]


async def test_a_long_unread_body_closes(serve):
    peer = await serve(path, unread_body=10)
    measured = await peer.exchange(post(b"", path="/a").replace(b"Length: 0", b"Length: 11"))
    assert "Connection: close" in measured
    head = b"POST / HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunked = await peer.exchange(head + b"5\r\nabcde\r\n" * 5)
    assert chunked.count("HTTP/1.1") == 1


async def test_an_unread_body_that_never_ends_closes_after_body_timeout(serve):
    peer = await serve(path, body_timeout=0.05)
    assert "200 OK" in await peer.exchange(post(b"ab").replace(b"Length: 2", b"Length: 3"))


async def test_a_broken_chunk_is_raised_where_the_body_is_read(serve):
    async def handler(request, response):
        try:
            await request.read()
        except HttpError as error:
            response.status, response.body = error.status, error.message

    peer = await serve(handler)
    head = b"POST / HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\r\n"
    answer = await peer.exchange(head + b"nonsense\r\n" + GET)
    assert answer.startswith("HTTP/1.1 400")
    assert "Connection: close" in answer
    assert peer.app.seen == ["POST /"]


async def test_a_broken_chunk_in_an_unread_body_closes(serve):
    peer = await serve(path)
    connection = await peer.connect()
    connection.send(b"POST / HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\r\n")
    assert "200 OK" in await connection.head()
    connection.send(b"nonsense\r\n" + GET)
    assert await connection.rest() == b"/"
    assert peer.app.seen == ["POST /"]


async def test_handler_that_waits_for_a_body_gets_client_disconnected(serve):
    errors = asyncio.Queue()

    async def handler(request, response):
        try:
            await request.read()
        except ClientDisconnected as error:
            errors.put_nowait(error)
            raise

    peer = await serve(handler)
    connection = await peer.connect()
    connection.send(post(b"abc").replace(b"Length: 3", b"Length: 9"))
    await asyncio.sleep(0)
    connection.abort()
    async with asyncio.timeout(10):
        assert isinstance(await errors.get(), ConnectionError)


# Bodies of responses.


async def test_a_stream_is_sent_in_chunks_and_empty_ones_are_skipped(serve):
    async def handler(request, response):
        async def body():
            yield "a"
            yield ""
            yield b"bc"

        response.body = body

    answer = await (await serve(handler)).exchange(get("/", "Connection: close"))
    assert answer.endswith("\r\n\r\n1\r\na\r\n2\r\nbc\r\n0\r\n\r\n")


async def test_large_chunks_and_long_streams_arrive_whole(serve):
    chunk = bytes(range(256)) * 1024

    async def handler(request, response):
        async def body():
            for _ in range(10):
                yield chunk

        response.headers["Content-Length"] = 10 * len(chunk)
        response.body = body()

    peer = await serve(handler)
    connection = await peer.connect(limit=2**16)
    connection.send(LAST)
    assert (await connection.rest()).endswith(b"\r\n\r\n" + chunk * 10)


@pytest.mark.parametrize("length", [None, 1, 100])
async def test_a_failing_stream_never_looks_complete(serve, caplog, length):
    closed = []

    async def handler(request, response):
        async def body():
            try:
                yield b"abc"
                raise RuntimeError("broken stream")
            finally:
                closed.append(True)

        if length is not None:
            response.headers["Content-Length"] = length
        response.body = body()

    peer = await serve(handler)
    connection = await peer.connect()
    connection.send(GET)
    with pytest.raises(ConnectionError):
        await connection.rest()
    assert closed == [True]
    assert "failed after its head was sent, for GET b'/'" in caplog.text


async def test_a_stream_without_aclose_is_sent(serve):
    class Once:
        def __init__(self):
            self.items = [b"a"]

        def __aiter__(self):
            return self

        async def __anext__(self):
            if self.items:
                return self.items.pop()
            raise StopAsyncIteration

    async def handler(request, response):
        response.body = Once()

    assert "1\r\na\r\n0\r\n\r\n" in await (await serve(handler)).exchange(LAST)


async def test_stream_is_closed_unsent_for_head(serve):
    closed = []

    class Body:
        def __aiter__(self):
            return self

        async def __anext__(self):
            raise AssertionError("not to be asked")

        async def aclose(self):
            closed.append(True)

    async def handler(request, response):
        response.body = Body()

    answer = await (await serve(handler)).exchange(LAST.replace(b"GET", b"HEAD"))
    assert answer.endswith("\r\n\r\n")
    assert closed == [True]


@pytest.fixture
def endless():
    """A handler whose stream ends only when it is closed, and says so."""
    closed = asyncio.Event()

    async def handler(request, response):
        async def body():
            try:
                while True:
                    yield b"x" * 50_000
                    await asyncio.sleep(0)
            finally:
                closed.set()
                raise RuntimeError("while closing")

        response.body = body()

    handler.closed = closed
    return handler


async def test_stream_is_closed_at_once_when_the_client_disconnects(serve, endless, caplog):
    peer = await serve(endless)
    connection = await peer.connect()
    connection.send(GET)
    await connection.head()
    connection.abort()
    async with asyncio.timeout(10):
        await endless.closed.wait()
    while any(peer.server.connections):
        await asyncio.sleep(0)
    assert [record.message for record in caplog.records if record.levelno >= logging.ERROR] in (
        ["A streamed response failed while it was closed"],
        [],
    )


async def test_a_stream_for_a_client_that_has_gone_is_not_begun(serve):
    left = asyncio.Event()
    asked = []

    async def handler(request, response):
        async def body():
            asked.append(True)
            yield b"x"

        while not await request.disconnected():
            pass
        left.set()
        response.body = body()

    peer = await serve(handler)
    connection = await peer.connect()
    connection.send(GET)
    connection.send_eof()
    with pytest.raises(ConnectionError):
        await connection.rest()
    assert left.is_set()
    assert asked == []


async def test_a_slow_reader_holds_the_stream_back(serve):
    sent = 0

    async def handler(request, response):
        async def body():
            nonlocal sent
            for _ in range(1000):
                sent += 1
                yield b"x" * 64 * 1024

        response.body = body()

    peer = await serve(handler)
    connection = await peer.connect(limit=1024)
    connection.send(LAST)
    await connection.head()
    before = -1
    while sent > before:
        before = sent
        for _ in range(50):
            await asyncio.sleep(0)
    assert sent < 1000
    connection.abort()


async def test_a_client_that_reads_nothing_is_aborted(serve):
    async def handler(request, response):
        response.body = b"x" * 50_000_000

    peer = await serve(handler, write_timeout=0.05)
    connection = await peer.connect(limit=1024)
    connection.send(GET)
    await connection.head()
    while any(peer.server.connections):
        await asyncio.sleep(0.01)
    with pytest.raises(ConnectionError):
        await connection.rest()


async def test_a_slow_reader_that_progresses_is_served(serve):
    async def handler(request, response):
        response.body = b"x" * 20_000_000

    peer = await serve(handler)
    connection = await peer.connect(limit=1024)
    connection.send(LAST)
    await connection.head()
    protocol = next(peer.server.connections)
    while protocol.write_deadline:
        await asyncio.sleep(0)
    protocol.write_expired()
    assert len(await connection.rest()) == 20_000_000


# Clients that leave.


async def test_a_half_closed_connection_is_still_answered(serve):
    async def handler(request, response):
        while not await request.disconnected():
            pass
        response.body = "answered"

    peer = await serve(handler)
    connection = await peer.connect()
    connection.send(GET)
    connection.send_eof()
    assert (await connection.rest()).endswith(b"answered")


async def test_handler_runs_to_its_end_after_its_client_disconnected(serve, caplog):
    done = asyncio.Event()

    async def handler(request, response):
        while not await request.disconnected():
            pass
        response.body = b"x" * 100_000
        done.set()

    peer = await serve(handler)
    connection = await peer.connect()
    connection.send(GET)
    await asyncio.sleep(0)
    connection.abort()
    async with asyncio.timeout(10):
        await done.wait()
    assert not caplog.records


async def test_cancel_on_disconnect_cancels_the_handler(serve, caplog):
    cancelled = asyncio.Event()

    async def handler(request, response):
        request.cancel_on_disconnect = True
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            cancelled.set()

    peer = await serve(handler)
    connection = await peer.connect()
    connection.send(GET)
    await asyncio.sleep(0)
    connection.abort()
    async with asyncio.timeout(10):
        await cancelled.wait()
    assert not caplog.records


async def test_a_handler_may_ask_to_be_cancelled_when_its_client_has_gone_already(serve, caplog):
    seen = []

    async def handler(request, response):
        if request.path == "/":
            while not await request.disconnected():
                pass
            return
        request.cancel_on_disconnect = True
        seen.append("goes on until it waits")
        await asyncio.sleep(0)
        seen.append("not this")

    peer = await serve(handler)
    connection = await peer.connect()
    connection.send(GET * 2 + GET.replace(b"/", b"/next", 1))
    connection.send_eof()
    with contextlib.suppress(ConnectionError):
        await connection.rest()
    assert seen == ["goes on until it waits"]
    assert not caplog.records


async def test_an_idle_connection_that_ends_is_closed(serve):
    peer = await serve(path)
    connection = await peer.connect()
    connection.send(GET)
    await connection.head()
    connection.send_eof()
    assert await connection.rest() == b"/"


# Time.


async def test_an_idle_connection_is_closed_after_keep_alive_timeout(serve):
    peer = await serve(keep_alive_timeout=0.05)
    assert await peer.exchange(b"") == ""
    assert (await peer.exchange(GET)).endswith("hello")


@pytest.mark.parametrize("start", [b"GET / HT", b"\r\n", GET + b"G"])
async def test_a_head_that_takes_too_long_is_a_408(serve, start):
    peer = await serve(head_timeout=0.05)
    assert "408 Request Timeout" in await peer.exchange(start)


async def test_slow_bytes_do_not_extend_the_deadline_of_a_head(serve):
    peer = await serve(head_timeout=0.1)
    connection = await peer.connect()
    connection.send(b"GET / HTTP/1.1\r\n")

    async def drip():
        while True:
            connection.send(b"A: b\r\n")
            await asyncio.sleep(0.01)

    dripping = asyncio.ensure_future(drip())
    assert "408" in await connection.head()
    dripping.cancel()


@pytest.mark.parametrize("limits", [{"body_timeout": 0.05}, {"body_rate_window": 0.05}])
async def test_body_that_arrives_too_slowly_is_a_408_in_the_handler(serve, limits):
    async def handler(request, response):
        try:
            await request.read()
        except HttpError as error:
            response.status = error.status

    peer = await serve(handler, **limits)
    answer = await peer.exchange(post(b"ab").replace(b"Length: 2", b"Length: 3"))
    assert answer.startswith("HTTP/1.1 408")
    assert "Connection: close" in answer


@pytest.mark.parametrize("limits", [{"body_timeout": 0.2}, {"body_rate_window": 0.2}])
async def test_time_of_a_body_is_never_over_too_early(serve, limits):
    loop = asyncio.get_running_loop()

    async def handler(request, response):
        begun = loop.time()
        with pytest.raises(HttpError):
            await request.read()
        response.body = str(loop.time() - begun)

    peer = await serve(handler, **limits)

    async def seconds(number):
        await asyncio.sleep(number * 0.007)  # at any time between two ticks
        answer = await peer.exchange(post(b"ab").replace(b"Length: 2", b"Length: 3"))
        return float(answer.rpartition("\r\n\r\n")[2])

    assert min(await asyncio.gather(*map(seconds, range(20)))) >= 0.2


async def test_the_time_of_a_slow_handler_does_not_count_against_the_client(serve):
    release = asyncio.Event()

    async def handler(request, response):
        first = await anext(aiter(request))
        await release.wait()
        response.body = first

    peer = await serve(handler, body_timeout=0.02)
    connection = await peer.connect()
    connection.send(post(b"ab").replace(b"Length: 2", b"Length: 3"))
    await asyncio.sleep(0.1)
    release.set()
    assert "200 OK" in await connection.head()


async def test_too_many_connections_are_a_503(serve):
    peer = await serve(connections=1)
    first = await peer.connect()
    first.send(GET)
    await first.head()
    assert "503 Service Unavailable" in await peer.exchange(b"")


async def test_connections_are_counted_by_application(serve):
    busy, other = await serve(connections=1), await serve(connections=1)
    first = await busy.connect()
    first.send(GET)
    await first.head()
    assert "200 OK" in await other.exchange(LAST)
    first.abort()
    while any(busy.server.connections):
        await asyncio.sleep(0.01)
    assert "200 OK" in await busy.exchange(LAST)


# Upgrades.


class Shout(asyncio.Protocol):
    """Another protocol: what it gets comes back in capitals."""

    def __init__(self) -> None:
        self.done = asyncio.get_running_loop().create_future()
        self.going = False

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.transport.write(data.upper())

    def connection_lost(self, error):
        self.done.set_result(None)

    def shutdown(self):
        self.going = True
        self.transport.close()


@pytest.fixture
def shouting():
    async def handler(request, response):
        response.body = "plain"
        if request.upgrade == "shout":
            while request.path == "/half" and not await request.disconnected():
                pass
            handler.protocol = shout = Shout()
            request.protocol.switch(shout, b"HTTP/1.1 101 Switching Protocols\r\n\r\n")
            await shout.done

    return handler


UPGRADE = get("/", "Connection: upgrade", "Upgrade: shout")


async def test_a_connection_is_handed_over_with_the_bytes_that_followed(serve, shouting):
    peer = await serve(shouting)
    connection = await peer.connect()
    connection.send(UPGRADE + b"hello")
    assert "101" in await connection.head()
    assert await connection.exactly(5) == b"HELLO"
    connection.send(b"more")
    assert await connection.exactly(4) == b"MORE"
    connection.send_eof()
    assert await connection.rest() == b""
    assert not any(peer.server.connections)


async def test_a_half_closed_connection_is_handed_over_as_such(serve, shouting):
    peer = await serve(shouting)
    connection = await peer.connect()
    connection.send(UPGRADE.replace(b"GET /", b"GET /half"))
    connection.send_eof()
    assert b"101" in await connection.rest()


async def test_no_connection_is_handed_over_once_it_is_lost(serve):
    errors = asyncio.Queue()

    async def handler(request, response):
        while not request.protocol.transport.is_closing():
            await asyncio.sleep(0)
        try:
            request.protocol.switch(Shout())
        except ClientDisconnected as error:
            errors.put_nowait(error)

    peer = await serve(handler)
    connection = await peer.connect()
    connection.send(UPGRADE)
    await asyncio.sleep(0)
    connection.abort()
    async with asyncio.timeout(10):
        await errors.get()


async def test_an_ignored_upgrade_is_answered_like_any_request(serve):
    peer = await serve(echo)
    fields = ("Connection: upgrade", "Upgrade: h2c")
    answer = await peer.exchange(post(b"GET / HTTP/1.1\r\n\r\n", *fields) + LAST)
    assert bodies(answer) == ["GET / HTTP/1.1\r\n\r\n", ""]


async def test_the_protocol_of_a_switch_is_shut_down_by_a_stop(serve, shouting):
    peer = await serve(shouting)
    connection = await peer.connect()
    connection.send(UPGRADE)
    await connection.head()
    await peer.server.stop()
    assert shouting.protocol.going


# TLS.


async def test_over_tls_the_scheme_is_https(serve, tls):
    async def handler(request, response):
        response.body = f"{request.scheme} {request.client[0]}"

    server, client = tls
    peer = await serve(handler, tls=server)
    connection = await peer.connect(ssl=client, server_hostname="localhost")
    connection.send(LAST)
    assert (await connection.rest()).endswith(b"https 127.0.0.1")


async def test_over_tls_a_refusal_closes(serve, tls):
    server, client = tls
    peer = await serve(tls=server, linger_silence=0.05)
    connection = await peer.connect(ssl=client, server_hostname="localhost")
    connection.send(b"GET /\r\n")
    assert b"400" in await connection.rest()


async def test_a_peer_on_a_unix_socket_has_no_address():
    class Transport(asyncio.Transport):
        def get_extra_info(self, name, default=None):
            return "" if name == "peername" else default

    protocol = HTTPProtocol(type("App", (), {"limits": Limits()})())
    protocol.connection_made(Transport())
    assert protocol.peer is None
    assert Request(None, protocol).scheme == "http"
    protocol.connection_lost(None)


@pytest.mark.parametrize("closed", [False, True])
async def test_tcp_client_without_an_address_is_not_a_unix_client(closed):
    class Transport(asyncio.Transport):
        aborted = False

        def get_extra_info(self, name, default=None):
            if name == "peername" and closed:
                raise ValueError("negative file descriptor")  # as uvloop does
            return ("127.0.0.1", 80) if name == "sockname" else default

        def abort(self):
            self.aborted = True

    protocol = HTTPProtocol(type("App", (), {"limits": Limits()})())
    transport = Transport()
    protocol.connection_made(transport)
    assert transport.aborted
    protocol.connection_lost(None)


async def test_address_of_a_client_is_kept_when_the_connection_is_gone(serve):
    """uvloop would raise, or give None, which is the address of a Unix socket."""
    begun = asyncio.Event()
    seen = asyncio.get_running_loop().create_future()

    async def app(request, response):
        begun.set()
        while not await request.disconnected():
            await asyncio.sleep(0)
        seen.set_result(request.client)

    connection = await (await serve(app)).connect()
    address = connection.writer.get_extra_info("sockname")[:2]
    connection.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    await begun.wait()
    connection.abort()
    assert await seen == address
