"""The extra `timeout` of a route: a handler that takes too long is a 503."""

import asyncio
import gc
import pickle
import warnings
from contextvars import ContextVar
from decimal import Decimal

import pytest

from roll import HttpError, Limits

SHORT = 0.01  # seconds that a handler here never keeps to
LONG = 60  # seconds that no test waits for
GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
LANGUAGE = ContextVar("LANGUAGE", default="en")


@pytest.fixture(autouse=True)
def strict():
    """Make each coroutine that is never awaited an error."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield
        gc.collect()


@pytest.fixture
def stubborn(monkeypatch):
    """A handler that ignores its cancellation and runs until it is released."""
    monkeypatch.setattr("roll.timeouts.LAST_SECOND", 0.01)
    go_on, ended = asyncio.Event(), asyncio.Event()

    async def stubborn(request, response):
        while not go_on.is_set():
            try:
                await go_on.wait()
            except asyncio.CancelledError:
                response.headers["X-Late"] = "late"
                response.body = "late"
        response.status = 418
        ended.set()

    stubborn.go_on, stubborn.ended = go_on, ended
    return stubborn


async def test_a_handler_that_takes_too_long_is_cancelled_and_a_503(
    app, liveclient, caplog, until
):
    cancelled = []

    @app.route("/", timeout=SHORT)
    async def slow(request, response):
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append(request.path)
            raise

    answer = await until(liveclient.query("GET", "/"))
    assert (answer.status, answer.body) == (503, b"Service Unavailable")
    assert cancelled == ["/"]
    (record,) = caplog.records
    assert "GET /" in record.getMessage()
    assert "slow (" in record.getMessage()
    assert f"{SHORT} s" in record.getMessage()


async def test_error_and_response_listeners_get_the_503(app, liveclient, until):
    @app.listen("error")
    def as_json(response, error):
        response.json = {"error": error.status}

    @app.listen("response")
    def mark(response):
        response.headers["X-Marked"] = "yes"

    @app.route("/", timeout=SHORT)
    async def slow(request, response):
        response.headers["ETag"] = '"of the page"'
        response.headers["X-Kept"] = "yes"
        await asyncio.Event().wait()

    answer = await until(liveclient.query("GET", "/"))
    assert (answer.status, answer.body) == (503, b'{"error":503}')
    assert (answer.headers["X-Marked"], answer.headers["X-Kept"]) == ("yes", "yes")
    assert answer.headers["ETag"] is None


@pytest.mark.parametrize("timeout", [LONG, float(LONG), 1e300, None])
async def test_a_handler_that_keeps_to_its_time_answers(app, liveclient, timeout):
    @app.route("/{name}", timeout=timeout)
    async def quick(request, response, name: int):
        await asyncio.sleep(0)
        response.body = f"{name + 1}"

    answer = await liveclient.query("GET", "/1")
    assert (answer.status, answer.body) == (200, b"2")


async def test_the_connection_stays_open(app, connect, liveclient, until):
    @app.route("/", timeout=SHORT)
    async def slow(request, response):
        await asyncio.Event().wait()

    reader, writer = await connect(GET)
    for _ in range(2):
        head = await until(reader.readuntil(b"\r\n\r\n"))
        assert head.startswith(b"HTTP/1.1 503 ")
        assert b"Connection" not in head
        await until(reader.readexactly(len("Service Unavailable")))
        writer.write(GET)


async def test_exception_of_a_handler_within_its_time_is_answered(app, liveclient, caplog):
    @app.route("/missing", timeout=LONG)
    async def missing(request, response):
        raise HttpError(404, "no such page")

    @app.route("/fails", timeout=LONG)
    async def fails(request, response):
        raise ValueError("bug")

    @app.route("/cancelled", timeout=LONG)
    async def cancelled(request, response):
        future = asyncio.get_running_loop().create_future()
        future.cancel()
        await future

    assert (await liveclient.query("GET", "/missing")).body == b"no such page"
    assert (await liveclient.query("GET", "/fails")).status == 500
    assert (await liveclient.query("GET", "/cancelled")).status == 500
    kinds = [record.exc_info[0] for record in caplog.records]
    assert kinds == [ValueError, asyncio.CancelledError]


async def test_timeout_inside_of_the_handler_is_not_a_503(app, liveclient):
    @app.route("/", timeout=LONG)
    async def impatient(request, response):
        async with asyncio.timeout(0):
            await asyncio.Event().wait()

    assert (await liveclient.query("GET", "/")).status == 500


async def test_a_stream_that_the_handler_has_started_has_no_limit(app, liveclient, until):
    go_on = asyncio.Event()

    @app.route("/", timeout=SHORT)
    async def stream(request, response):
        async def body():
            yield "first"
            await asyncio.wait_for(go_on.wait(), LONG)
            yield "last"

        response.body = body()

    asking = asyncio.ensure_future(liveclient.query("GET", "/"))
    asyncio.get_running_loop().call_later(10 * SHORT, go_on.set)
    answer = await until(asking)
    assert (answer.status, answer.chunks) == (200, [b"first", b"last"])


async def test_the_time_of_a_body_that_is_loaded_before_the_handler_does_not_count(
    app, connect, liveclient, until
):
    @app.route("/", methods=["POST"], timeout=10 * SHORT)
    async def echo(request, response):
        response.body = request.body

    reader, writer = await connect(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\n")
    asyncio.get_running_loop().call_later(20 * SHORT, writer.write, b"body")
    assert (await until(reader.readuntil(b"body"))).startswith(b"HTTP/1.1 200 OK")


# Handlers that do not end when they are cancelled.


async def test_handler_that_catches_its_cancellation_is_still_a_503(app, liveclient, until):
    @app.route("/", timeout=SHORT)
    async def swallows(request, response):
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            response.body = "late"

    answer = await until(liveclient.query("GET", "/"))
    assert (answer.status, answer.body) == (503, b"Service Unavailable")


async def test_handler_that_fails_while_it_is_cancelled_is_logged(app, liveclient, caplog, until):
    @app.route("/", timeout=SHORT)
    async def fails(request, response):
        try:
            await asyncio.Event().wait()
        finally:
            raise ValueError("rollback failed")

    assert (await until(liveclient.query("GET", "/"))).status == 503
    app.log_errors = False
    assert (await until(liveclient.query("GET", "/"))).status == 503
    assert [record.exc_info and record.exc_info[0] for record in caplog.records] == [
        None,
        ValueError,
        None,
    ]


async def test_handler_that_ignores_its_cancellation_is_abandoned_and_its_response_is_not_sent(
    app, liveclient, stubborn, until
):
    app.route("/", timeout=SHORT)(stubborn)
    # It changes its response while listeners still work on the answer.
    changed = []

    @app.listen("headers")
    def mark(response):
        response.headers["X-Marked"] = "yes"

    @app.listen("response")
    async def slow(request, response):
        stubborn.go_on.set()
        await stubborn.ended.wait()
        changed.append(response.status)

    answer = await until(liveclient.query("GET", "/"))
    assert (answer.status, answer.body) == (503, b"Service Unavailable")
    assert answer.headers["X-Marked"] == "yes"
    assert changed == [503]


async def test_graceful_shutdown_waits_for_an_abandoned_handler(app, liveclient, stubborn, until):
    app.route("/", timeout=SHORT)(stubborn)
    assert (await until(liveclient.query("GET", "/"))).status == 503
    stopping = asyncio.ensure_future(liveclient.stop())
    for _ in range(100):
        await asyncio.sleep(0)
    assert not stopping.done()
    stubborn.go_on.set()
    await until(stopping)
    assert stubborn.ended.is_set()


async def test_abandoned_handler_is_named_in_the_log_at_shutdown(
    app, liveclient, stubborn, caplog, monkeypatch, until
):
    monkeypatch.setattr("roll.tasks.LAST_SECOND", 0.01)
    app.limits = Limits(graceful_timeout=0)
    app.route("/", timeout=SHORT)(stubborn)
    await until(liveclient.query("GET", "/"))
    await until(liveclient.stop())
    assert "stubborn (" in caplog.records[-1].getMessage()
    stubborn.go_on.set()
    await until(stubborn.ended)


# Its task.


async def test_cancel_on_disconnect_works_with_a_timeout(app, connect, liveclient, until):
    begun, cancelled = asyncio.Event(), asyncio.Event()

    @app.route("/", timeout=LONG, cancel_on_disconnect=True)
    async def slow(request, response):
        begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise

    _, writer = await connect(GET)
    await until(begun)
    writer.transport.abort()
    await until(cancelled)


async def test_a_hard_stop_cancels_the_handler_and_lets_it_clean_up(
    app, connect, liveclient, until
):
    begun, cleaned = asyncio.Event(), asyncio.Event()

    @app.route("/", timeout=LONG)
    async def slow(request, response):
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            for _ in range(10):
                await asyncio.sleep(0)
            cleaned.set()

    await connect(GET)
    await until(begun)
    await until(liveclient.server.stop(0))
    await until(cleaned)


@pytest.mark.parametrize("timeout", [SHORT, LONG])
async def test_listeners_and_handler_share_the_context_of_their_request(
    app, liveclient, until, timeout
):
    seen = []

    @app.listen("request")
    def speak(request, response):
        LANGUAGE.set("fr")

    @app.listen("response")
    def listen(request, response):
        seen.append(LANGUAGE.get())

    @app.route("/", timeout=timeout)
    async def handler(request, response):
        seen.append(LANGUAGE.get())
        LANGUAGE.set("de")
        if timeout == SHORT:
            await asyncio.Event().wait()

    await until(liveclient.query("GET", "/"))
    assert seen == ["fr", "de"]
    assert LANGUAGE.get() == "en"


async def test_the_body_can_be_read_within_the_limit(app, connect, liveclient, until):
    @app.route("/", methods=["POST"], timeout=SHORT, lazy_body=True)
    async def read(request, response):
        response.body = await request.read()

    reader, _ = await connect(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbo")
    assert (await until(reader.readuntil(b"\r\n"))).startswith(b"HTTP/1.1 503 ")


async def test_the_error_can_be_pickled(app, liveclient, until):
    pickled = []
    app.listen("error")(lambda error: pickled.append(pickle.dumps(error)))

    @app.route("/", timeout=SHORT)
    async def slow(request, response):
        await asyncio.Event().wait()

    await until(liveclient.query("GET", "/"))
    assert pickle.loads(pickled[0]).status == 503


# Other handlers, other values.


async def test_timeout_applies_to_the_methods_of_its_route(app, liveclient, until):
    go_on = asyncio.Event()

    async def slow(request, response):
        await go_on.wait()
        response.body = "done"

    app.route("/", timeout=SHORT)(slow)
    app.route("/", methods=["POST"])(slow)
    assert (await until(liveclient.query("GET", "/"))).status == 503
    assert (await until(liveclient.query("HEAD", "/"))).status == 503
    asking = asyncio.ensure_future(liveclient.query("POST", "/"))
    asyncio.get_running_loop().call_later(5 * SHORT, go_on.set)
    assert (await until(asking)).body == b"done"


async def test_timeout_applies_to_class_views_and_awaitables_of_plain_functions(
    app, liveclient, until
):
    @app.route("/class", timeout=SHORT)
    class View:
        async def on_get(self, request, response):
            await asyncio.Event().wait()

    @app.route("/future", timeout=SHORT)
    def future(request, response):
        return asyncio.get_running_loop().create_future()

    for path in ("/class", "/future"):
        assert (await until(liveclient.query("GET", path))).status == 503


async def test_a_plain_function_has_ended_before_anything_could_end_it(app, liveclient):
    @app.route("/", timeout=SHORT)
    def plain(request, response):
        response.body = "done"

    assert (await liveclient.query("GET", "/")).body == b"done"


async def test_a_group_may_give_it_and_a_route_may_lift_it(app, liveclient, until):
    go_on = asyncio.Event()
    group = app.group("/api", timeout=SHORT)

    async def slow(request, response):
        await go_on.wait()

    group.route("/short")(slow)
    group.route("/long", timeout=None)(slow)
    group.route("/ws", protocol="websocket", timeout=None)(lambda request, ws: None)
    assert (await until(liveclient.query("GET", "/api/short"))).status == 503
    asking = asyncio.ensure_future(liveclient.query("GET", "/api/long"))
    asyncio.get_running_loop().call_later(5 * SHORT, go_on.set)
    assert (await until(asking)).status == 200


@pytest.mark.parametrize(
    "wrong",
    [0, -1, 0.0, float("nan"), float("inf"), 10**400, True, False, "5", b"5", [5], Decimal(5), 1j],
    ids=repr,
)
def test_invalid_number_of_seconds_is_refused(app, wrong):
    with pytest.raises(ValueError, match="number of seconds"):
        app.route("/", timeout=wrong)(lambda request, response: None)
    assert app.routes.match("/") == (None, None)


def test_a_websocket_has_no_time_limit(app):
    with pytest.raises(ValueError, match=r"asyncio\.timeout"):
        app.route("/", protocol="websocket", timeout=5)(lambda request, ws: None)


def test_it_is_an_extra_that_a_misspelt_one_resembles(app):
    with pytest.warns(UserWarning, match="write `timeout=`"):
        app.route("/", timeouts=5)(lambda request, response: None)
    app.route("/b", timeout=5)(lambda request, response: None)
    assert app.routes.match("/b")[0]["timeout"] == 5
