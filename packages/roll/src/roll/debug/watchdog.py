"""A watchdog that logs code that blocks the event loop."""

from __future__ import annotations

import asyncio
import logging
import math
import sys
import threading
import traceback
from time import monotonic
from types import FrameType
from typing import Any, Final

from ..advice import is_passed_over
from ..application import Roll

__all__ = ["watch_loop"]

logger = logging.getLogger("roll")

BLOCKED: Final = 0.1
"""Seconds without a turn of the loop after which the watchdog logs."""

BEAT: Final = BLOCKED / 4
"""Seconds between two heartbeats of the loop, and between two checks of the watchdog."""

WAITING: Final = ("asyncio.", "selectors")
"""Modules that wait for events: if they are on top of the stack, the loop is not blocked."""


def watch_loop(app: Roll, seconds: float = BLOCKED) -> None:
    """Log, with its stack, each call that blocks the event loop for more than `seconds`.

    A thread watches the loop from startup to shutdown. asyncio's debug mode cannot replace
    it: that mode does not work with uvloop, and logs a call only after the call has ended.

    Raises:
        ValueError: `seconds` is not a number above 0.
    """
    check_time(seconds)
    watchdog = Watchdog(seconds)
    app.listen("startup")(watchdog.start)
    app.listen("shutdown")(watchdog.stop)


def check_time(seconds: Any) -> None:
    number = isinstance(seconds, int | float) and not isinstance(seconds, bool)
    if not (number and 0 < seconds < math.inf):
        raise ValueError(f"`seconds` is a number above 0, not {seconds!r}")


class Watchdog:
    """A thread that inspects the stack of the loop's thread when the loop is blocked."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._last = monotonic()
        self._thread_id = 0
        self._ended = threading.Event()
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Watch the running loop."""
        self._thread_id = threading.get_ident()
        self._ended.clear()
        self._beat(asyncio.get_running_loop())
        threading.Thread(target=self._watch, name="roll watchdog", daemon=True).start()

    def stop(self) -> None:
        """End the thread."""
        self._ended.set()
        if self._timer is not None:
            self._timer.cancel()

    def _beat(self, loop: Any) -> None:
        self._last = monotonic()
        self._timer = loop.call_later(BEAT, self._beat, loop)

    def _watch(self) -> None:
        told = 0.0  # the last heartbeat before the logged block
        while not self._ended.wait(BEAT):
            last = self._last
            if monotonic() - last > self._seconds and told != last:
                told = last
                self._tell(sys._current_frames()[self._thread_id])  # noqa: SLF001 - documented for debuggers

    def _tell(self, frame: FrameType) -> None:
        walked = list(traceback.walk_stack(frame))  # the innermost call comes first
        names = [str(inner.f_globals.get("__name__", "")) for inner, _ in walked]
        if names[0].startswith(WAITING):
            return
        below = (depth for depth, name in enumerate(names) if depth and is_passed_over(name))
        calls = traceback.StackSummary.extract(iter(walked[: next(below, None)]))
        logger.warning(
            "The event loop is blocked for more than %d ms, here:\n%s",
            round(self._seconds * 1000),
            "".join(reversed(calls.format())),
        )
