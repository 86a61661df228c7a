"""Readers of a room, each with a bounded queue."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Final, Self

from .bus import Message

__all__ = ["BACKLOG", "Reader"]

BACKLOG: Final = 2**20
"""The default of the bytes that may wait for a reader."""

COST: Final = 100
"""Bytes that are counted for each message besides its own, to bound many short messages."""

WIDEST: Final = 4
"""The most bytes of a character. To encode a message for each of its readers would take longer."""


class Reader:
    """An iterator over the messages that arrive for one reader.

    One task at a time may wait for a message. If it is cancelled, no message is lost.
    """

    def __init__(self, backlog: int) -> None:
        self.backlog = backlog
        self.messages: deque[Message] = deque()
        self.size = 0
        self.ended = False
        self.waiter: asyncio.Future[None] | None = None

    def put(self, message: Message) -> bool:
        """Add a message; if too much waits already, add nothing and return False."""
        cost = cost_of(message)
        if self.messages and self.size + cost > self.backlog:
            return False
        self.messages.append(message)
        self.size += cost
        self.wake()
        return True

    def end(self) -> None:
        """Take no more messages: the iteration ends after the waiting messages."""
        self.ended = True
        self.wake()

    def wake(self) -> None:
        """Wake the task that waits for a message."""
        if self.waiter is not None and not self.waiter.done():
            self.waiter.set_result(None)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Message:
        """Return the next message.

        Raises:
            RuntimeError: another task waits for a message.
        """
        while not self.messages:
            if self.ended:
                raise StopAsyncIteration
            await self._wait()
        message = self.messages.popleft()
        self.size -= cost_of(message)
        return message

    async def _wait(self) -> None:
        if self.waiter is not None:
            raise RuntimeError("Another task waits for the next message of this room")
        self.waiter = asyncio.get_running_loop().create_future()
        try:
            await self.waiter
        finally:
            self.waiter = None


def cost_of(message: Message) -> int:
    """Return the most bytes that a message may have in UTF-8, with those of its place."""
    wide = isinstance(message, str) and not message.isascii()
    return len(message) * (WIDEST if wide else 1) + COST
