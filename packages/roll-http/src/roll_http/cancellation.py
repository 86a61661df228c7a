"""Cancelling tasks, and telling what a `CancelledError` or a `GeneratorExit` means."""

from __future__ import annotations

import asyncio
from typing import Any, Final

__all__ = ["ENDING", "EXITS", "cancel_task", "ends_task", "is_cancelled", "is_closed"]

EXITS: Final = (KeyboardInterrupt, SystemExit)
"""Errors that end the program; always raised again."""

ENDING: Final = (*EXITS, GeneratorExit)
"""Errors that end the program, or a coroutine that never continues."""

UNKNOWN: Final[Any] = object()
"""Stands for a task that is not known."""


def cancel_task(task: asyncio.Task[Any] | None) -> None:
    """Cancel a task, unless it is being cancelled already: it may be cleaning up."""
    if task is not None and not task.cancelling():
        task.cancel()


def is_cancelled() -> bool:
    """Return whether a `CancelledError` cancels the current task, so that it must be raised again.

    Otherwise the task only awaited something that was cancelled: that is an error like any other.
    Outside of a task nothing tells, and the error must be raised again.
    """
    task = asyncio.current_task()
    return task is None or task.cancelling() > 0


def is_closed(task: asyncio.Task[Any] | None) -> bool:
    """Return whether a `GeneratorExit` in a task closes its coroutine, because the task is gone.

    Otherwise the application has raised it: that is an error like any other. `task` is the one
    whose coroutine has got the error, or None in its first step, in which it cannot be closed.
    """
    try:
        return task is not None and asyncio.current_task() is not task
    except RuntimeError:  # its loop does not run
        return True


def ends_task(error: BaseException, task: asyncio.Task[Any] | None = UNKNOWN) -> bool:
    """Return whether an error ends the program or the task, and is not an application's error.

    `task` is the one whose coroutine has got the error, as for `is_closed`. If it is not known, a
    `GeneratorExit` ends it.
    """
    if isinstance(error, GeneratorExit):
        return task is UNKNOWN or is_closed(task)
    return isinstance(error, EXITS) or (
        isinstance(error, asyncio.CancelledError) and is_cancelled()
    )
