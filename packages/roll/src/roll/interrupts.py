"""Signals before the server handles them, and after that: while `startup` or `shutdown` runs."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Callable
from typing import Any, Final, Self

__all__ = ["BY_SIGNAL", "Interrupts"]

# A shell shows this plus the number of a signal as the exit code of a process that it has ended.
BY_SIGNAL: Final = 128

SIGQUIT: Final = getattr(signal, "SIGQUIT", None)
"""None on Windows, which lacks it."""


class Interrupts:
    """SIGTERM and SIGQUIT cancel the task that enters this context, as asyncio does at a Ctrl-C.

    A SIGTERM does so once, before the server handles the signals. A SIGQUIT does so each time,
    also after `resume`. Both do nothing outside of the main thread, nor with the loops of Windows.

    Raises:
        SystemExit: one of them has cancelled the task.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._task: Any = asyncio.current_task()
        self._cancelled = 0  # how often
        self._last: int | None = None  # the last of the signals

    def __enter__(self) -> Self:
        self._handle(signal.SIGTERM, self._terminate)
        self.resume()
        return self

    def __exit__(self, *error: object) -> None:
        for _ in range(self._cancelled):
            self._task.uncancel()
        if isinstance(error[1], asyncio.CancelledError) and not self._task.cancelling():
            self.check()

    def check(self) -> None:
        """Raise `SystemExit` if a signal has come, in case the application has caught that."""
        if self._last is not None:
            raise SystemExit(BY_SIGNAL + self._last) from None

    def resume(self) -> None:
        """Handle SIGQUIT again, after the server has handled it."""
        if SIGQUIT is not None:
            self._handle(SIGQUIT, self._quit)

    def _handle(self, number: int, call: Callable[[], None]) -> None:
        with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
            self._loop.add_signal_handler(number, call)

    def _terminate(self) -> None:
        if self._task.cancelling() and self._last is None:
            # `roll run --reload` sends it after a Ctrl-C, which has cancelled the task.
            self._last = signal.SIGTERM
        elif self._last is None:  # a repeated SIGTERM changes nothing
            self._cancel(signal.SIGTERM)

    def _quit(self) -> None:
        assert SIGQUIT is not None  # it has come
        self._cancel(SIGQUIT)

    def _cancel(self, number: int) -> None:
        self._last = number
        self._cancelled += 1
        self._task.cancel()
