"""Startup, shutdown, and ordinary code in listeners."""

import asyncio
import contextlib
import threading
import warnings
from functools import partial

import pytest

from roll import HttpError, RollWarning
from roll.advice import described
from roll.extensions import igniter, logger, static
from roll.upgrade import notify
from roll_http import Limits


class Pool:
    """A driver whose methods return something true."""

    def __init__(self):
        self.calls = []

    def connect(self):
        self.calls.append("connect")
        return self

    async def aconnect(self):
        self.calls.append("aconnect")
        return self


@pytest.mark.parametrize("event", ["startup", "shutdown"])
async def test_all_listeners_of_startup_and_shutdown_run(app, event):
    pool = Pool()
    for _ in range(2):
        app.listen(event)(pool.connect)
        app.listen(event)(pool.aconnect)
        app.listen(event)(partial(Pool.aconnect, pool))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        await getattr(app, event)()
        assert pool.calls == ["connect", "aconnect", "aconnect"] * 2
        await app.hook(event)
    assert len(pool.calls) == 12


async def test_static_works_after_a_listener_that_returns_something(app, client, tmp_path):
    (tmp_path / "a.txt").write_text("a")
    app.listen("startup")(Pool().connect)
    static(app, root=tmp_path)
    await app.startup()
    assert (await client.get("/static/a.txt")).body == b"a"


class Odd(BaseException):
    """Not an `Exception`, and nothing that ends a program."""


ERRORS = [ValueError("no"), asyncio.CancelledError(), Odd(), BaseExceptionGroup("both", [Odd()])]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
async def test_a_shutdown_listener_that_raises_keeps_none_from_running(app, caplog, error):
    seen = []

    @app.listen("shutdown")
    async def first():
        raise error

    app.listen("shutdown")(lambda: seen.append("second"))
    app.listen("shutdown")(first)
    await app.shutdown()
    assert seen == ["second"]
    texts = [record.getMessage() for record in caplog.records]
    assert len(texts) == 2
    assert all("test_lifecycle.py:" in text and "of shutdown" in text for text in texts)


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
async def test_shutdown_does_not_catch_exceptions_that_end_the_program(app, error):
    @app.listen("shutdown")
    def end():
        raise error

    with pytest.raises(error):
        await app.shutdown()
    assert app.loop is asyncio.get_running_loop()


async def test_shutdown_ends_though_listeners_and_lifespans_hang(app, caplog, monkeypatch):
    monkeypatch.setattr("roll.lifecycle.CLEANUP_SECONDS", 0)
    monkeypatch.setattr("roll.lifespans.LAST_SECOND", 0.01)
    app.limits = Limits(graceful_timeout=0)
    cancelled = []

    async def hangs(name):
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.append(name)

    @app.lifespan
    async def pool():
        yield
        await hangs("lifespan")

    @app.listen("shutdown")
    async def report():
        await hangs("listener")

    @app.listen("shutdown")
    async def slow_query():
        raise TimeoutError("of its own")

    await app.startup()
    await app.shutdown()
    assert cancelled == ["listener", "lifespan"]
    for text in ("report", "did not end in time", "of its own", "pool", "has not ended in time"):
        assert text in caplog.text


async def test_lifespan_that_catches_its_cancellation_does_not_hold_up_the_end(
    app, caplog, monkeypatch
):
    monkeypatch.setattr("roll.lifecycle.CLEANUP_SECONDS", 0)
    monkeypatch.setattr("roll.lifespans.LAST_SECOND", 0.01)
    app.limits = Limits(graceful_timeout=0)
    go = asyncio.Event()

    @app.lifespan
    async def stubborn():
        yield
        while not go.is_set():
            with contextlib.suppress(asyncio.CancelledError):
                await go.wait()

    await app.startup()
    await app.shutdown()
    assert not go.is_set()
    assert "stubborn" in caplog.text
    go.set()
    await asyncio.sleep(0)


