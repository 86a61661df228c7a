"""The end of a connection: close code, timeout, loss of the transport."""

import asyncio
import logging
from typing import Protocol

from websockets.frames import Close, CloseCode

from roll_websocket.errors import ConnectionClosed, wake
from roll_websocket.flow import taken

__all__ = ["LOST", "Ending", "Limits"]

LOGGER = logging.getLogger("roll_websocket")

# RFC 6455 7.1.5: the end of a connection that ended without a close frame.
LOST = Close(CloseCode.ABNORMAL_CLOSURE, "")


class Limits(Protocol):
    """The constants of a `WSProtocol` class."""

    TIMEOUT: float
    MAX_QUEUE: int
    READ_LIMIT: int
    WRITE_LIMIT: int
    BACKLOG_LIMIT: int


class Ending:
    """How a connection has ended, and when its transport is gone."""

    __slots__ = ("close", "gone", "limits", "taken", "timer", "transport")

    def __init__(self, transport: asyncio.Transport, limits: type[Limits]) -> None:
        self.transport = transport
        self.limits = limits
        self.taken: int | None = None
        self.gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.close: Close | None = None
        """The code and reason; None while the connection is open."""
        self.timer: asyncio.TimerHandle | None = None

    @property
    def told(self) -> Close:
        """The code and reason for the handler; 1006 if the transport was lost."""
        return self.close or LOST

    @property
    def exception(self) -> ConnectionClosed:
        """A ConnectionClosed with the code and reason."""
        return ConnectionClosed(int(self.told.code), self.told.reason)

    def took(self) -> bool:
        """Whether the peer has read anything since the last call."""
        before, self.taken = self.taken, taken(self.transport)
        return before is not None and (self.taken is None or self.taken > before)

    def begin(self, close: Close) -> None:
        """Record the close, and give the peer `TIMEOUT` seconds."""
        self.close = close
        if not self.gone.done():
            self.took()
            self.watch()

    def watch(self) -> None:
        """Schedule `expire` in `TIMEOUT` seconds."""
        loop = asyncio.get_running_loop()
        self.timer = loop.call_later(self.limits.TIMEOUT, self.expire)

    def expire(self) -> None:
        """Abort the connection, unless the peer still reads what was sent before the close."""
        try:
            took = self.took()
        except Exception:  # our own fault: do not wait
            LOGGER.exception("A WebSocket connection failed")
            took = False
        if took:
            self.watch()
        else:
            self.transport.abort()

    def lost(self) -> None:
        """Record the loss of the transport."""
        wake(self.gone)
        if self.timer is not None:
            self.timer.cancel()

    async def until_gone(self) -> None:
        """Wait until the transport is gone; a cancelled wait aborts it."""
        try:
            await asyncio.wait([self.gone])
        except asyncio.CancelledError:
            self.transport.abort()
            raise
