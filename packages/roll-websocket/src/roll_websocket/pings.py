"""The pings of a handler, until their pongs come."""

import asyncio
from collections.abc import Iterable

from roll_websocket.errors import ConnectionClosed

__all__ = ["Pings"]


class Pings(dict[bytes, "asyncio.Future[None]"]):
    """Who awaits which pong, in the order of the pings."""

    __slots__ = ()

    def answer(self, pongs: Iterable[bytes]) -> None:
        """A pong answers its ping and those before it (RFC 6455 5.5.3)."""
        for payload in pongs:
            while payload in self:
                waiter = self.pop(next(iter(self)))
                if not waiter.done():
                    waiter.set_result(None)

    def fail(self, code: int, reason: str) -> None:
        """No pong will come."""
        for waiter in self.values():
            if not waiter.done():
                waiter.set_exception(ConnectionClosed(code, reason))
                waiter.exception()  # Not awaiting it is no mistake.
        self.clear()