async def test_failed_startup_sends_shutdown(app):
    seen = []
    app.listen("startup")(lambda: seen.append("open"))
    app.listen("shutdown")(lambda: seen.append("close"))

    @app.listen("startup")
    async def fail():
        raise ValueError("no database")

    app.listen("startup")(lambda: seen.append("never"))
    with pytest.raises(ValueError, match="no database"):
        await app.startup()
    assert seen == ["open", "close"]


async def test_an_error_of_that_shutdown_does_not_hide_the_first_one(app, caplog):
    class Mine(type(app)):
        async def shutdown(self):
            await super().shutdown()
            raise KeyError("nothing was open")

    mine = Mine()

    @mine.listen("startup")
    def fail():
        raise ValueError("no database")

    with pytest.raises(ValueError, match="no database"):
        await mine.startup()
    assert "nothing was open" in caplog.text


async def test_a_startup_that_is_cancelled_shuts_down_too(app):
    seen = []
    reached = asyncio.Event()
    app.listen("shutdown")(lambda: seen.append("close"))

    @app.listen("startup")
    async def wait():
        reached.set()
        await asyncio.Event().wait()

    starting = asyncio.create_task(app.startup())
    await reached.wait()
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    assert seen == ["close"]


async def test_listeners_added_by_a_startup_listener_run_in_the_same_startup(app):
    seen = []

    def extension():
        @app.listen("startup")
        async def connect():
            seen.append("connected")

    app.listen("startup")(extension)
    await app.startup()
    assert seen == ["connected"]


@pytest.mark.parametrize("late", [False, True], ids=["in startup", "behind it"])
async def test_extensions_called_while_the_application_starts_or_runs_register_at_once(
    app, client, tmp_path, caplog, late
):
    caplog.set_level("DEBUG", "roll")
    (tmp_path / "a.txt").write_text("a")
    found = []

    def extend():
        static(app, root=tmp_path)
        igniter(app)
        logger(app)
        found.append(app.routes.match("/static/a.txt")[0] is not None)

    if not late:
        app.listen("startup")(extend)
    await app.startup()
    if late:
        extend()
    assert found == [True]
    assert caplog.records
    assert (await client.get("/static/a.txt")).body == b"a"
    await app.shutdown()


async def test_the_loop_is_the_serving_one_in_any_thread_while_the_application_runs(app):
    def loop_of_thread():
        return app.loop

    async def loop_of_another():
        return app.loop

    serving = asyncio.get_running_loop()
    assert await asyncio.to_thread(loop_of_thread) is None
    await app.startup()
    assert app.loop is serving
    assert await asyncio.to_thread(loop_of_thread) is serving
    assert await asyncio.to_thread(asyncio.run, loop_of_another()) is serving
    await app.shutdown()
    assert await asyncio.to_thread(loop_of_thread) is None
    app.loop = "mine"
    assert app.loop == "mine"


def test_a_loop_that_is_closed_serves_no_more(app):
    asyncio.run(app.startup())
    assert app.loop is None


def test_threads_may_send_work_to_the_loop(app):
    done = threading.Event()

    async def serve():
        await app.startup()
        await asyncio.to_thread(lambda: app.loop.call_soon_threadsafe(done.set))
        await app.shutdown()

    asyncio.run(serve())
    assert done.is_set()


# Results of listeners.


@pytest.mark.parametrize("result", ["yes", 1, [0], object()], ids=["str", "int", "list", "object"])
@pytest.mark.parametrize("kind", ["plain", "async", "awaitable"])
async def test_a_result_that_is_not_true_itself_warns_once_and_names_the_listener(
    app, client, kind, result
):
    def plain(request):
        return result

    async def asynchronous(request):
        return result

    listeners = {
        "plain": plain,
        "async": asynchronous,
        "awaitable": lambda request, *_: asynchronous(request),
    }
    app.listen("request")(listeners[kind])
    app.route("/")(lambda request, response: None)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for _ in range(3):
            assert (await client.get("/")).status == 200
    (warning,) = caught
    assert warning.category is RollWarning
    text = str(warning.message)
    assert listeners[kind].__qualname__ in text
    assert "a listener of 'request'" in text
    assert "Return True" in text
    assert warning.filename == __file__
    assert warning.lineno == listeners[kind].__code__.co_firstlineno


