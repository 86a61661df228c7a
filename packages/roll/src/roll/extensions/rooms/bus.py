"""What carries messages to the rooms: within this process, or between processes."""

from __future__ import annotations

import asyncio
from typing import Any, Protocol

__all__ = ["Bus", "LocalBus", "Message", "Place"]

Message = str | bytes
"""Text, or binary data, as websockets have them."""


class Place(Protocol):
    """What a bus needs of a room."""

    name: str

    @property
    def size(self) -> int:
        """The number of members in this process."""

    def deliver(self, message: Message, exclude: Any) -> None:
        """Give a message to all who are here, except one."""


class Bus(Protocol):
    """Carries messages, and knows how many members the rooms have."""

    async def open(self, room: Place) -> None:
        """Wait until messages reach a room; a room may be opened often."""

    def close(self, room: Place) -> None:
        """Bring no more messages to a room: nobody is there."""

    def resize(self, room: Place) -> None:
        """Note that the number of members in this process has changed."""

    async def send(self, room: Place, message: Message, exclude: Any) -> None:
        """Bring a message to a room."""

    async def count(self, room: Place) -> int:
        """Return the number of members in all processes."""


class LocalBus:
    """Carries messages within this process."""

    async def open(self, room: Place) -> None:
        """Do nothing: messages reach each room."""

    def close(self, room: Place) -> None:
        """Do nothing."""

    def resize(self, room: Place) -> None:
        """Do nothing."""

    async def send(self, room: Place, message: Message, exclude: Any) -> None:
        """Deliver a message at once."""
        room.deliver(message, exclude)
        # Who sends in a loop must let the sockets be written, or all peers would seem slow.
        await asyncio.sleep(0)

    async def count(self, room: Place) -> int:
        """Return the number of members in this process."""
        return room.size
