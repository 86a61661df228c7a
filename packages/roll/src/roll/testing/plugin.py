"""The pytest plugin: fixtures for those who have an `app` fixture of their own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar, cast

import pytest

if TYPE_CHECKING:
    from .client import Client
    from .live import LiveClient

__all__ = ["client", "event_loop", "liveclient"]

F = TypeVar("F")


def fixture(function: F) -> F:
    """Make a fixture that runs in the test's loop: of pytest-asyncio, where it is installed."""
    try:
        make: Any = import_module("pytest_asyncio").fixture
    except ImportError:
        make = pytest.fixture
    return cast(F, make(function))


# The fixtures of the documentation. `app` is named because it may have parameters.


@pytest.fixture
def client(request: Any, app: Any) -> Client:  # noqa: ARG001 - as said above
    """A client in process for the fixture `app`, between its startup and its shutdown."""
    return cast("Client", in_loop_of_test(request, "_roll_client"))


@pytest.fixture
def liveclient(request: Any, app: Any) -> LiveClient:  # noqa: ARG001 - as said above
    """A client of a real server of the fixture `app`."""
    return cast("LiveClient", in_loop_of_test(request, "_roll_liveclient"))


@pytest.fixture
def event_loop(request: Any) -> asyncio.AbstractEventLoop:
    """The running loop, for suites written when pytest-asyncio had a fixture of that name."""
    return cast("asyncio.AbstractEventLoop", in_loop_of_test(request, "_roll_event_loop"))


def in_loop_of_test(request: Any, name: str) -> Any:
    """Return the fixture `name`, made in the loop that runs the test.

    anyio makes every asynchronous fixture of a test with its mark in a loop of its own, and in
    auto mode pytest-asyncio runs that test, in another loop. A fixture that is no coroutine is
    left to pytest-asyncio (1.4 or later).
    """
    is_contested = "anyio_backend" in request.fixturenames
    if is_contested and request.node.get_closest_marker("asyncio") is not None:
        name += "_without_anyio"
    return request.getfixturevalue(name)


@fixture
async def _roll_client(app: Any) -> AsyncIterator[Client]:
    async with serving(app) as client:
        yield client


@fixture
async def _roll_liveclient(app: Any) -> AsyncIterator[LiveClient]:
    async with serving_live(app) as client:
        yield client


@fixture
async def _roll_event_loop() -> asyncio.AbstractEventLoop:
    return asyncio.get_running_loop()


@fixture
def _roll_client_without_anyio(app: Any) -> Iterator[Client]:
    yield from run_around(serving(app))


@fixture
def _roll_liveclient_without_anyio(app: Any) -> Iterator[LiveClient]:
    yield from run_around(serving_live(app))


@fixture
def _roll_event_loop_without_anyio() -> asyncio.AbstractEventLoop:
    return asyncio.get_event_loop()


T = TypeVar("T")


def run_around(manager: AbstractAsyncContextManager[T]) -> Iterator[T]:
    """Enter a manager, and leave it after the test, in the loop that pytest-asyncio has set."""
    loop = asyncio.get_event_loop()
    yield loop.run_until_complete(manager.__aenter__())
    loop.run_until_complete(manager.__aexit__(None, None, None))


# Every run of pytest loads this module where roll is installed: what it needs comes when used.


@asynccontextmanager
async def serving(app: Any) -> AsyncIterator[Client]:
    from .client import Client  # noqa: PLC0415 - as said above

    await app.startup()
    yield Client(app)
    await app.shutdown()


@asynccontextmanager
async def serving_live(app: Any) -> AsyncIterator[LiveClient]:
    from .live import LiveClient  # noqa: PLC0415 - as said above

    live = LiveClient(app)
    await live.start()
    yield live
    await live.stop()
