"""Buses: they carry messages to the rooms, in this process or between processes."""

from __future__ import annotations

import asyncio
from typing import Any, Protocol

__all__ = ["Bus", "LocalBus", "Message", "Place"]

Message = str | bytes
"""A message of a room: text or binary data, as in websockets."""


class Place(Protocol):
    """The part of a room that a bus uses."""

    name: str

    @property
    def size(self) -> int:
        """The number of members in this process."""

    def deliver(self, message: Message, exclude: Any) -> None:
        """Deliver a message to all members and readers in this process, except one."""


class Bus(Protocol):
    """A bus carries messages, and knows how many members the rooms have."""

    async def open(self, room: Place) -> None:
        """Wait until messages reach a room; a room may be opened more than once."""

    def close(self, room: Place) -> None:
        """Stop the delivery of messages to a room that is empty."""

    def resize(self, room: Place) -> None:
        """Note that the number of members in this process has changed."""

    async def send(self, room: Place, message: Message, exclude: Any) -> None:
        """Send a message to a room."""

    async def count(self, room: Place) -> int:
        """Return the number of members in all processes."""


class LocalBus:
    """A bus within this process."""

    async def open(self, room: Place) -> None:
        """Do nothing: messages always reach each room."""

    def close(self, room: Place) -> None:
        """Do nothing."""

    def resize(self, room: Place) -> None:
        """Do nothing."""

    async def send(self, room: Place, message: Message, exclude: Any) -> None:
        """Deliver a message at once."""
        room.deliver(message, exclude)
        # Yield to the event loop: if a task sends in a loop, the sockets must still be written.
        # Otherwise all peers would seem slow.
        await asyncio.sleep(0)

    async def count(self, room: Place) -> int:
        """Return the number of members in this process."""
        return room.size
