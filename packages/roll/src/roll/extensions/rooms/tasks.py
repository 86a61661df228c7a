"""The end of tasks that use redis-py."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any, Final

__all__ = ["end_tasks"]

AGAIN: Final = 0.05
"""Seconds until tasks that go on are cancelled again."""


async def end_tasks(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancel tasks, and wait for their ends.

    On Python 3.11, `asyncio.wait_for`, which redis-py uses, loses a cancellation that comes with
    its result: so they are cancelled as often as it takes.
    """
    left = set(tasks)
    while left:
        for task in left:
            task.cancel()
        ended, left = await asyncio.wait(left, timeout=AGAIN)
        for task in ended:
            task.cancelled() or task.exception()  # else asyncio logs that nobody has looked at it
