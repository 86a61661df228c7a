"""The pytest plugin: fixtures for test suites that have a fixture `app`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

import pytest

if TYPE_CHECKING:
    from .client import Client
    from .live import LiveClient

__all__ = ["client", "event_loop", "liveclient"]

LOOP_SCOPES: Final = ("function", "class", "module", "package", "session")
"""The scopes of the event loops of pytest-asyncio."""


# The documented fixtures. They name `app` because it may have parameters.


@pytest.fixture
def client(request: Any, app: Any) -> Client:  # noqa: ARG001 - see above
    """A client in process for the fixture `app`, between its startup and its shutdown."""
    return cast("Client", in_loop_of_test(request, "_roll_client"))


@pytest.fixture
def liveclient(request: Any, app: Any) -> LiveClient:  # noqa: ARG001 - see above
    """A client of a real server of the fixture `app`."""
    return cast("LiveClient", in_loop_of_test(request, "_roll_liveclient"))


@pytest.fixture
def event_loop(request: Any) -> asyncio.AbstractEventLoop:
    """The running loop, for suites written when pytest-asyncio had a fixture of that name."""
    return cast("asyncio.AbstractEventLoop", in_loop_of_test(request, "_roll_event_loop"))


def in_loop_of_test(request: Any, name: str) -> Any:
    """Return the fixture `name`, set up in the loop that runs the test.

    pytest-asyncio runs a test in the loop of a scope, which the test or the configuration names.
    There is a fixture for each scope. If a test has anyio's mark, anyio runs every asynchronous
    fixture in its own loop. In auto mode, pytest-asyncio runs that test in another loop. A fixture
    that is not a coroutine is left to pytest-asyncio (1.4 or later).
    """
    mark = request.node.get_closest_marker("asyncio")
    if mark is None:
        return request.getfixturevalue(name)
    if "anyio_backend" in request.fixturenames:
        name = f"{name}_without_anyio"
    return request.getfixturevalue(f"{name}_{loop_scope(request.config, mark)}")


def loop_scope(config: Any, mark: Any) -> str:
    """Return the loop scope of a test with this mark of pytest-asyncio."""
    asked = mark.kwargs.get("loop_scope") or mark.kwargs.get("scope")
    return str(asked or config.getini("asyncio_default_test_loop_scope") or "function")


def make_fixtures(name: str, function: Callable[[], Any]) -> dict[str, Any]:
    """Return the fixture `name` for the loop of any plugin, and one for each loop scope.

    `function` is the body of the fixture.
    """
    try:
        make: Any = import_module("pytest_asyncio").fixture
    except ImportError:
        return {name: pytest.fixture(function())}
    return {name: make(function()), **scoped_fixtures(name, function)}


def scoped_fixtures(name: str, function: Callable[[], Any]) -> dict[str, Any]:
    """Return the fixtures `name_scope`, each for the loop of one pytest-asyncio scope."""
    try:
        make: Any = import_module("pytest_asyncio").fixture
    except ImportError:
        return {}
    return {f"{name}_{scope}": make(function(), loop_scope=scope) for scope in LOOP_SCOPES}


def client_function() -> Any:
    async def client(app: Any) -> AsyncIterator[Client]:
        async with serving(app) as client:
            yield client

    return client


def liveclient_function() -> Any:
    async def liveclient(app: Any) -> AsyncIterator[LiveClient]:
        async with serving_live(app) as client:
            yield client

    return liveclient


def event_loop_function() -> Any:
    async def event_loop() -> asyncio.AbstractEventLoop:
        return asyncio.get_running_loop()

    return event_loop


# pytest looks for fixtures among the global names of a plugin.
globals().update(make_fixtures("_roll_client", client_function))
globals().update(make_fixtures("_roll_liveclient", liveclient_function))
globals().update(make_fixtures("_roll_event_loop", event_loop_function))


# These fixtures are not coroutines: otherwise anyio would run them.


def client_function_without_anyio() -> Any:
    def client(app: Any) -> Iterator[Client]:
        yield from run_around(serving(app))

    return client


def liveclient_function_without_anyio() -> Any:
    def liveclient(app: Any) -> Iterator[LiveClient]:
        yield from run_around(serving_live(app))

    return liveclient


def event_loop_function_without_anyio() -> Any:
    def event_loop() -> asyncio.AbstractEventLoop:
        return asyncio.get_event_loop()

    return event_loop


globals().update(scoped_fixtures("_roll_client_without_anyio", client_function_without_anyio))
globals().update(
    scoped_fixtures("_roll_liveclient_without_anyio", liveclient_function_without_anyio)
)
globals().update(
    scoped_fixtures("_roll_event_loop_without_anyio", event_loop_function_without_anyio)
)


T = TypeVar("T")


def run_around(manager: AbstractAsyncContextManager[T]) -> Iterator[T]:
    """Enter a context manager, and exit it after the test, in the loop of pytest-asyncio."""
    loop = asyncio.get_event_loop()
    yield loop.run_until_complete(manager.__aenter__())
    loop.run_until_complete(manager.__aexit__(None, None, None))


# Import late: every run of pytest loads this module if roll is installed.


@asynccontextmanager
async def serving(app: Any) -> AsyncIterator[Client]:
    from .client import Client  # noqa: PLC0415 - see above

    await app.startup()
    yield Client(app)
    await app.shutdown()


@asynccontextmanager
async def serving_live(app: Any) -> AsyncIterator[LiveClient]:
    from .live import LiveClient  # noqa: PLC0415 - see above

    live = LiveClient(app)
    await live.start()
    yield live
    await live.stop()
