"""Waiting: for a message, for a turn to send, for the end."""

import asyncio
from collections.abc import Callable
from typing import Any

from websockets.frames import Close, CloseCode

from roll_websocket.errors import ConnectionClosed
from roll_websocket.outbox import Outbox

__all__ = ["LOST", "Waiting", "wake"]

# RFC 6455 7.1.5: the end of a connection that ended without a close frame.
LOST = Close(CloseCode.ABNORMAL_CLOSURE, "")


class Waiting(asyncio.Protocol):
    """The part of a connection that its handler waits for."""

    _transport: asyncio.Transport
    _loop: asyncio.AbstractEventLoop
    _gone: asyncio.Future[None]
    _outbox: Outbox

    _receiver: asyncio.Future[None] | None = None
    _end: Close | None = None

    async def _message(self) -> None:
        """Wait for a message or the end."""
        if self._receiver is not None and not self._receiver.done():
            raise RuntimeError("Another task awaits the next message already")
        receiver = self._receiver = self._loop.create_future()
        try:
            await receiver
        finally:
            receiver.cancel()  # Done, but where the coroutine was closed.

    async def _turn(self, write: Callable[[], object]) -> Any:
        """Call `write` when it is its turn; ConnectionClosed when nothing may be sent."""
        if self._end is None and self._transport.is_closing():
            await self._until_gone()
        if self._end is not None or self._gone.done():
            # Who sends in a loop, whatever it raises, yields too.
            await asyncio.sleep(0)
            raise self._closed()
        return await self._outbox.turn(write)

    async def _until_gone(self) -> None:
        """Wait until the transport is gone; a cancelled wait aborts it."""
        try:
            await asyncio.wait([self._gone])
        except asyncio.CancelledError:
            self._transport.abort()
            raise

    def _closed(self) -> ConnectionClosed:
        """The exception that tells the end; the transport may be gone before all is received."""
        end = self._end or LOST
        return ConnectionClosed(int(end.code), end.reason)


def wake(waiter: asyncio.Future[None] | None) -> None:
    """Let go on who awaits this."""
    if waiter is not None and not waiter.done():
        waiter.set_result(None)
