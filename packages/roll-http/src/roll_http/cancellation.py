"""Cancelling tasks, and telling what a `CancelledError` means."""

from __future__ import annotations

import asyncio
from typing import Any, Final

__all__ = ["ENDING", "cancel_task", "ends_task", "is_cancelled"]

ENDING: Final = (KeyboardInterrupt, SystemExit, GeneratorExit)
"""Errors that end the program, or a coroutine that never continues; always raised again."""


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


def ends_task(error: BaseException) -> bool:
    """Return whether an error ends the program or the task, and is not an application's error."""
    return isinstance(error, ENDING) or (
        isinstance(error, asyncio.CancelledError) and is_cancelled()
    )
