"""Shared fixtures of all tests of the package."""

import asyncio
import logging

import pytest

from roll import Roll


@pytest.fixture
def app():
    """An application with no route."""
    return Roll()


@pytest.fixture(autouse=True)
def _level_of_the_log():
    """Set the level of the log back: the extension `logger` sets it for the whole process."""
    yield
    logging.getLogger("roll").setLevel(logging.NOTSET)


@pytest.fixture
def talk(liveclient):
    """Send bytes to the live server, and give all that it answers before it closes."""

    async def talk(data):
        reader, writer = await asyncio.open_connection("127.0.0.1", liveclient.port)
        writer.write(data)
        answer = await reader.read()
        writer.close()
        return answer

    return talk


@pytest.fixture
def unlogged():
    """Make no records of the log: pytest keeps them, and their tracebacks have the requests."""
    logging.disable()
    yield
    logging.disable(logging.NOTSET)