@pytest.mark.parametrize("result", [True, None, False, ""])
async def test_other_results_warn_of_nothing(app, client, result):
    app.listen("request")(lambda request: result)
    app.route("/")(lambda request, response: None)
    await client.get("/")


async def test_custom_event_may_have_any_result(app):
    app.listen("find")(lambda: "found")
    assert await app.hook("find") == "found"


async def test_a_listener_that_is_not_written_in_python_is_named_too(app):
    app.listen("headers")(Words())
    with pytest.warns(RollWarning, match="Words"):
        assert await app.hook("headers", 1, 2) == 2


class Words(list):
    """An object of which there is no line."""

    __call__ = staticmethod(max)


@pytest.mark.parametrize("event", ["startup", "shutdown", "request"])
def test_generator_as_a_listener_is_an_error_that_says_what_to_write(app, event):
    async def database():
        yield

    def pool():
        yield

    for listener in (database, pool):
        with pytest.raises(ValueError, match=r"mean a lifespan.*`@app.lifespan`"):
            app.listen(event)(listener)


# Errors in listeners.


def names(*expected):
    """A listener that takes its arguments by any name."""

    def listener(**kwargs):
        assert set(kwargs) == set(expected)
        return tuple(kwargs[name] for name in expected)

    return listener


EVENTS = {
    "headers": ("request", "response"),
    "request": ("request", "response"),
    "response": ("request", "response"),
    "error": ("request", "response", "error"),
    "websocket_connect": ("request", "ws"),
    "websocket_disconnect": ("request", "ws"),
    "websocket_error": ("request", "ws", "error"),
}


@pytest.mark.filterwarnings("ignore:.* a listener of:roll.RollWarning")
@pytest.mark.parametrize("event", EVENTS)
async def test_a_listener_with_keywords_alone_is_called_by_names(app, event):
    app.listen(event)(names(*EVENTS[event]))
    assert await app.hook(event, *EVENTS[event]) == EVENTS[event]


@pytest.mark.filterwarnings("ignore:.* a listener of:roll.RollWarning")
async def test_arguments_that_a_listener_does_not_name_go_to_its_keywords(app):
    app.listen("error")(lambda error, first, **rest: (error, first, rest))
    assert await app.hook("error", 1, 2, 3) == (3, 1, {"response": 2})
    app.listen("request")(lambda *args, **rest: (args, rest))
    assert await app.hook("request", 1, 2) == ((1, 2), {})
    app.listen("response")(lambda request, **rest: (request, rest))
    assert await app.hook("response", 1, 2, more=3) == (1, {"response": 2, "more": 3})


def test_listeners_of_route_add_get_their_arguments_by_name(app):
    seen = []
    app.listen("route:add")(lambda **kwargs: seen.append(kwargs))
    app.listen("route:add")(lambda view, path, **extras: seen.append((view, path, extras)))
    view = app.route("/a", name="a")(lambda request, response: None)
    assert seen == [{"path": "/a", "view": view, "name": "a"}, (view, "/a", {"name": "a"})]


def raising(error):
    async def raise_it():
        if error is asyncio.CancelledError:
            task = asyncio.ensure_future(asyncio.Event().wait())
            task.cancel()
            await task
        raise error

    return raise_it


RAISED = {
    "group": BaseExceptionGroup("both", [Odd(), ValueError("no")]),
    "odd": Odd("odd"),
    "cancelled": asyncio.CancelledError,
    "exit": GeneratorExit("exit"),
}


