"""The channels that are wanted of Redis, and those that it has confirmed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

__all__ = ["Ask", "Channels"]

Ask = Callable[[str, bytes], None]
"""Called with the command to send, SUBSCRIBE or UNSUBSCRIBE, and the channel."""


class Channel:
    """What is wanted of a channel, and what is."""

    __slots__ = ("active", "asked", "settled", "wanted")

    def __init__(self) -> None:
        self.wanted = False
        self.active = False
        self.asked = False
        """Whether a command has been sent that Redis has not confirmed."""
        self.settled: asyncio.Future[None] | None = None
        """Done once what is wanted is so, or the connection is lost; None if nobody waits."""


class Channels:
    """Brings what is into line with what is wanted, by one command a channel at a time.

    Whoever comes back before an UNSUBSCRIBE is confirmed is subscribed again behind it.
    """

    def __init__(self) -> None:
        self._channels: dict[bytes, Channel] = {}
        self.unconfirmed = 0
        """The commands for which an answer is still to come."""
        self._ask: Ask | None = None
        """None while there is no connection."""

    def __len__(self) -> int:
        return len(self._channels)

    async def open(self, name: bytes) -> None:
        """Want a channel, and wait until it is confirmed; without a connection, do not wait."""
        channel = self._channels.setdefault(name, Channel())
        channel.wanted = True
        self._align(name, channel)
        while self._ask is not None and (channel.asked or not channel.active):
            if channel.settled is None:
                channel.settled = asyncio.get_running_loop().create_future()
            await asyncio.wait([channel.settled])  # which one who is cancelled leaves as it is

    def close(self, name: bytes) -> None:
        """Want a channel no more."""
        channel = self._channels.get(name)
        if channel is not None:
            channel.wanted = False
            self._align(name, channel)

    def connected(self, ask: Ask) -> None:
        """Ask for all channels, on a new connection."""
        self._ask = ask
        for name, channel in list(self._channels.items()):
            self._align(name, channel)

    def confirm(self, name: bytes, active: bool) -> None:
        """Take the answer of Redis to the command for a channel."""
        channel = self._channels.get(name)
        if channel is not None and channel.asked:
            self.unconfirmed -= 1
            channel.asked, channel.active = False, active
            self._align(name, channel)

    def names(self) -> list[bytes]:
        """Return the channels that are wanted."""
        return [name for name, channel in self._channels.items() if channel.wanted]

    def lost(self) -> None:
        """Note that there is no connection, and wake all who wait."""
        self._ask = None
        self.unconfirmed = 0
        for name, channel in list(self._channels.items()):
            channel.asked = channel.active = False
            self._align(name, channel)

    def _align(self, name: bytes, channel: Channel) -> None:
        """Ask for what is wanted and is not, unless an answer is still to come."""
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
