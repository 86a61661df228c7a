"""Readers of a room (`async for`), each with a bounded queue."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Final

from .bus import Message

__all__ = ["BACKLOG", "Reader"]

BACKLOG: Final = 2**20
"""The default of the bytes that may wait for a reader."""

COST: Final = 100
"""Bytes that are counted for each message besides its own, to bound many short messages."""


class Reader:
    """The messages that wait for one reader."""

    def __init__(self, backlog: int) -> None:
        self.backlog = backlog
        self.messages: deque[Message] = deque()
        self.size = 0
        self.ended = False
        self.waiter: asyncio.Future[None] | None = None

    def put(self, message: Message) -> bool:
        """Add a message; if too much waits already, add nothing and return False."""
        cost = len(message) + COST
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
        """Wake the reader if it waits."""
        if self.waiter is not None and not self.waiter.done():
            self.waiter.set_result(None)

    async def get(self) -> Message | None:
        """Return the next message; None at the end."""
        while not self.messages:
            if self.ended:
                return None
            self.waiter = asyncio.get_running_loop().create_future()
            await self.waiter
        message = self.messages.popleft()
        self.size -= len(message) + COST
        return message
