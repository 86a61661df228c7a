"""Time limits of handlers: the extra `timeout` of a route."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable
from contextvars import copy_context
from http import HTTPStatus
from typing import Any, Final, Protocol

from roll_http import HttpError
from roll_http.cancellation import cancel_task

from .advice import described
from .errors import log_error, what
from .lifespans import adopt_variables
from .tasks import Task, Tasks

__all__ = ["HasTimeLimits", "Overdue", "within"]

logger = logging.getLogger("roll")

LAST_SECOND: Final = 1.0
"""Seconds that a cancelled handler has to clean up, before its request is answered without it."""


class HasTimeLimits(Protocol):
    """What is asked of an application whose handlers have time limits."""

    log_errors: bool
    kept_tasks: Tasks

    @property
    def Response(self) -> Any:  # noqa: N802 - it holds a class
        """Called with the application and the protocol of the connection."""
        ...


class Overdue(HttpError):
    """The 503 of a handler that took too long.

    `response` is another one where the handler goes on, though it was cancelled: it may still
    change its own.
    """

    def __init__(self, response: Any) -> None:
        super().__init__(HTTPStatus.SERVICE_UNAVAILABLE)
        self.response = response

    def __reduce__(self) -> tuple[Any, ...]:
        # Nothing of a response can be pickled, but errors are.
        return Overdue, (None,)


async def within(
    app: HasTimeLimits, seconds: float, handler: Any, work: Awaitable[Any], response: Any
) -> Any:
    """Return what the `work` of a handler gives; cancel it after `seconds`.

    It runs in a task of its own, so that one that ignores its cancellation can be left behind.

    Raises:
        Overdue: it took too long.
    """
    context = copy_context()
    task = asyncio.get_running_loop().create_task(await_it(work), context=context)
    try:
        await asyncio.wait({task}, timeout=seconds)
        overdue = not task.done()
        if overdue:
            task.cancel()
            await asyncio.wait({task}, timeout=LAST_SECOND)
    except asyncio.CancelledError:
        cancel_task(task)
        await asyncio.wait({task})
        raise
    finally:
        adopt_variables(context)
    if overdue:
        request = response.request
        logger.warning("%s: %s took more than %s s", what(request), described(handler), seconds)
        task.set_name(f"handler {described(handler)}")
        raise Overdue(leave(app, task, response))
    return task.result()


async def await_it(work: Awaitable[Any]) -> Any:
    return await work


def leave(app: HasTimeLimits, task: Task, response: Any) -> Any:
    """Return the response to answer with, in place of that of a handler which was cancelled."""
    if not task.done():
        app.kept_tasks.keep(task)
        return another(app, response)
    if not task.cancelled() and (error := task.exception()) is not None and app.log_errors:
        log_error(what(response.request), error)
    return response


def another(app: HasTimeLimits, response: Any) -> Any:
    """Return a response with the header fields that one has so far."""
    new = app.Response(app, response.protocol)
    new.request = response.request
    new.headers.update(response.headers)
    return new
