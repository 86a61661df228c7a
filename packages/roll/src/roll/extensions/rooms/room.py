"""A room: its members, its readers, and its messages."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol

from roll_http.shown import shown

from ...errors import ends_task, log_error
from .bus import Bus, LocalBus, Message
from .readers import Reader

if TYPE_CHECKING:
    from roll_websocket import WSProtocol
else:
    WSProtocol = Any  # in type hints at run time: `rooms` alone imports websockets

__all__ = ["Counters", "House", "Policy", "Room"]

Policy = Literal["close", "drop"]
"""What happens to a slow peer: it is closed, or it misses messages."""

SENT = str, bytes, bytearray, memoryview

LOCAL: Final = LocalBus()
"""The bus of messages that stay in this process."""


@dataclass(slots=True)
class Counters:
    """Counters of delivered and missed messages in this process."""

    messages: int = 0
    """The messages that arrived, each counted once for all its peers."""
    dropped: int = 0
    """How often a message was not delivered to a peer because the peer was too slow."""
    closed: int = 0
    """The peers that were closed, because they were too slow."""

    def add(self, messages: int, slow: int, policy: Policy) -> None:
        """Add to the counters."""
        self.messages += messages
        if policy == "close":
            self.closed += slow
        else:
            self.dropped += slow


class House(Protocol):
    """The part of `Rooms` that a room uses."""

    app: Any
    bus: Bus
    slow: Policy
    backlog: int
    counters: Counters

    @property
    def ended(self) -> bool:
        """Whether new iterations end at once."""


class Room:
    """A room: its messages go to all its members and to all its readers.

    `rooms[name]` returns it. It exists as long as it has members or readers, or a reference to it.
    Write `async with room.join(ws):` and `async with room.subscribe() as messages:`.
    """

    name: str
    """The name of the room."""
    counters: Counters
    """`messages`, `dropped` and `closed` of this room; `rooms.counters` has those of all rooms."""

    def __init__(self, house: House, name: str) -> None:
        self.name = name
        self.counters = Counters()
        self._house = house
        self._members: dict[WSProtocol, int] = {}  # with the number of its joins
        self._readers: set[Reader] = set()

    def __repr__(self) -> str:
        return f"<Room {self.name!r}: {self.size} members, {len(self._readers)} readers>"

    @property
    def members(self) -> frozenset[WSProtocol]:
        """The websockets of this process that are members."""
        return frozenset(self._members)

    @property
    def size(self) -> int:
        """The number of members in this process."""
        return len(self._members)

    @property
    def used(self) -> bool:
        """Whether the room has a member or a reader in this process."""
        return bool(self._members or self._readers)

    async def count(self) -> int:
        """Return the number of members in all processes.

        Raises:
            ConnectionError: Redis does not answer.
        """
        return await self._house.bus.count(self)

    @asynccontextmanager
    async def join(self, ws: WSProtocol) -> AsyncIterator[Room]:
        """Make a websocket a member until the `async with` block ends.

        The application gets the events `room_join` and `room_leave`. If a listener of `room_join`
        raises, the websocket does not become a member. A websocket that joins twice is one member.

        Raises:
            TypeError: `ws` is not a websocket.
        """
        check_websocket("join", ws)
        await self._enter(ws)
        try:
            yield self
        finally:
            await self._leave(ws)

    async def send(
        self,
        message: str | bytes | bytearray | memoryview,
        exclude: WSProtocol | None = None,
        *,
        local: bool = False,
    ) -> None:
        """Send a message to all members and readers except `exclude`, without waiting for them.

        The messages of one process arrive in the order of the calls. With `local`, the message
        reaches the members and readers of this process only, without Redis: such as from a
        listener of `room_gap`, which each process calls.

        Raises:
            TypeError: the message is neither text nor bytes, or `exclude` is not a websocket.
            ConnectionError: Redis does not answer; other processes may have got the message.
            ValueError: the message is too long for Redis.
        """
        if not isinstance(message, SENT):
            raise TypeError(f"A message is str or bytes, not {type(message).__name__}")
        if exclude is not None:
            check_websocket("exclude", exclude)
        data = message if isinstance(message, str) else bytes(message)
        bus = LOCAL if local else self._house.bus
        await bus.send(self, data, exclude)

    async def send_json(
        self, value: Any, exclude: WSProtocol | None = None, *, local: bool = False
    ) -> None:
        """Send a value as JSON text, encoded by the codec of the application.

        Raises the exceptions of `send`, and those of the codec: TypeError or ValueError.
        """
        text = self._house.app.JSON.dumps(value)
        await self.send(text if isinstance(text, str) else text.decode(), exclude, local=local)

    async def __aiter__(self) -> AsyncGenerator[Message, None]:
        """Iterate over the messages that arrive after the first step.

        The iteration ends as that of `subscribe` does. Use `subscribe` to do something between
        the subscription and the first message.
        """
        async with self.subscribe() as messages:
            async for message in messages:
                yield message

    @asynccontextmanager
    async def subscribe(self) -> AsyncIterator[AsyncIterator[Message]]:
        """Yield an iterator over the messages that are sent within the `async with` block.

        Messages wait for the iterator from the start of the block, so none is lost between a
        look into a database and the first step. The iteration ends when the application begins to
        stop, and when the block ends. With `slow="close"` it also ends if the reader is too slow.
        While the application stops, an iteration that begins ends at once.

        Without a connection to Redis, the block starts at once. `room_gap` is sent when messages
        arrive.
        """
        reader = Reader(self._house.backlog)
        self._readers.add(reader)
        try:
            if self._house.ended:
                reader.end()
            else:
                await self._house.bus.open(self)
            yield reader
        finally:
            self._readers.discard(reader)
            reader.end()
            self._rest()

    def end_readers(self) -> None:
        """End all iterations, after the waiting messages."""
        for reader in self._readers:
            reader.end()

    def deliver(self, message: Message, exclude: WSProtocol | None) -> None:
        """Deliver a message to all members and readers in this process, except one."""
        from roll_websocket import broadcast  # noqa: PLC0415 - see `roll.deferred`

        # Make a list only when a peer is excluded.
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

    # Joins and leaves. Each changes the state before it awaits anything, so a cancelled task
    # leaves no member in the room.

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
        """Tell the bus when the room is empty."""
        if not self.used:
            self._house.bus.close(self)


def check_websocket(name: str, value: object) -> None:
    from roll_websocket import WSProtocol  # noqa: PLC0415 - see `roll.deferred`

    if not isinstance(value, WSProtocol):
        raise TypeError(
            f"`{name}` takes the websocket of a handler on Roll's own server, not {shown(value)}"
        )
