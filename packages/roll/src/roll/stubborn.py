"""The tasks that a process leaves when it ends."""

from __future__ import annotations

import asyncio
import ctypes
import logging
from asyncio.tasks import _unregister_task
from collections.abc import Iterator
from typing import Any, Final

__all__ = ["end_tasks"]

logger: Final = logging.getLogger("roll")

LAST_SECONDS: Final = 1.0
"""Seconds that tasks get to end after their cancellation."""


async def end_tasks() -> None:
    """Cancel all other tasks of the loop; abandon those that do not end within a second.

    `asyncio.Runner` waits for every task. A task that catches each `CancelledError` would keep
    the process alive for ever.
    """
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    if not tasks:
        return
    _, stubborn = await asyncio.wait(tasks, timeout=LAST_SECONDS)
    for task in stubborn:
        logger.error("A task does not end when it is cancelled, and is given up: %s", place(task))
        _give_up(task)


def _give_up(task: Any) -> None:
    _unregister_task(task)  # so the runner does not wait for it
    # Never free it: Python would close its coroutine, and a loop with a bare `except` does not end
    # by that either.
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(task))


def place(task: asyncio.Task[Any]) -> str:
    """Return where a task waits: its coroutines with their lines, the innermost last."""
    return ", ".join(calls(task.get_coro())) or task.get_name()


def calls(coroutine: Any) -> Iterator[str]:
    while (frame := getattr(coroutine, "cr_frame", None)) is not None:
        yield f"{coroutine.__qualname__} ({frame.f_code.co_filename}:{frame.f_lineno})"
        coroutine = coroutine.cr_await
