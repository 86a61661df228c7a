"""Unexpected exceptions of an application, raised in the test that caused them."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from ..errors import UNEXPECTED

__all__ = ["Seen", "observed", "raised"]


class Seen(list[BaseException]):
    """The unexpected exceptions of connections, while a request of the client waits for them.

    Exceptions keep their requests, with the bodies, in memory. So the list is empty otherwise.
    """

    waiting = 0
    """The number of requests that raise these exceptions."""

    def append(self, error: BaseException) -> None:
        """Keep an exception, if a request waits for it."""
        if self.waiting:
            super().append(error)

    def leave(self) -> None:
        """Note that a request has ended."""
        self.waiting -= 1
        if not self.waiting:
            self.clear()


class Catcher(logging.Handler):
    """A handler for the errors that roll-http logs while a response is sent."""

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the exception of a record, or its text, for the test that sent the request."""
        seen = UNEXPECTED.get()
        if seen is None or record.levelno < logging.ERROR:
            return
        error = record.exc_info[1] if record.exc_info else None
        seen.append(error or RuntimeError(record.getMessage()))


@contextmanager
def observed(seen: list[BaseException]) -> Iterator[None]:
    """Add the unexpected exceptions of connections that are made in this block to `seen`."""
    token = UNEXPECTED.set(seen)
    try:
        yield
    finally:
        UNEXPECTED.reset(token)


@contextmanager
def raised(seen: Seen, *, enabled: bool) -> Iterator[None]:
    """Raise the first exception in `seen` at the end of the block.

    It also replaces the exception for a response that was cut short.
    """
    if not enabled:
        yield
        return
    seen.clear()
    seen.waiting += 1
    try:
        with caught(seen):
            yield
        if seen:
            raise seen[0]
    finally:
        seen.leave()


@contextmanager
def caught(seen: Seen) -> Iterator[None]:
    """Keep the errors that roll-http logs; end a block that was cut short by an exception."""
    logger, catcher = logging.getLogger("roll_http"), Catcher()
    logger.addHandler(catcher)
    try:
        yield
    except (EOFError, ConnectionError):
        if not seen:
            raise
    finally:
        logger.removeHandler(catcher)
