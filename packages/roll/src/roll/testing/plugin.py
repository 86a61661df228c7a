"""The pytest plugin: fixtures for those who have an `app` fixture of their own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar, cast

import pytest

if TYPE_CHECKING:
    from .client import Client
    from .live import LiveClient

__all__ = ["client", "event_loop", "liveclient"]

F = TypeVar("F")


def fixture(function: F) -> F:
    """Make an asynchronous fixture: of pytest-asyncio's kind, where it is installed."""
    try:
        make: Any = import_module("pytest_asyncio").fixture
    except ImportError:
        make = pytest.fixture
    return cast(F, make(function))


# Every run of pytest loads this module where roll is installed: what it needs comes when used.


@fixture
async def client(app: Any) -> AsyncIterator[Client]:
    """A client in process for the fixture `app`, between its startup and its shutdown."""
    from .client import Client  # noqa: PLC0415 - as said above

    await app.startup()
    yield Client(app)
    await app.shutdown()


@fixture
async def liveclient(app: Any) -> AsyncIterator[LiveClient]:
    """A client of a real server of the fixture `app`."""
    from .live import LiveClient  # noqa: PLC0415 - as said above

    live = LiveClient(app)
    await live.start()
    yield live
    await live.stop()


@fixture
async def event_loop() -> asyncio.AbstractEventLoop:
    """The running loop, for suites written when pytest-asyncio had a fixture of that name."""
    return asyncio.get_running_loop()
