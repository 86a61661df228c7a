"""Signals that hurry a worker of gunicorn, while `startup` or `shutdown` runs."""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import Iterator
from typing import Any, Final

__all__ = ["Hurry"]

TOGETHER: Final = 0.3
"""Seconds within which signals count as one.

At a Ctrl-C in a terminal, a worker gets a SIGINT, and the SIGQUIT or SIGTERM that gunicorn's
master then sends.
"""


class Hurry:
    """The cancellation of `startup` and `shutdown`, in the task that creates this object."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._task: Any = asyncio.current_task()
        self._runs = False  # whether something runs that `cancel` cancels
        self._cancelled = 0  # how often
        self._last = -math.inf  # the time of the last signal that had an effect

    @contextlib.contextmanager
    def cancels(self) -> Iterator[None]:
        """Have `cancel` cancel what runs in this context, which then ends without an exception."""
        self._runs = True
        try:
            yield
        except asyncio.CancelledError:
            if self._restore():
                raise  # someone else has cancelled it
        finally:
            self._runs = False
            self._restore()

    def _restore(self) -> int:
        """Take back the cancellations; return how many others have been asked for."""
        cancelled, self._cancelled = self._cancelled, 0
        for _ in range(cancelled):
            self._task.uncancel()
        others: int = self._task.cancelling()
        return others

    def note(self) -> None:
        """Note a signal that begins the stop: one that comes together with it cancels nothing."""
        if not self._runs:
            self._last = self._loop.time()

    def cancel(self) -> None:
        """Cancel what runs, unless a signal has just done so, or has begun the stop."""
        now = self._loop.time()
        if self._runs and now - self._last < TOGETHER:
            return
        self._last = now
        if self._runs:
            self._cancelled += 1
            self._task.cancel()
