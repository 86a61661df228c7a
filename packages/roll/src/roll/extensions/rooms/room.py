"""A room: its members, its readers, and what is sent to them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from roll_websocket import WSProtocol, broadcast

from ...errors import ends_task, log_error
from .bus import Bus, Message
from .readers import Reader

__all__ = ["Counters", "House", "Policy", "Room"]

Policy = Literal["close", "drop"]
"""What becomes of a peer that is too slow: it is closed, or misses messages."""

SENT = str, bytes, bytearray, memoryview


@dataclass(slots=True)
class Counters:
    """What was delivered in this process, and to how many peers it was not."""

    messages: int = 0
    """The messages that came, for any number of peers."""
    dropped: int = 0
    """How often a message was not given to a peer, which was too slow."""
    closed: int = 0
    """The peers that were closed, because they were too slow."""

    def add(self, messages: int, slow: int, policy: Policy) -> None:
        """Count messages, and peers that were too slow for one."""
        self.messages += messages
        if policy == "close":
            self.closed += slow
        else:
            self.dropped += slow


class House(Protocol):
    """What a room needs of the rooms."""

    app: Any
    bus: Bus
    slow: Policy
    backlog: int
    counters: Counters


class Room:
    """A room: what is sent to it goes to all who have joined it, and to all who read it.

    `rooms[name]` gives it. It lasts as long as somebody is there, or has it at hand.
    """

    def __init__(self, house: House, name: str) -> None:
        self.name = name
        self.counters = Counters()
        """What was delivered here: those of the rooms together are in `rooms.counters`."""
        self._house = house
        self._members: dict[WSProtocol, int] = {}  # and how often each has joined
        self._readers: set[Reader] = set()

    def __repr__(self) -> str:
        return f"<Room {self.name!r}: {self.size} members, {len(self._readers)} readers>"

    @property
    def members(self) -> frozenset[WSProtocol]:
        """The websockets of this process that have joined."""
        return frozenset(self._members)

    @property
    def size(self) -> int:
        """The number of members in this process."""
        return len(self._members)

    @property
    def used(self) -> bool:
        """Whether anybody of this process is in the room: a member or a reader."""
        return bool(self._members or self._readers)

    async def count(self) -> int:
        """Return the number of members in all processes.

        Raises:
            ConnectionError: Redis does not answer.
        """
        return await self._house.bus.count(self)

    @asynccontextmanager
    async def join(self, ws: WSProtocol) -> AsyncIterator[Room]:
        """Make a websocket a member, as long as the `async with` block lasts.

        The events `room_join` and `room_leave` tell the application; a listener of the first that
        raises keeps the websocket out. Who joins twice is one member.

        Raises:
            TypeError: `ws` is no websocket.
        """
        check_websocket("join", ws)
        await self._enter(ws)
        try:
            yield self
        finally:
            await self._leave(ws)

    async def send(
        self, message: str | bytes | bytearray | memoryview, exclude: WSProtocol | None = None
    ) -> None:
        """Send a message to all members and readers, except `exclude`; wait for none of them.

        Messages of one process arrive in the order of the calls.

        Raises:
            TypeError: the message is neither text nor bytes, or `exclude` is no websocket.
            ConnectionError: Redis does not answer; other processes may have got the message.
            ValueError: the message is too long for Redis.
        """
        if not isinstance(message, SENT):
            raise TypeError(f"A message is str or bytes, not {type(message).__name__}")
        if exclude is not None:
            check_websocket("exclude", exclude)
        data = message if isinstance(message, str) else bytes(message)
        await self._house.bus.send(self, data, exclude)

    async def send_json(self, value: Any, exclude: WSProtocol | None = None) -> None:
        """Send a value as JSON, as text, by the codec of the application.

        Raises the exceptions of `send`, and those of the codec: TypeError or ValueError.
        """
        text = self._house.app.JSON.dumps(value)
        await self.send(text if isinstance(text, str) else text.decode(), exclude)

    async def __aiter__(self) -> AsyncGenerator[Message, None]:
        """Iterate over the messages that come from now on.

        The iteration ends if the reader is too slow, and `slow` is "close", and when the
        application shuts down.
        """
        reader = Reader(self._house.backlog)
        self._readers.add(reader)
        try:
            await self._house.bus.open(self)
            while (message := await reader.get()) is not None:
                yield message
        finally:
            self._readers.discard(reader)
            self._rest()

    def end_readers(self) -> None:
        """End all iterations, behind the messages that wait."""
        for reader in self._readers:
            reader.end()

    def deliver(self, message: Message, exclude: WSProtocol | None) -> None:
        """Give a message to all who are here, except one."""
        # A list is made only where somebody is left out.
        members = (
            [ws for ws in self._members if ws is not exclude]
            if exclude is not None
            else self._members
        )
        self._count(1, broadcast(members, message, slow=self._house.slow))
        for reader in tuple(self._readers):
            if not (reader.ended or reader.put(message)):
                self._count(0, 1)
                if self._house.slow == "close":
                    reader.end()

    def _count(self, messages: int, slow: int) -> None:
        for counters in (self.counters, self._house.counters):
            counters.add(messages, slow, self._house.slow)

    # Who comes and goes. What changes is changed before anything is awaited: however a task is
    # cancelled, nobody is left behind.

    async def _enter(self, ws: WSProtocol) -> None:
        first = ws not in self._members
        self._members[ws] = self._members.get(ws, 0) + 1
        try:
            self._house.bus.resize(self)
            await self._house.bus.open(self)
            if first:
                await self._house.app.hook("room_join", self, ws)
        except BaseException:
            self._remove(ws)
            raise

    async def _leave(self, ws: WSProtocol) -> None:
        if not self._remove(ws):
            return
        try:
            await self._house.app.hook("room_leave", self, ws)
        except BaseException as error:
            if ends_task(error):
                raise
            log_error("listener of room_leave", error)  # the handler has ended

    def _remove(self, ws: WSProtocol) -> bool:
        """Undo a join; return whether it was the last one of this websocket."""
        self._members[ws] -= 1
        if self._members[ws]:
            return False
        del self._members[ws]
        self._house.bus.resize(self)
        self._rest()
        return True

    def _rest(self) -> None:
        """Tell the bus when nobody is left."""
        if not self.used:
            self._house.bus.close(self)


def check_websocket(name: str, value: object) -> None:
    if not isinstance(value, WSProtocol):
        raise TypeError(f"`{name}` takes the websocket of a handler, not {value!r}")
