"""The channels that this process needs, and those that Redis has confirmed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

__all__ = ["Ask", "Channels"]

Ask = Callable[[str, bytes], None]
"""A function that sends a command, SUBSCRIBE or UNSUBSCRIBE, for a channel."""


class Channel:
    """The wanted state and the actual state of a channel."""

    __slots__ = ("active", "asked", "settled", "wanted")

    def __init__(self) -> None:
        self.wanted = False
        self.active = False
        self.asked = False
        """Whether Redis has yet to confirm a command."""
        self.settled: asyncio.Future[None] | None = None
        """Done when the channel has its wanted state, or is lost; None if no task waits."""


class Channels:
    """Channels, each brought to its wanted state with one command at a time.

    A channel that is wanted again before Redis confirms its UNSUBSCRIBE is subscribed again
    afterwards.
    """

    def __init__(self) -> None:
        self._channels: dict[bytes, Channel] = {}
        self.unconfirmed = 0
        """The number of commands that Redis has not answered yet."""
        self._ask: Ask | None = None
        """The function that sends commands; None without a connection."""

    def __len__(self) -> int:
        return len(self._channels)

    async def open(self, name: bytes) -> None:
        """Subscribe to a channel; wait until Redis confirms, unless there is no connection."""
        channel = self._channels.setdefault(name, Channel())
        channel.wanted = True
        self._align(name, channel)
        while self._ask is not None and (channel.asked or not channel.active):
            if channel.settled is None:
                channel.settled = asyncio.get_running_loop().create_future()
            await asyncio.wait([channel.settled])  # a cancelled task does not cancel the future

    def close(self, name: bytes) -> None:
        """Unsubscribe from a channel."""
        channel = self._channels.get(name)
        if channel is not None:
            channel.wanted = False
            self._align(name, channel)

    def connected(self, ask: Ask) -> None:
        """Subscribe to all wanted channels on a new connection."""
        self._ask = ask
        for name, channel in list(self._channels.items()):
            self._align(name, channel)

    def confirm(self, name: bytes, active: bool) -> None:
        """Note the answer of Redis to the command for a channel."""
        channel = self._channels.get(name)
        if channel is not None and channel.asked:
            self.unconfirmed -= 1
            channel.asked, channel.active = False, active
            self._align(name, channel)

    def names(self) -> list[bytes]:
        """Return the channels that are wanted."""
        return [name for name, channel in self._channels.items() if channel.wanted]

    def lost(self) -> None:
        """Note that the connection is lost, and wake all waiting tasks."""
        self._ask = None
        self.unconfirmed = 0
        for name, channel in list(self._channels.items()):
            channel.asked = channel.active = False
            self._align(name, channel)

    def _align(self, name: bytes, channel: Channel) -> None:
        """Send the command that leads to the wanted state, unless Redis has yet to answer one."""
        if channel.asked:
            return
        if self._ask is not None and channel.wanted is not channel.active:
            channel.asked = True
            self.unconfirmed += 1
            self._ask("SUBSCRIBE" if channel.wanted else "UNSUBSCRIBE", name)
            return
        if channel.settled is not None:
            channel.settled.set_result(None)
            channel.settled = None
        if not channel.wanted:
            del self._channels[name]
