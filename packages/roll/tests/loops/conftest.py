"""The tests of this folder run on asyncio, and on uvloop where that is installed."""

import asyncio

import pytest

from roll import Limits

try:
    import uvloop
except ImportError:
    LOOPS = {"asyncio": asyncio.new_event_loop}
else:
    LOOPS = {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}

PATIENCE = 10  # seconds after which a test that waits has failed


def pytest_asyncio_loop_factories(config, item):
    return LOOPS


@pytest.fixture
def hurried(app):
    """An application whose graceful stop waits for next to nothing."""
    app.limits = Limits(graceful_timeout=0.01)
    return app


@pytest.fixture
def until():
    """Wait for an event, or for what else can be awaited; a test that waits too long fails."""

    async def until(awaitable):
        if isinstance(awaitable, asyncio.Event):
            awaitable = awaitable.wait()
        async with asyncio.timeout(PATIENCE):
            return await awaitable

    return until


@pytest.fixture
def connect(liveclient):
    """Open a connection to the live server, and send bytes."""
    writers = []

    async def connect(data=b""):
        reader, writer = await asyncio.open_connection("127.0.0.1", liveclient.port)
        writers.append(writer)
        writer.write(data)
        return reader, writer

    yield connect
    for writer in writers:
        writer.transport.abort()
