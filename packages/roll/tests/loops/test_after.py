"""`response.after`: functions that run after the response, or after its connection is lost."""

import asyncio
import copy
import gc
import re
import warnings
from functools import partial

import pytest

from roll import HttpError, Request, Response, Roll
from roll.testing import Client

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.fixture(autouse=True)
def strict():
    """Make each coroutine that is never awaited an error."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield
        gc.collect()


@pytest.fixture
def seen(event_loop):
    """A queue that says what has run."""
    return asyncio.Queue()


async def test_plain_and_async_functions_run_in_order_after_the_response(
    app, liveclient, connect, seen, until
):
    go_on = asyncio.Event()

    @app.route("/")
    async def index(request, response):
        async def slow():
            await go_on.wait()
            seen.put_nowait("slow")

        response.after(slow)
        response.after(partial(seen.put_nowait, "partial"))
        response.after(lambda: seen.put_nowait("lambda"))
        response.body = "answered"

    reader, _ = await connect(GET)
    assert (await until(reader.readuntil(b"answered"))).startswith(b"HTTP/1.1 200 OK")
    assert seen.empty()
    go_on.set()
    assert [await until(seen.get()) for _ in range(3)] == ["slow", "partial", "lambda"]


async def test_after_returns_the_function_so_it_works_as_a_decorator(app, client, seen):
    @app.route("/")
    async def index(request, response):
        @response.after
        def later():
            seen.put_nowait("later")

        response.body = later.__name__

    assert (await client.get("/")).body == b"later"
    assert seen.get_nowait() == "later"


async def test_a_plain_function_has_run_when_the_test_client_has_its_answer(app, client, seen):
    @app.route("/")
    def index(request, response):
        response.after(lambda: seen.put_nowait("ran"))

    await client.get("/")
    assert seen.get_nowait() == "ran"


async def test_failing_function_is_logged_and_sent_and_the_others_run(
    app, liveclient, seen, caplog, until
):
    failed = asyncio.Queue()

    @app.listen("task_error")
    def keep(error):
        failed.put_nowait(error)

    def fail():
        raise ValueError("no mail today")

    async def fail_too():
        raise HttpError(404)

    def generator():
        return (number for number in ())

    @app.route("/")
    def index(request, response):
        response.after(fail)
        response.after(fail_too)
        response.after(generator)
        response.after(lambda: seen.put_nowait("ran"))

    assert (await liveclient.query("GET", "/")).status == 200
    assert await until(seen.get()) == "ran"
    kinds = [type(await until(failed.get())) for _ in range(3)]
    assert kinds == [ValueError, HttpError, TypeError]
    assert [record.exc_info[0] for record in caplog.records] == kinds
    told = [record.getMessage() for record in caplog.records]
    assert [
        re.search(r"\.(\w+) \(.*test_after\.py:\d+\), called after an answer", each)[1]
        for each in told
    ] == [
        "fail",
        "fail_too",
        "generator",
    ]


@pytest.mark.parametrize("wrap", [lambda function: function, partial], ids=["plain", "partial"])
async def test_function_that_does_not_end_is_named_when_it_is_cancelled(app, caplog, wrap):
    entered = asyncio.Event()

    async def wait_for_ever():
        entered.set()
        await asyncio.Event().wait()

    @app.route("/")
    def index(request, response):
        response.after(wrap(wait_for_ever))

    async with Client(app) as client:
        await client.get("/")
        await entered.wait()
        await app.kept_tasks.cancel()
    (told,) = [record.getMessage() for record in caplog.records]
    assert re.fullmatch(
        r"The task 'after: .*wait_for_ever' is cancelled, because it has not ended in time", told
    )


@pytest.mark.parametrize("event", ["headers", "request", "response", "error"])
async def test_listeners_may_use_after(app, liveclient, seen, until, event):
    @app.listen(event)
    def listener(response):
        response.after(lambda: seen.put_nowait(event))

    @app.route("/")
    def index(request, response):
        raise HttpError(400)

    await liveclient.query("GET", "/")
    assert await until(seen.get()) == event


async def test_function_runs_after_the_last_byte_of_a_stream(
    app, liveclient, connect, seen, until
):
    go_on = asyncio.Event()

    @app.route("/")
    def index(request, response):
        async def body():
            response.after(lambda: seen.put_nowait("ran"))
            yield "first"
            await go_on.wait()
            yield "last"

        response.body = body()

    reader, _ = await connect(GET)
    await until(reader.readuntil(b"first\r\n"))
    assert seen.empty()
    go_on.set()
    await until(reader.readuntil(b"last\r\n0\r\n\r\n"))
    assert await until(seen.get()) == "ran"


async def test_function_runs_when_the_connection_is_lost_in_a_stream(
    app, liveclient, connect, seen, until
):
    @app.route("/")
    def index(request, response):
        async def body():
            yield "first"
            await asyncio.Event().wait()

        response.after(lambda: seen.put_nowait("ran"))
        response.body = body()

    reader, writer = await connect(GET)
    await until(reader.readuntil(b"first\r\n"))
    writer.transport.abort()
    assert await until(seen.get()) == "ran"


async def test_function_runs_when_the_handler_is_cancelled(app, liveclient, connect, seen, until):
    waits = asyncio.Event()

    @app.route("/", cancel_on_disconnect=True)
    async def index(request, response):
        response.after(lambda: seen.put_nowait("ran"))
        waits.set()
        await asyncio.Event().wait()

    _, writer = await connect(GET)
    await until(waits)
    writer.transport.abort()
    assert await until(seen.get()) == "ran"


async def test_function_runs_when_a_hard_stop_cancels_the_handler(
    app, liveclient, connect, seen, until
):
    waits = asyncio.Event()

    @app.route("/")
    async def index(request, response):
        response.after(lambda: seen.put_nowait("ran"))
        waits.set()
        await asyncio.Event().wait()

    await connect(GET)
    await until(waits)
    await until(liveclient.server.stop(0))
    assert seen.get_nowait() == "ran"


async def test_graceful_shutdown_waits_for_the_function(app, liveclient, connect, seen, until):
    waits = asyncio.Event()

    @app.route("/")
    async def index(request, response):
        async def later():
            waits.set()
            for _ in range(100):
                await asyncio.sleep(0)
            seen.put_nowait("ran")

        response.after(later)

    await connect(GET)
    await until(waits)
    await until(liveclient.stop())
    assert seen.get_nowait() == "ran"


async def test_stop_cancels_functions_that_take_too_long(
    hurried, liveclient, connect, seen, until
):
    waits = asyncio.Event()

    @hurried.route("/")
    async def index(request, response):
        async def later():
            waits.set()
            await asyncio.Event().wait()

        response.after(later)
        response.after(lambda: seen.put_nowait("never"))

    await connect(GET)
    await until(waits)
    await until(liveclient.stop())
    assert seen.empty()


async def test_function_runs_after_its_own_request_only(app, liveclient, connect, seen, until):
    @app.route("/{name}")
    def index(request, response, name):
        if name != "quiet":
            response.after(lambda: seen.put_nowait(name))

    requests = [GET.replace(b"/ ", b"/%b " % name) for name in (b"a", b"quiet", b"b", b"quiet")]
    last = b"GET /c HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    reader, _ = await connect(b"".join([*requests, last]))
    assert (await until(reader.read())).count(b"HTTP/1.1 200 OK") == 5
    assert [await until(seen.get()) for _ in range(3)] == ["a", "b", "c"]
    assert seen.empty()


async def test_function_runs_after_a_response_that_cannot_be_sent(app, liveclient, seen, until):
    @app.route("/")
    def index(request, response):
        response.after(lambda: seen.put_nowait("ran"))
        response.headers["X"] = "a\nb"

    assert (await liveclient.query("GET", "/")).status == 500
    assert await until(seen.get()) == "ran"


async def test_function_runs_after_the_websocket_of_its_handshake(
    app, liveclient, connect, seen, until
):
    @app.listen("headers")
    def listener(response):
        response.after(lambda: seen.put_nowait("ran"))

    @app.route("/", protocol="websocket")
    async def ws(request, ws):
        async for _ in ws:
            pass

    upgrade = b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    key = b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    reader, writer = await connect(GET[:-2] + upgrade + key)
    await until(reader.readuntil(b"\r\n\r\n"))
    assert seen.empty()
    writer.transport.abort()
    assert await until(seen.get()) == "ran"


async def test_function_given_after_the_response_runs_at_once(
    app, liveclient, seen, connect, until
):
    @app.route("/")
    def index(request, response):
        async def late():
            while request.protocol.request is not None:
                await asyncio.sleep(0)
            response.after(lambda: seen.put_nowait("late"))

        app.create_task(late())

    await connect(GET)
    assert await until(seen.get()) == "late"


async def test_function_runs_with_a_protocol_without_on_answered(seen, until):
    class Foreign(asyncio.Protocol):
        def __init__(self, app):
            self.app = app

        def connection_made(self, transport):
            self.transport = transport

        def data_received(self, data):
            request = self.app.Request(self.app, self)
            request.method, request.path, request.url = "GET", "/", b"/"
            response = self.app.Response(self.app, self)
            response.request = request
            self.task = asyncio.ensure_future(self.answer(request, response))

        async def answer(self, request, response):
            await self.app(request, response)
            self.transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            seen.put_nowait("sent")

        eof_received = pause_writing = resume_writing = connection_lost = lambda *_: None

    class Application(Roll):
        HttpProtocol = Foreign

    app = Application()

    @app.route("/")
    def index(request, response):
        response.after(lambda: seen.put_nowait("ran"))

    await Client(app).get("/")
    assert [await until(seen.get()) for _ in range(2)] == ["sent", "ran"]


# What is refused, and what is never sent.


async def nothing():
    """A coroutine."""


async def numbers():
    yield 1


@pytest.mark.parametrize(
    ("make", "advice"),
    [
        (nothing, r"without \(\)"),
        (lambda: 5, "not 5"),
        (lambda: None, "not None"),
        (lambda: numbers, "generator"),
    ],
    ids=["coroutine", "number", "None", "generator"],
)
async def test_object_that_cannot_be_called_later_is_refused(make, advice):
    with pytest.raises(TypeError, match=advice):
        Response(None, None).after(make())


def test_response_created_by_hand_accepts_after_and_is_never_sent(app):
    assert Response(app, None).after(print) is print
    assert Response(None, None).after(print) is print
    assert by_hand(app).after(print) is print


async def test_response_created_by_hand_accepts_after_outside_of_tasks(app):
    taken = asyncio.get_running_loop().create_future()
    take = lambda: taken.set_result(by_hand(app).after(print))  # noqa: E731 - for one call
    asyncio.get_running_loop().call_soon(take)
    assert await taken is print


def by_hand(app):
    response = Response(app, None)
    response.request = Request(app, None)
    return response


async def test_a_deep_copy_of_a_request_is_not_answered(app, client, seen):
    @app.route("/")
    def index(request, response):
        response.after(lambda: seen.put_nowait("ran"))
        assert copy.deepcopy(request).after_functions is request.after_functions

    await client.get("/")
    assert seen.qsize() == 1