@pytest.mark.parametrize("event", ["headers", "request", "handler", "response"])
@pytest.mark.parametrize("kind", RAISED)
async def test_error_listeners_get_any_exception_and_the_response_event_follows(
    app, client, kind, event
):
    seen = []
    app.listen("error")(lambda error: seen.append(type(error.__context__)))
    app.listen("response")(lambda response: seen.append("response"))
    raise_it = raising(RAISED[kind])
    if event != "handler":
        app.listen(event)(lambda request: raise_it())

    @app.route("/")
    async def handler(request, response):
        if event == "handler":
            await raise_it()

    answer = await client.get("/")
    expected = type(RAISED[kind]) if kind != "cancelled" else asyncio.CancelledError
    assert (answer.status, answer.body) == (500, b"Internal Server Error")
    assert sorted(map(str, seen)) == sorted(map(str, [expected, "response"]))


@pytest.mark.parametrize("kind", RAISED)
async def test_any_exception_of_an_error_listener_is_a_plain_500(app, client, caplog, kind):
    app.listen("error")(lambda error: raising(RAISED[kind])())

    @app.route("/")
    async def handler(request, response):
        raise HttpError(404)

    answer = await client.get("/")
    assert (answer.status, answer.body) == (500, b"Internal Server Error")


@pytest.mark.parametrize("kind", RAISED)
async def test_any_exception_of_a_websocket_handler_sends_websocket_error(app, client, kind):
    seen = []
    app.listen("websocket_error")(lambda error, **_: seen.append(error))
    app.listen("websocket_disconnect")(lambda ws: raising(RAISED[kind])())

    @app.route("/ws", protocol="websocket")
    async def handler(request, ws):
        await raising(RAISED[kind])()

    headers = {
        "Connection": "upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    }
    await client.get("/ws", headers=headers)
    assert len(seen) == 1


@pytest.mark.parametrize("event", ["response", "error", "headers"])
async def test_what_ends_the_program_is_not_answered(app, event):
    @app.listen(event)
    def end(**_):
        raise SystemExit

    request, response = app.Request(app, None), app.Response(app, None)
    request.method, request.path = "GET", "/nowhere"
    with pytest.raises(SystemExit):
        await app(request, response)


async def test_exception_that_ends_the_program_propagates_from_a_websocket_listener(app):
    @app.listen("websocket_disconnect")
    def end(**_):
        raise SystemExit

    with pytest.raises(SystemExit):
        await notify(app, "websocket_disconnect", None, None)


async def test_error_without_a_message_has_the_phrase_of_its_status(app, client):
    @app.route("/")
    def handler(request, response):
        error = HttpError(404)
        error.message = None
        raise error

    assert (await client.get("/")).body == b"Not Found"


async def test_a_field_of_an_error_takes_the_place_of_other_spellings(app, client):
    @app.listen("headers")
    def set_field(response):
        response.headers["allow"] = "NOTHING"

    app.route("/")(lambda request, response: None)
    answer = await client.post("/")
    allowed = {name: value for name, value in answer.headers.items() if name.lower() == "allow"}
    assert (answer.status, allowed) == (405, {"Allow": "GET, HEAD"})


@pytest.mark.parametrize("event", ["startup", "shutdown"])
async def test_error_of_a_listener_that_returns_a_coroutine_says_to_await(app, caplog, event):
    async def connect(): ...

    @app.listen(event)
    async def listener():
        return connect()

    if event == "startup":
        with pytest.raises(
            TypeError, match=r"connect\(\), which never started: `await` it first$"
        ):
            await app.startup()
    else:
        await app.startup()
        await app.shutdown()
        name = f"{connect.__qualname__}()"
        assert (
            f"{described(listener)}, a listener of 'shutdown', returned a coroutine, {name},"
            f" which never started: `await` it first"
        ) in caplog.text


async def test_a_listener_of_startup_may_return_a_task_that_runs(app):
    tasks = []

    @app.listen("startup")
    async def start():
        tasks.append(asyncio.ensure_future(asyncio.sleep(0)))
        return tasks[0]

    await app.startup()
    await tasks[0]
