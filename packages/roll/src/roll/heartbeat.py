"""One coarse timer for all event streams of an event loop.

A timer for each stream would take 0.8 KiB on uvloop, and 10,000 clients may be connected.
"""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar, Final, Protocol
from weakref import WeakKeyDictionary

__all__ = ["Heartbeat", "check_interval"]

LONGEST_PERIOD = 1.0
"""The longest time between two ticks, in seconds."""

TICKS = 15
"""The smallest number of ticks in the interval of a member."""


SHORTEST: Final = 0.001
LONGEST: Final = 31_536_000
"""The limits of an interval in seconds: a shorter one would keep the processor busy."""


def check_interval(value: Any) -> None:
    """Check an interval of comments in seconds; None or 0 for no comments."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if value is not None and not (number and (value == 0 or SHORTEST <= value <= LONGEST)):
        raise ValueError(
            f"`sse_interval` is a number of seconds from {SHORTEST} to {LONGEST}, or None or 0"
            f" for no comments, not {value!r}"
        )


class Beating(Protocol):
    """An object whose `beat` is called at each tick."""

    def beat(self, now: float) -> None:
        """Act on a tick; `now` is the loop's time, in seconds."""
        ...


class Heartbeat:
    """The members of an event loop, and the timer that calls them."""

    _of_loop: ClassVar[WeakKeyDictionary[asyncio.AbstractEventLoop, Heartbeat]] = (
        WeakKeyDictionary()
    )

    @classmethod
    def of(cls, loop: asyncio.AbstractEventLoop) -> Heartbeat:
        """Return the heartbeat of an event loop; create it if needed."""
        found = cls._of_loop.get(loop)
        if found is None:
            found = cls._of_loop[loop] = cls()
        return found

    def __init__(self) -> None:
        self._members: set[Beating] = set()
        self._period = LONGEST_PERIOD
        self._ticking = False

    def add(self, member: Beating, interval: float, loop: asyncio.AbstractEventLoop) -> None:
        """Call `member.beat` at each tick, at least `TICKS` times per `interval` (seconds)."""
        self._members.add(member)
        self._period = min(self._period, interval / TICKS)
        if not self._ticking:
            self._schedule(loop)

    def discard(self, member: Beating) -> None:
        """Stop calling a member."""
        self._members.discard(member)

    def _schedule(self, loop: asyncio.AbstractEventLoop) -> None:
        self._ticking = bool(self._members)
        if self._ticking:
            loop.call_later(self._period, self._tick, loop)
        else:
            self._period = LONGEST_PERIOD

    def _tick(self, loop: asyncio.AbstractEventLoop) -> None:
        self._schedule(loop)
        now = loop.time()
        for member in tuple(self._members):
            member.beat(now)
