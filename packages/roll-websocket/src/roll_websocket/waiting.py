"""Waiting: for a message, for a turn to send, for the end."""

import asyncio

from websockets.frames import Close, CloseCode

from roll_websocket.errors import ConnectionClosed

__all__ = ["LOST", "Waiting", "wake"]

# Sends in a row without waiting before others have their turn.
SENDS_PER_TURN = 64

# RFC 6455 7.1.5: the end of a connection that ended without a close frame.
LOST = Close(CloseCode.ABNORMAL_CLOSURE, "")


class Waiting(asyncio.Protocol):
    """The part of a connection that its handler waits for."""

    _transport: asyncio.Transport
    _loop: asyncio.AbstractEventLoop
    _gone: asyncio.Future[None]

    _receiver: asyncio.Future[None] | None = None
    _writable: asyncio.Future[None] | None = None
    _end: Close | None = None
    _paused = False
    _sends = 0

    async def _message(self) -> None:
        """Wait for a message or the end."""
        if self._receiver is not None and not self._receiver.done():
            raise RuntimeError("Another task awaits the next message already")
        receiver = self._receiver = self._loop.create_future()
        try:
            await receiver
        finally:
            receiver.cancel()  # Done, but where the coroutine was closed.

    def _may_send(self) -> bool:
        """Whether a frame may be sent now, without a word with the others."""
        self._sends += 1
        return self._sends < SENDS_PER_TURN and not (
            self._paused or self._end or self._transport.is_closing()
        )

    async def _turn_to_send(self) -> None:
        """Wait until a frame may be sent; ConnectionClosed when none may be."""
        self._sends = 0
        await asyncio.sleep(0)
        while self._paused and self._end is None:
            await self._until_writable()
        if self._end is None and self._transport.is_closing():
            await self._until_gone()
        if self._end is not None or self._gone.done():
            raise self._closed()

    async def _until_writable(self) -> None:
        """Wait until the peer has read enough, or the end."""
        if self._writable is None:
            self._writable = self._loop.create_future()
        await asyncio.wait([self._writable])

    def _release_writers(self) -> None:
        """Let go on who waits to send."""
        wake(self._writable)
        self._writable = None

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
