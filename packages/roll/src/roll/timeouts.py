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
"""Seconds that a cancelled handler has to clean up before Roll answers without it."""


class HasTimeLimits(Protocol):
    """The part of an application that time limits of handlers need."""

    log_errors: bool
    kept_tasks: Tasks

    @property
    def Response(self) -> Any:  # noqa: N802 - it holds a class
        """A callable that takes the application and the protocol of the connection."""
        ...


class Overdue(HttpError):
    """The 503 for a handler that took too long.

    `response` is a new one if the handler continues after its cancellation, because the handler
    can still change the old one.
    """

    def __init__(self, response: Any) -> None:
        super().__init__(HTTPStatus.SERVICE_UNAVAILABLE)
        self.response = response

    def __reduce__(self) -> tuple[Any, ...]:
        # Errors must be picklable, and responses are not.
        return Overdue, (None,)


async def within(
    app: HasTimeLimits, seconds: float, handler: Any, work: Awaitable[Any], response: Any
) -> Any:
    """Await the `work` of a handler and return its result; cancel it after `seconds`.

    The work runs in its own task, so that Roll can answer even if it ignores the cancellation.

    Raises:
        Overdue: the work took too long.
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
    try:
        return task.result()
    finally:
        del task  # its error refers to this frame: a cycle of references


async def await_it(work: Awaitable[Any]) -> Any:
    return await work


def leave(app: HasTimeLimits, task: Task, response: Any) -> Any:
    """Return the response to send for a cancelled handler: its own, or a new one if it runs on."""
    if not task.done():
        app.kept_tasks.keep(task)
        return another(app, response)
    if not task.cancelled() and (error := task.exception()) is not None and app.log_errors:
        log_error(what(response.request), error)
    return response


def another(app: HasTimeLimits, response: Any) -> Any:
    """Return a new response with the same request and header fields."""
    new = app.Response(app, response.protocol)
    new.request = response.request
    new.headers.update(response.headers)
    return new
