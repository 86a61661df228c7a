"""`app.lifespan`: resources that are open from the start of an application to its end."""

import asyncio
import gc
import warnings
from contextlib import asynccontextmanager
from contextvars import ContextVar
from functools import partial

import pytest

from roll import Limits

LANGUAGE = ContextVar("LANGUAGE", default="en")


@pytest.fixture(autouse=True)
def strict():
    """Make each coroutine that is never awaited an error."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield
        gc.collect()


@pytest.fixture
def steps(app):
    """The recorded events, in order."""
    steps = []
    app.listen("startup")(lambda: steps.append("startup"))
    app.listen("shutdown")(lambda: steps.append("shutdown"))
    return steps


def lifespan(steps, name, *, before=None, behind=None):
    """Make a lifespan that says where it is, and may fail."""

    async def hold():
        steps.append(f"enter {name}")
        if before is not None:
            raise before
        try:
            yield name
        finally:
            steps.append(f"leave {name}")
        if behind is not None:
            raise behind

    return hold


async def test_lifespans_are_entered_before_startup_and_left_in_reverse_after_shutdown(app, steps):
    for name in "ab":
        app.lifespan(lifespan(steps, name))
    await app.startup()
    assert steps == ["enter a", "enter b", "startup"]
    await app.shutdown()
    assert steps[3:] == ["shutdown", "leave b", "leave a"]


async def test_lifespan_returns_the_function(app):
    @app.lifespan
    async def hold():
        yield

    assert hold.__name__ == "hold"


async def test_lifespan_with_a_parameter_app_gets_the_application(app):
    seen = []

    @app.lifespan
    async def keyword(*, app):
        seen.append(app)
        yield

    @app.lifespan
    async def positional(app, /):
        seen.append(app)
        yield

    @app.lifespan
    async def default(other=1, app=None, *args, **kwargs):
        seen.append(app)
        yield

    @app.lifespan
    async def without(other=1):
        yield

    class Pool:
        async def hold(self, app):
            seen.append(app)
            yield

        async def __call__(self):
            seen.append(app)
            yield

    app.lifespan(Pool().hold)
    app.lifespan(Pool())
    app.lifespan(partial(Pool().hold, app=app))
    await app.startup()
    await app.shutdown()
    assert all(each is app for each in seen)
    assert len(seen) == 6


@pytest.fixture
def with_pool(app):
    """An application with a pool, and what saw it."""

    @app.lifespan
    async def pool(app):
        app["pool"] = "open"
        yield
        app["pool"] = "closed"

    @app.route("/")
    async def index(request, response):
        async def use():
            for _ in range(10):
                await asyncio.sleep(0)
            app.seen.append(app["pool"])

        app.create_task(use())
        response.body = app["pool"]

    app.seen = []
    app.listen("shutdown")(lambda: app.seen.append(app["pool"]))
    return app


async def test_server_and_tasks_can_use_the_resource_of_a_lifespan(with_pool, liveclient):
    assert (await liveclient.query("GET", "/")).body == b"open"
    await liveclient.stop()
    assert with_pool.seen == ["open", "open"]
    assert with_pool["pool"] == "closed"


async def test_the_client_of_tests_enters_lifespans(with_pool, client):
    assert (await client.get("/")).body == b"open"


# Errors.


async def test_error_before_the_yield_ends_the_startup_and_leaves_earlier_lifespans(app, steps):
    app.lifespan(lifespan(steps, "a"))
    app.lifespan(lifespan(steps, "b", before=OSError("no database")))
    app.lifespan(lifespan(steps, "c"))
    with pytest.raises(OSError, match="no database"):
        await app.startup()
    assert steps == ["enter a", "enter b", "leave a"]
    with pytest.raises(RuntimeError, match="does not run"):
        app.create_task(asyncio.sleep(0))


async def test_a_startup_listener_that_fails_leaves_the_lifespans(app, steps):
    app.lifespan(lifespan(steps, "a"))

    @app.listen("startup")
    def fail():
        raise OSError("no cache")

    with pytest.raises(OSError, match="no cache"):
        await app.startup()
    assert steps == ["enter a", "startup", "shutdown", "leave a"]


@pytest.mark.parametrize("where", ["lifespan", "listener"])
async def test_a_start_that_fails_waits_for_no_task(app, until, where):
    cancelled = []

    async def forever():
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.append(app.get("pool"))

    @app.lifespan
    async def pool(app):
        app["pool"] = "open"
        app.create_task(forever())
        await asyncio.sleep(0)
        yield
        app["pool"] = "closed"

    async def fail():
        raise OSError("no cache")
        yield

    if where == "lifespan":
        app.lifespan(fail)
    else:
        app.listen("startup")(partial(anext, fail()))
    with pytest.raises(OSError, match="no cache"):
        await until(app.startup())
    assert cancelled == ["open"]
    assert app["pool"] == "closed"


async def test_error_at_the_end_is_logged_and_the_other_lifespans_are_left(app, steps, caplog):
    app.lifespan(lifespan(steps, "a"))
    app.lifespan(lifespan(steps, "b", behind=OSError("no database")))
    await app.startup()
    await app.shutdown()
    assert steps[3:] == ["shutdown", "leave b", "leave a"]
    (record,) = caplog.records
    assert "lifespan" in record.getMessage()
    assert "hold (" in record.getMessage()
    assert record.exc_info[0] is OSError


async def test_a_shutdown_listener_that_fails_keeps_no_lifespan_open(app, steps):
    app.lifespan(lifespan(steps, "a"))

    @app.listen("shutdown")
    def fail():
        raise OSError("no cache")

    await app.startup()
    await app.shutdown()
    assert steps[-1] == "leave a"


async def test_lifespan_that_does_not_yield_fails_the_startup(app, steps):
    app.lifespan(lifespan(steps, "a"))

    @app.lifespan
    async def never():
        if app.get("never"):
            yield

    with pytest.raises(ValueError, match=r"never \(.*:\d+\) has not yielded.*one `yield`"):
        await app.startup()
    assert steps == ["enter a", "leave a"]


async def test_lifespan_that_yields_twice_is_logged_and_closed(app, steps, caplog):
    @app.lifespan
    async def twice():
        try:
            yield
            yield
        finally:
            steps.append("closed")

    await app.startup()
    await app.shutdown()
    assert steps == ["startup", "shutdown", "closed"]
    (record,) = caplog.records
    assert record.exc_info[0] is ValueError
    assert "twice" in str(record.exc_info[1])


async def test_yielded_value_is_ignored(app, steps):
    app.lifespan(lifespan(steps, {"db": 1}))
    await app.startup()
    assert app == {}
    await app.shutdown()


# Tasks and contexts.


async def test_another_task_may_end_the_lifespan(app, caplog):
    current = []

    @app.lifespan
    async def group():
        async with asyncio.timeout(None), asyncio.TaskGroup() as tasks:
            current.append(asyncio.current_task())
            forever = tasks.create_task(asyncio.Event().wait())
            yield
            forever.cancel()
        current.append(asyncio.current_task())

    await asyncio.create_task(app.startup())
    await asyncio.create_task(app.shutdown())
    assert current[0] is current[1]
    assert caplog.records == []


async def test_a_task_group_that_fails_ends_its_lifespan_only(app, steps, caplog, until):
    ended = asyncio.Event()
    app.lifespan(lifespan(steps, "a"))

    @app.lifespan
    async def group():
        async def fail():
            raise OSError("lost the database")

        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(fail())
                yield
        finally:
            ended.set()

    await app.startup()
    await until(ended)
    while not caplog.records:
        await asyncio.sleep(0)
    assert steps == ["enter a", "startup"]
    await until(app.shutdown())
    assert steps[2:] == ["shutdown", "leave a"]
    (record,) = caplog.records
    assert record.exc_info[0] is ExceptionGroup
    assert "before the application has ended" in record.getMessage()


async def test_lifespan_that_catches_the_end_of_its_task_group_ends(app, caplog, until):
    ended = asyncio.Event()

    @app.lifespan
    async def group():
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(fail())
                yield
        except* OSError:
            ended.set()

    async def fail():
        raise OSError("lost the database")

    await app.startup()
    await until(ended)
    await until(app.shutdown())
    assert caplog.records == []


async def test_lifespan_that_yields_again_when_cancelled_is_logged(app, caplog, until):
    again = asyncio.Event()

    @app.lifespan
    async def group():
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(fail())
                yield
        except* OSError:
            pass
        again.set()
        yield

    async def fail():
        raise OSError("lost the database")

    await app.startup()
    await until(again)
    await until(app.shutdown())
    (record,) = caplog.records
    assert "twice" in str(record.exc_info[1])


async def test_listeners_see_context_variables_of_lifespans(app):
    seen = []

    @app.lifespan
    async def language():
        LANGUAGE.set("fr")
        yield
        seen.append(LANGUAGE.get())

    app.listen("startup")(lambda: seen.append(LANGUAGE.get()))
    await app.startup()
    await app.shutdown()
    assert seen == ["fr", "fr"]


async def test_cancelled_startup_cancels_the_lifespan_it_enters(app, steps, until):
    reached = asyncio.Event()
    app.lifespan(lifespan(steps, "a"))

    @app.lifespan
    async def slow():
        try:
            reached.set()
            await asyncio.Event().wait()
            yield
        finally:
            steps.append("cleaned")

    starting = asyncio.create_task(app.startup())
    await until(reached)
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await until(starting)
    assert steps == ["enter a", "cleaned", "leave a"]


async def test_cancelled_shutdown_cancels_the_lifespan_it_leaves(app, steps, until):
    reached = asyncio.Event()

    @app.lifespan
    async def slow():
        yield
        try:
            reached.set()
            await asyncio.Event().wait()
        finally:
            steps.append("cancelled")

    await app.startup()
    ending = asyncio.create_task(app.shutdown())
    await until(reached)
    ending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await until(ending)
    assert steps == ["startup", "shutdown", "cancelled"]


def test_program_that_ends_without_shutdown_cancels_the_lifespan(app, steps):
    app.lifespan(lifespan(steps, "a"))
    asyncio.run(app.startup())
    assert steps == ["enter a", "startup", "leave a"]


# Again, and too late.


async def test_an_application_that_starts_twice_enters_once(app, steps):
    app.lifespan(lifespan(steps, "a"))
    await app.startup()
    await app.startup()
    await app.shutdown()
    await app.shutdown()
    assert [step for step in steps if step.endswith("a")] == ["enter a", "leave a"]


async def test_an_application_that_starts_again_enters_again(app, steps):
    app.lifespan(lifespan(steps, "a"))
    for _ in range(2):
        await app.startup()
        await app.shutdown()
    assert [step for step in steps if step.endswith("a")] == ["enter a", "leave a"] * 2


async def test_lifespan_after_the_startup_is_refused(app, client):
    with pytest.raises(ValueError, match="too late"):
        app.lifespan(lifespan([], "a"))


# What is none.


async def hold():
    yield


async def coroutine():
    pass


def generator():
    yield


async def wants(database):
    yield


@pytest.mark.parametrize(
    ("make", "advice"),
    [
        (lambda: None, "without parentheses"),
        (lambda: 5, "is a function, not 5"),
        (lambda: print, "not an `async def`"),
        (lambda: coroutine, "has no `yield`"),
        (lambda: generator, "not an `async def`"),
        (lambda: asynccontextmanager(hold), "under `@asynccontextmanager`"),
        (hold, "the function itself"),
        (coroutine, "the function itself"),
        (generator, "the function itself"),
        (lambda: Limits, "not an `async def`"),
        (lambda: partial(coroutine), "has no `yield`"),
    ],
    ids=range(11),
)
def test_error_says_how_to_write_an_async_generator_function(app, make, advice):
    with pytest.raises(ValueError, match=advice) as caught:
        app.lifespan(make())
    assert "one `yield`" in str(caught.value)


def test_decorator_with_parentheses_is_an_error(app):
    with pytest.raises(ValueError, match="without parentheses"):
        app.lifespan()


def test_lifespan_with_other_parameters_is_refused(app):
    with pytest.raises(ValueError, match=r"'database'.*gets `app`"):
        app.lifespan(wants)
