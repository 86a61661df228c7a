"""The pings of a connection, until their pongs come."""

import asyncio
from collections.abc import Iterable

from roll_websocket.errors import ConnectionClosed

__all__ = ["Pings"]


class Pings:
    """Who awaits which pong, in the order of the pings, and how long the last one took.

    Times are those of `perf_counter`: the clock of uvloop counts milliseconds.
    """

    __slots__ = ("latency", "probed", "waiters")

    def __init__(self) -> None:
        self.waiters: dict[bytes, tuple[asyncio.Future[float], float]] = {}
        self.probed: float | None = None
        """When the keep-alive sent a ping, which is empty, and nobody awaits."""
        self.latency: float | None = None
        """Seconds of the last pong."""

    def add(self, payload: bytes, now: float) -> asyncio.Future[float]:
        """A ping is sent; returns the future of its pong."""
        waiter: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        self.waiters[payload] = waiter, now
        return waiter

    def answer(self, pongs: Iterable[bytes], now: float) -> None:
        """A pong answers its ping and those before it (RFC 6455 5.5.3)."""
        for payload in pongs:
            if not payload and self.probed is not None:
                self.latency, self.probed = now - self.probed, None
            if payload in self.waiters:
                self.latency = now - self.waiters[payload][1]
                self.answer_up_to(payload, now)

    def answer_up_to(self, payload: bytes, now: float) -> None:
        """Give each who awaits this pong, or an earlier one, the seconds that it took."""
        keys = list(self.waiters)
        for key in keys[: keys.index(payload) + 1]:
            waiter, sent = self.waiters.pop(key)
            if not waiter.done():
                waiter.set_result(now - sent)

    def fail(self, code: int, reason: str) -> None:
        """No pong will come."""
        for waiter, _ in self.waiters.values():
            if not waiter.done():
                waiter.set_exception(ConnectionClosed(code, reason))
                waiter.exception()  # Not awaiting it is no mistake.
        self.waiters.clear()
