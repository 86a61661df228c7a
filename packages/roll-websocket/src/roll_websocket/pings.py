"""The pings of a connection, until their pongs come."""

import asyncio
from collections.abc import Iterable

from roll_websocket.errors import ConnectionClosed

__all__ = ["Pings"]


class Pings:
    """The pings that wait for a pong, in their order, and the time that the last one took.

    Times are those of `perf_counter`: the clock of uvloop counts milliseconds.
    """

    __slots__ = ("latency", "probed", "waiters")

    def __init__(self) -> None:
        self.waiters: dict[bytes, tuple[asyncio.Future[float], float]] | None = None
        """The future and the time of each ping that was sent, or None."""
        self.probed: float | None = None
        """The time of the last ping of the keep-alive (an empty one), or None once answered."""
        self.latency: float | None = None
        """The seconds until the last pong."""

    def add(self, payload: bytes, now: float) -> asyncio.Future[float]:
        """Record a ping. Return the future of its pong."""
        waiter: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        self.waiters = {} if self.waiters is None else self.waiters
        self.waiters[payload] = waiter, now
        return waiter

    def answer(self, pongs: Iterable[bytes], now: float) -> None:
        """Answer each pong's ping, and those before it (RFC 6455 5.5.3)."""
        for payload in pongs:
            if not payload and self.probed is not None:
                self.latency, self.probed = now - self.probed, None
            if self.waiters and payload in self.waiters:
                self.answer_up_to(payload, self.waiters, now)

    def answer_up_to(
        self, payload: bytes, waiters: dict[bytes, tuple[asyncio.Future[float], float]], now: float
    ) -> None:
        """Set the futures up to this ping to the seconds that each took."""
        keys = list(waiters)
        for key in keys[: keys.index(payload) + 1]:
            waiter, sent = waiters.pop(key)
            self.latency = now - sent
            if not waiter.done():
                waiter.set_result(now - sent)

    def fail(self, code: int, reason: str) -> None:
        """Let the futures raise ConnectionClosed."""
        waiters, self.waiters = self.waiters or {}, None
        for waiter, _ in waiters.values():
            if not waiter.done():
                waiter.set_exception(ConnectionClosed(code, reason))
                waiter.exception()  # The caller need not await it.
