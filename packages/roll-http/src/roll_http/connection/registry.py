"""The connections of an event loop, and the coarse clock that they share.

One timer serves every connection of a loop: it looks at each of them a few times a second. A
timer a request would cost more than the request's own work.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from email.utils import formatdate
from typing import Any, ClassVar, Protocol
from weakref import WeakKeyDictionary, WeakSet

__all__ = ["ConnectionRegistry", "Timed", "fail"]

# Seconds between two looks at the connections. Timeouts may fire up to two intervals late. Even a
# timeout of zero leaves a pause between two looks.
INTERVAL = 0.5
SHORTEST_INTERVAL = 0.01

# Seconds from the timer to the look. A handler may have held the loop, and libuv runs timers
# before it reads sockets: what came in time is read meanwhile.
GRACE = 0.001


class Owned(Protocol):
    """A connection that belongs to an application."""

    app: Any


class Timed(Owned, Protocol):
    """A connection, as the clock sees it: two deadlines, in the loop's time."""

    read_deadline: float
    write_deadline: float

    def read_expired(self) -> None:
        """The read deadline has passed."""
        ...

    def write_expired(self) -> None:
        """The write deadline has passed."""
        ...

    def fail(self) -> None:
        """One of these two raised: log the error that is being handled, and end the connection."""
        ...


class ConnectionRegistry:
    """All connections of one loop."""

    _of_loop: ClassVar[WeakKeyDictionary[asyncio.AbstractEventLoop, ConnectionRegistry]] = (
        WeakKeyDictionary()
    )

    @classmethod
    def of(cls, loop: asyncio.AbstractEventLoop) -> ConnectionRegistry:
        """Those of a loop."""
        connections = cls._of_loop.get(loop)
        if connections is None:
            connections = cls._of_loop[loop] = cls()
        return connections

    @classmethod
    def running(cls) -> ConnectionRegistry:
        """Those of the running loop."""
        return cls.of(asyncio.get_running_loop())

    def __init__(self) -> None:
        self.now = 0.0
        """Seconds, as of the last look; they stand still while a handler holds the loop."""
        self.date = ""
        """The line of the `Date` field (RFC 9110 6.6.1)."""
        self._interval = INTERVAL
        # Their transports keep them; nothing here keeps a loop that has ended without them.
        self._members: WeakSet[Any] = WeakSet()
        self._counts: Counter[int] = Counter()  # of the members of each application
        self._ticking = False
        self._measured = 0.0  # the loop's time, when the timer last ran
        self._watchers: list[asyncio.Future[None]] = []

    def __iter__(self) -> Iterator[Timed]:
        return iter(tuple(self._members))

    def add(
        self, connection: Timed, shortest_timeout: float, loop: asyncio.AbstractEventLoop
    ) -> None:
        """Look after a connection, often enough for its shortest timeout (in seconds)."""
        self._interval = max(SHORTEST_INTERVAL, min(self._interval, shortest_timeout / 4))
        self._members.add(connection)
        self._counts[id(connection.app)] += 1
        self._tell()
        if not self._ticking:
            self._measured = loop.time()
            self._set(self._measured)
            self._book(loop)

    def discard(self, connection: Owned) -> None:
        """Forget a connection."""
        if connection in self._members:
            self._members.discard(connection)
            self._counts -= Counter((id(connection.app),))  # which forgets whom none is left of
        self._tell()

    def count(self, app: Any) -> int:
        """How many connections an application has."""
        return self._counts[id(app)]

    async def changed(self) -> None:
        """Wait until a connection comes or goes."""
        watcher = asyncio.get_running_loop().create_future()
        self._watchers.append(watcher)
        await watcher

    def _tell(self) -> None:
        for watcher in self._watchers:
            if not watcher.done():
                watcher.set_result(None)
        self._watchers.clear()

    def _book(self, loop: asyncio.AbstractEventLoop) -> None:
        self._ticking = bool(self._members)
        if self._ticking:
            loop.call_later(self._interval, self._tick, loop)

    def _tick(self, loop: asyncio.AbstractEventLoop) -> None:
        # The next one is booked first: no fault of a connection can stop the clock.
        self._book(loop)
        if not self._ticking:
            return
        before, self._measured = self._measured, loop.time()
        # Nobody could say anything while the loop was held, nor was anything read.
        passed = min(self._measured - before, 2 * self._interval)
        loop.call_later(GRACE, self._look, self.now + passed)

    def _set(self, now: float) -> None:
        self.now = now
        self.date = f"Date: {formatdate(usegmt=True)}\r\n"

    def _look(self, now: float) -> None:
        self._set(now)
        past = now - self._interval  # deadlines count from the last look: none is met too early
        for connection in self:
            try:
                if connection.read_deadline <= past:
                    connection.read_expired()
                if connection.write_deadline <= past:
                    connection.write_expired()
            except Exception:  # noqa: BLE001 - the other connections are still to be looked at
                fail(connection)


def fail(connection: Timed) -> None:
    """End a connection that raised, whatever its own `fail` does."""
    try:
        connection.fail()
    except Exception as error:  # noqa: BLE001 - a class of somebody else's, perhaps
        context = {"message": "A connection could not be ended", "exception": error}
        asyncio.get_running_loop().call_exception_handler(context)
