"""Closing the streams of responses, whether they were sent or not."""

from __future__ import annotations

import inspect
import logging
from typing import Any

from ..cancellation import EXITS, ends_task

__all__ = ["close_stream", "close_streamed", "stream_of"]

logger = logging.getLogger("roll_http")


async def close_streamed(stream: Any, body: Any) -> None:
    """Close a stream that was sent in whole or in part, and the body that it reads."""
    try:
        await close_stream(stream)
    finally:
        # The iterator of this package closes the plain iterator that it reads.
        if body is not stream and hasattr(body, "__aiter__"):
            await close_stream(body)


async def close_stream(stream: Any) -> None:
    """Call the `aclose` of a stream, so that the `finally` blocks of a generator run now.

    If an iterator has no `aclose`, call its `close`, and await the result if it is awaitable. A
    stream that can be iterated again is not closed.
    """
    try:
        close = _closing(stream)
        closing = None if close is None else close()
        if inspect.isawaitable(closing):
            await closing
    except BaseException as error:
        if ends_task(error):
            raise
        logger.exception("A streamed response failed while it was closed")


def _closing(stream: Any) -> Any:
    close = getattr(stream, "aclose", None)
    if close is None and (hasattr(stream, "__anext__") or hasattr(stream, "__next__")):
        close = getattr(stream, "close", None)
    return close


def stream_of(response: Any) -> Any:
    """Return the body of a response if it must be closed, sent or not; otherwise None."""
    try:
        # An application may have returned the stream itself.
        body = response if hasattr(response, "__anext__") else response.body
        streamed = hasattr(body, "__aiter__") or hasattr(body, "__next__")
        return body if streamed and not isinstance(body, type) else None
    except EXITS:
        raise
    except BaseException:  # noqa: BLE001 - the class is an application's own
        return None
