"""`app.create_task`: tasks that the application keeps and ends."""

import asyncio
import gc
import logging
import warnings
import weakref

import pytest

from roll import Limits
from roll.server import AppServer

PATIENCE = 10


@pytest.fixture(autouse=True)
def strict():
    """Make each coroutine that is never awaited an error."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield
        gc.collect()


class Work:
    """The function of a task, which waits until it is released."""

    def __init__(self):
        self.begun = asyncio.Event()
        self.go_on = asyncio.Event()
        self.ended = asyncio.Event()
        self.cancelled = False

    async def __call__(self):
        self.begun.set()
        try:
            await self.go_on.wait()
        except asyncio.CancelledError:
            self.cancelled = True
            raise
        finally:
            self.ended.set()
        return "done"


@pytest.fixture
async def work(event_loop):
    return Work()


@pytest.fixture
def errors(app):
    """The arguments that listeners of `task_error` get."""
    seen = asyncio.Queue()

    @app.listen("task_error")
    async def keep(error, task):
        seen.put_nowait((task, error))

    return seen


async def test_a_task_outlives_the_request_that_started_it(app, liveclient, work, until):
    @app.route("/")
    async def start(request, response):
        app.create_task(work(), name="mail")
        response.status = 202

    assert (await liveclient.query("GET", "/")).status == 202
    await until(work.begun)
    assert not work.ended.is_set()
    work.go_on.set()
    await until(work.ended)


async def test_the_task_can_be_awaited_and_named(app, liveclient, work):
    work.go_on.set()
    task = app.create_task(work(), name="mail")
    assert task.get_name() == "mail"
    assert await task == "done"


async def test_task_is_kept_without_any_other_reference(app, liveclient, until):
    waits, ended = asyncio.Event(), asyncio.Event()
    futures = []

    async def wait():
        # A future that only the task and a weak reference know.
        future = asyncio.get_running_loop().create_future()
        futures.append(weakref.ref(future))
        waits.set()
        await future
        ended.set()

    app.create_task(wait())
    await until(waits)
    gc.collect()
    assert futures[0]() is not None
    futures[0]().set_result(None)
    await until(ended)


async def test_result_of_hook_can_be_given_to_create_task(app, liveclient):
    @app.listen("mine")
    async def answer():
        return "answered"

    assert await app.create_task(app.hook("mine")) == "answered"
    assert await app.create_task(app.hook("nobody")) is None


# Failures.


async def test_a_failure_is_logged_and_sent(app, liveclient, errors, caplog, until):
    async def fail():
        raise ValueError("no mail today")

    task = app.create_task(fail(), name="mail")
    assert await until(errors.get()) == (task, task.exception())
    (record,) = caplog.records
    assert record.name == "roll"
    assert "'mail'" in record.getMessage()
    assert "fail" in record.getMessage()
    assert record.exc_info[1] is task.exception()


@pytest.mark.parametrize(
    "error", [BaseExceptionGroup("two", [asyncio.CancelledError()]), GeneratorExit(), Exception()]
)
async def test_any_exception_is_a_failure(app, liveclient, errors, until, error):
    async def fail():
        raise error

    app.create_task(fail())
    assert (await until(errors.get()))[1] is error


async def test_task_that_awaits_a_cancelled_future_has_failed(app, liveclient, errors, until):
    async def fail():
        future = asyncio.get_running_loop().create_future()
        future.cancel()
        await future

    task = app.create_task(fail())
    told, error = await until(errors.get())
    assert told is task
    assert isinstance(error, asyncio.CancelledError)


async def test_cancelled_task_is_not_a_failure(app, liveclient, errors, work, caplog, until):
    task = app.create_task(work())
    await until(work.begun)
    task.cancel()
    await asyncio.wait([task])
    await liveclient.stop()
    assert errors.empty()
    assert caplog.records == []


async def test_log_errors_says_whether_failures_are_logged(app, liveclient, errors, caplog, until):
    app.log_errors = False

    async def fail():
        raise ValueError("no mail today")

    app.create_task(fail())
    await until(errors.get())
    assert caplog.records == []


async def test_without_a_listener_a_failure_is_logged(app, liveclient, caplog):
    async def fail():
        raise ValueError("no mail today")

    app.create_task(fail())
    await liveclient.stop()
    assert len(caplog.records) == 1


async def test_all_listeners_get_task_error_also_after_true_results(app, liveclient, until):
    seen = []
    told = asyncio.Event()
    app.listen("task_error")(lambda error: seen.append(error) or "true")
    app.listen("task_error")(lambda task, error: told.set())

    async def fail():
        raise ValueError

    app.create_task(fail())
    await until(told)
    assert len(seen) == 1


async def test_failing_listener_is_logged_and_sends_no_further_event(app, liveclient, caplog):
    @app.listen("task_error")
    def worse(task, error):
        raise KeyError("worse")

    async def fail():
        raise ValueError("bad")

    app.create_task(fail())
    await liveclient.stop()
    assert [record.exc_info[0] for record in caplog.records] == [ValueError, KeyError]


# What is refused.


async def nothing():
    """A coroutine."""


@pytest.mark.parametrize(
    ("wrong", "advice"),
    [
        (nothing, r"create_task\(nothing\(...\)\)"),
        (print, "coroutine"),
        (None, "coroutine"),
        ("mail", "coroutine"),
        ((number for number in ()), "coroutine"),
    ],
)
async def test_argument_that_is_not_a_coroutine_is_refused(app, liveclient, wrong, advice):
    with pytest.raises(TypeError, match=advice):
        app.create_task(wrong)


async def test_future_is_refused(app, liveclient, event_loop):
    with pytest.raises(TypeError, match="coroutine"):
        app.create_task(event_loop.create_future())


async def test_before_startup_a_task_is_refused(app):
    with pytest.raises(RuntimeError, match="does not run"):
        app.create_task(nothing())


async def test_after_shutdown_a_task_is_refused(app):
    await app.startup()
    await app.shutdown()
    with pytest.raises(RuntimeError, match="does not run"):
        app.create_task(nothing())


async def test_after_a_startup_that_failed_a_task_is_refused(app):
    @app.listen("startup")
    def fail():
        raise ValueError("no database")

    with pytest.raises(ValueError, match="no database"):
        await app.startup()
    with pytest.raises(RuntimeError, match="does not run"):
        app.create_task(nothing())


def test_without_a_loop_a_task_is_refused(app):
    with pytest.raises(RuntimeError, match="does not run"):
        app.create_task(nothing())


async def test_in_another_thread_a_task_is_refused(app, liveclient):
    with pytest.raises(RuntimeError, match="run_coroutine_threadsafe"):
        await asyncio.to_thread(lambda: app.create_task(nothing()))


async def test_in_another_loop_a_task_is_refused(app, liveclient):
    async def create():
        app.create_task(nothing())

    with pytest.raises(RuntimeError, match="run_coroutine_threadsafe"):
        await asyncio.to_thread(lambda: asyncio.run(create()))


# The end.


@pytest.mark.parametrize("event", ["startup", "shutdown"])
async def test_listeners_of_startup_and_shutdown_may_start_tasks(app, event, work):
    work.go_on.set()
    app.listen(event)(lambda: app.create_task(work()) and None)
    await app.startup()
    await app.shutdown()
    assert work.ended.is_set()
    assert not work.cancelled


async def test_a_stop_waits_for_tasks_and_for_those_that_they_start(app, liveclient, caplog):
    seen = []

    async def first():
        await asyncio.sleep(0)
        app.create_task(second())
        seen.append("first")

    async def second():
        await asyncio.sleep(0)
        seen.append("second")

    app.listen("shutdown")(lambda: seen.append("shutdown"))
    app.create_task(first())
    await liveclient.stop()
    assert seen == ["first", "second", "shutdown"]
    assert caplog.records == []


async def test_without_a_server_shutdown_waits(app, work, until):
    await app.startup()
    app.create_task(work())
    ending = asyncio.ensure_future(app.shutdown())
    await until(work.begun)
    assert not ending.done()
    work.go_on.set()
    await until(ending)
    assert not work.cancelled


async def test_a_task_that_does_not_end_is_cancelled_and_named(hurried, liveclient, work, caplog):
    hurried.create_task(work(), name="mail")
    await liveclient.stop()
    assert work.cancelled
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert "'mail'" in record.getMessage()


async def test_task_that_ignores_its_cancellation_is_abandoned(
    hurried, liveclient, monkeypatch, caplog, until
):
    monkeypatch.setattr("roll.tasks.LAST_SECOND", 0.01)
    go_on = asyncio.Event()

    async def stubborn():
        while not go_on.is_set():
            try:
                await go_on.wait()
            except asyncio.CancelledError:
                asyncio.current_task().uncancel()

    task = hurried.create_task(stubborn(), name="stubborn")
    await until(liveclient.stop())
    assert not task.done()
    assert "still runs" in caplog.text
    go_on.set()
    await until(task)


async def test_a_task_that_is_being_cancelled_already_is_not_cancelled_again(
    app, liveclient, until
):
    app.limits = Limits(graceful_timeout=0)
    cleaning, cleaned = asyncio.Event(), []

    async def careful():
        try:
            await asyncio.Event().wait()
        finally:
            cleaning.set()
            for _ in range(100):
                await asyncio.sleep(0)
            cleaned.append(True)

    task = app.create_task(careful())
    await asyncio.sleep(0)
    task.cancel()
    await until(cleaning)
    await until(liveclient.stop())
    assert cleaned == [True]


async def test_tasks_started_by_a_cancelled_task_are_cancelled_too(
    hurried, liveclient, work, until
):
    async def parent():
        try:
            await asyncio.Event().wait()
        finally:
            hurried.create_task(work())

    hurried.create_task(parent())
    await until(liveclient.stop())
    assert work.cancelled or not work.begun.is_set()


async def test_requests_and_tasks_have_one_graceful_timeout(app, liveclient, connect, work, until):
    late = Work()
    assert app.limits.graceful_timeout > 2 * PATIENCE
    app.listen("shutdown")(lambda: app.create_task(late()) and None)

    @app.route("/")
    async def slow(request, response):
        app.create_task(work())
        await asyncio.Event().wait()

    await connect(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    await until(work.begun)
    await until(liveclient.server.stop(0.01))
    assert work.cancelled
    await until(liveclient.stop())
    assert late.cancelled


async def test_a_task_may_shut_the_application_down(app, until):
    await app.startup()
    await until(app.create_task(app.shutdown()))


async def test_tasks_continue_while_another_server_serves_the_application(
    app, liveclient, work, until
):
    other = AppServer(app)
    await other.listen("127.0.0.1", 0)
    app.create_task(work())
    await until(work.begun)
    await until(other.stop())
    assert not work.ended.is_set()
    await until(other.stop_now())
    assert not work.ended.is_set()
    work.go_on.set()


async def test_an_application_that_starts_again_takes_tasks_again(hurried, work, until):
    await hurried.startup()
    await hurried.shutdown()
    hurried.limits = Limits()
    await hurried.startup()
    hurried.create_task(work())
    ending = asyncio.ensure_future(hurried.shutdown())
    await until(work.begun)
    work.go_on.set()
    await until(ending)
    assert not work.cancelled


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
def test_exception_that_ends_the_program_is_not_a_failure(app, caplog, error):
    async def end():
        raise error

    async def run():
        await app.startup()
        app.create_task(end())
        await app.shutdown()

    with pytest.raises(error):
        asyncio.run(run())
    assert caplog.records == []


def test_tasks_of_a_closed_loop_do_not_delay_shutdown(app):
    async def start():
        await app.startup()
        app.create_task(asyncio.Event().wait())

    async def stop():
        async with asyncio.timeout(10):
            await app.shutdown()

    asyncio.run(start())
    asyncio.run(stop())


async def test_stop_now_cancels_tasks_at_once(app, liveclient, work, until):
    app.create_task(work())
    await until(work.begun)
    await until(liveclient.server.stop_now())
    assert work.cancelled
