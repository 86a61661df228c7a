"""Unexpected exceptions of an application, raised in the test that caused them."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from ..errors import UNEXPECTED

__all__ = ["observed", "raised"]


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
def raised(seen: list[BaseException], *, enabled: bool) -> Iterator[None]:
    """Raise the first exception in `seen` at the end of the block.

    It also replaces the exception for a response that was cut short.
    """
    if not enabled:
        yield
        return
    seen.clear()
    logger, catcher = logging.getLogger("roll_http"), Catcher()
    logger.addHandler(catcher)
    try:
        yield
    except (EOFError, ConnectionError):
        if not seen:
            raise
    finally:
        logger.removeHandler(catcher)
    if seen:
        raise seen[0]
