"""The end of tasks that use redis-py."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any, Final

__all__ = ["end_tasks"]

AGAIN: Final = 0.05
"""Seconds until tasks that still run are cancelled again."""


async def end_tasks(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancel tasks, and wait until they have ended.

    redis-py uses `asyncio.wait_for`. On Python 3.11 it loses a cancellation that arrives together
    with its result. So this cancels the tasks until they end.
    """
    left = set(tasks)
    while left:
        for task in left:
            task.cancel()
        ended, left = await asyncio.wait(left, timeout=AGAIN)
        for task in ended:
            task.cancelled() or task.exception()  # otherwise asyncio logs the exception
