"""The connections of an event loop, and the coarse clock that they share.

One timer serves all connections of a loop: it checks their deadlines a few times a second. A timer
for each request would cost more than the request itself.

roll-websocket has another coarse clock (`roll_websocket.keepalive`), on purpose: the two packages
do not depend on each other, and they need different clocks. Here, deadlines change with each
request, so a change must cost nothing, and all connections are scanned. There, deadlines last for
many seconds, so connections are grouped by the time at which they are due.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from typing import Any, ClassVar, Protocol
from weakref import WeakKeyDictionary, WeakSet

from ..h1.dates import format_date

__all__ = ["ConnectionRegistry", "Timed", "fail"]

# Seconds between two ticks. Timeouts may fire up to two intervals late. Even with a timeout of
# zero, the ticks keep a distance.
INTERVAL = 0.5
SHORTEST_INTERVAL = 0.01

# Seconds from the timer to the check of the deadlines. A handler may have blocked the loop, and
# uvloop runs timers before it reads: this delay lets the loop read what arrived in time.
GRACE = 0.001


class Owned(Protocol):
    """A connection that belongs to an application."""

    app: Any


class Timed(Owned, Protocol):
    """A connection with two deadlines, in the time of the registry."""

    read_deadline: float
    write_deadline: float

    def read_expired(self) -> None:
        """Handle that the read deadline has passed."""
        ...

    def write_expired(self) -> None:
        """Handle that the write deadline has passed."""
        ...

    def fail(self) -> None:
        """Log the error that one of the two raised, and end the connection."""
        ...


class ConnectionRegistry:
    """All connections of one event loop, and their clock."""

    _of_loop: ClassVar[WeakKeyDictionary[asyncio.AbstractEventLoop, ConnectionRegistry]] = (
        WeakKeyDictionary()
    )

    @classmethod
    def of(cls, loop: asyncio.AbstractEventLoop) -> ConnectionRegistry:
        """Return the registry of a loop."""
        connections = cls._of_loop.get(loop)
        if connections is None:
            connections = cls._of_loop[loop] = cls()
        return connections

    @classmethod
    def running(cls) -> ConnectionRegistry:
        """Return the registry of the running loop."""
        return cls.of(asyncio.get_running_loop())

    def __init__(self) -> None:
        self.now = 0.0
        """The time of the last tick, in seconds; it stops while a handler blocks the loop."""
        self.date = ""
        """The `Date` line of responses (RFC 9110 6.6.1), made at the last tick."""
        self.interval = INTERVAL
        """The seconds between two ticks. `now` may be that much older than the time."""
        # Weak: transports keep connections alive, and these their loop. The registry must not.
        self._members: WeakSet[Any] = WeakSet()
        self._counts: Counter[int] = Counter()  # of the members of each application
        self._ticking = False
        self._last_tick = 0.0  # in the loop's time
        self._watchers: list[asyncio.Future[None]] = []

    def __iter__(self) -> Iterator[Timed]:
        return iter(tuple(self._members))

    def add(
        self, connection: Timed, shortest_timeout: float, loop: asyncio.AbstractEventLoop
    ) -> None:
        """Add a connection, and tick often enough for its shortest timeout (in seconds)."""
        self.interval = max(SHORTEST_INTERVAL, min(self.interval, shortest_timeout / 4))
        self._members.add(connection)
        self._counts[id(connection.app)] += 1
        self._wake_watchers()
        if not self._ticking:
            self._last_tick = loop.time()
            self._set_time(self._last_tick)
            self._schedule(loop)

    def discard(self, connection: Owned) -> None:
        """Remove a connection."""
        if connection in self._members:
            self._members.discard(connection)
            self._counts -= Counter((id(connection.app),))  # drops applications that reach zero
        self._wake_watchers()

    def count(self, app: Any) -> int:
        """Return how many connections an application has."""
        return self._counts[id(app)]

    async def changed(self) -> None:
        """Wait until a connection is added or removed."""
        watcher = asyncio.get_running_loop().create_future()
        self._watchers.append(watcher)
        await watcher

    def _wake_watchers(self) -> None:
        for watcher in self._watchers:
            if not watcher.done():
                watcher.set_result(None)
        self._watchers.clear()

    def _schedule(self, loop: asyncio.AbstractEventLoop) -> None:
        self._ticking = bool(self._members)
        if self._ticking:
            loop.call_later(self.interval, self._tick, loop)

    def _tick(self, loop: asyncio.AbstractEventLoop) -> None:
        # Schedule the next tick first, so that no error of a connection stops the clock.
        self._schedule(loop)
        if not self._ticking:
            return
        before, self._last_tick = self._last_tick, loop.time()
        # Nothing was read while the loop was blocked: do not count that time against clients.
        passed = min(self._last_tick - before, 2 * self.interval)
        loop.call_later(GRACE, self._check_deadlines, self.now + passed)

    def _set_time(self, now: float) -> None:
        self.now = now
        self.date = f"Date: {format_date()}\r\n"

    def _check_deadlines(self, now: float) -> None:
        self._set_time(now)
        past = now - self.interval  # deadlines count from the tick before: none fires too early
        for connection in self:
            try:
                if connection.read_deadline <= past:
                    connection.read_expired()
                if connection.write_deadline <= past:
                    connection.write_expired()
            except Exception:  # noqa: BLE001 - the check of the other connections must follow
                fail(connection)


def fail(connection: Timed) -> None:
    """End a connection that raised an error, even if its own `fail` raises too."""
    try:
        connection.fail()
    except Exception as error:  # noqa: BLE001 - the class may be an application's own
        context = {"message": "A connection could not be ended", "exception": error}
        asyncio.get_running_loop().call_exception_handler(context)
