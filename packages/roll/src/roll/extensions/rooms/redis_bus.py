"""Rooms of several processes over Redis (or Valkey): pub/sub for messages, a hash for members."""

from __future__ import annotations

import asyncio
import itertools
import logging
import uuid
from typing import Any, Final
from weakref import WeakKeyDictionary, WeakValueDictionary

import redis.asyncio as redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from ...errors import ends_task, log_error
from ..redis_options import make_pool
from .bus import Message, Place
from .census import Census
from .envelope import open_envelope, seal
from .publisher import Publisher
from .subscriber import AWAY, PATIENCE, REFUSED, Subscriber
from .tasks import end_tasks

__all__ = ["RedisBus"]

logger = logging.getLogger("roll")

FAREWELL: Final = 1.0
"""Seconds that Redis has at shutdown to delete the numbers of this process."""


def pool_of(url: str, *, waits: bool = False) -> Any:
    """Return a pool whose commands time out; it connects later.

    With `waits`, its connections wait for messages without a timeout. No command is retried: a
    message would arrive twice when only its answer was lost.

    Raises:
        ValueError: this is not a URL of Redis, or it has an invalid option.
    """
    fixed = {"protocol": 2, "retry": Retry(NoBackoff(), 0), "decode_responses": False}
    if waits:  # a health check would read what another task reads
        fixed |= {"socket_timeout": None, "health_check_interval": 0}
    return make_pool(redis, url, PATIENCE, fixed)


class Session:
    """The connections, and the tasks that use them, from startup to shutdown."""

    def __init__(self, bus: RedisBus) -> None:
        process = uuid.uuid4()
        self.process = process.bytes
        self.pool = pool_of(bus.url)
        client = redis.Redis(connection_pool=self.pool)
        self.publisher = Publisher(client)
        self.census = Census(client, f"{bus.prefix}:processes", process.hex)
        connect = pool_of(bus.url, waits=True).make_connection
        self.subscriber = Subscriber(connect, bus.receive, self.ready)
        self.bus = bus
        self.tasks: set[asyncio.Task[None]] = set()
        for work in (self.subscriber.run(), self.census.run()):
            self.start(work)

    def start(self, work: Any) -> None:
        """Run a coroutine until the session ends."""
        task = asyncio.ensure_future(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    def ready(self, channels: list[bytes]) -> None:
        """Tell the rooms that are older than the connection that they may have missed messages."""
        self.census.renew()
        self.start(self.bus.tell_gap(channels))

    async def end(self) -> None:
        """End the tasks, and close the connections."""
        await end_tasks([*self.tasks, *self.publisher.tasks])
        try:
            async with asyncio.timeout(FAREWELL):
                await self.census.leave()
        except AWAY:
            pass  # the numbers expire by themselves
        await self.pool.disconnect()


class RedisBus:
    """A bus between the processes that have the same server and prefix.

    Every message goes to Redis. All processes, the sender's too, receive it from there. So all
    members get the messages in the same order.
    """

    def __init__(self, app: Any, url: str, prefix: str) -> None:
        pool_of(url)  # raises its errors here, not at startup
        self.app = app
        self.url = url
        self.prefix = prefix
        self._rooms: dict[bytes, Place] = {}
        self._session: Session | None = None
        self._closed = False
        # The websockets that are excluded from messages. Messages name them by number.
        self._number = itertools.count(1)
        self._numbers: WeakKeyDictionary[Any, int] = WeakKeyDictionary()
        self._numbered: WeakValueDictionary[int, Any] = WeakValueDictionary()

    async def start(self) -> None:
        """Connect; if Redis does not answer, retry in the background.

        Raises:
            ConnectionError: Redis refuses: the password is wrong, or the user lacks a right.
        """
        self._closed = False
        session = self._running()
        failure = await session.subscriber.failure
        if isinstance(failure, REFUSED):
            raise ConnectionError(f"Redis refuses the rooms: {failure}") from failure

    async def stop(self) -> None:
        """Delete the numbers of this process, and disconnect from Redis."""
        self._closed = True
        session, self._session = self._session, None
        self._rooms.clear()
        if session is not None:
            await session.end()

    def _running(self) -> Session:
        """Return the session; begin it if the event `startup` was not sent.

        Raises:
            ConnectionError: the application has shut down.
        """
        if self._closed:
            raise ConnectionError("The rooms are closed")
        if self._session is None:
            self._session = Session(self)
        return self._session

    async def _connected(self) -> Session:
        """Return the session if it is connected.

        Raises:
            ConnectionError: it is not connected.
        """
        session = self._running()
        if not session.subscriber.failure.done():
            await asyncio.wait([session.subscriber.failure])
        if not session.subscriber.connected:
            raise ConnectionError("Redis is unreachable")
        return session

    def _channel(self, room: Place) -> bytes:
        return f"{self.prefix}:room:{room.name}".encode()

    # Methods that the rooms call.

    async def open(self, room: Place) -> None:
        """Wait until messages reach a room; without a connection, do not wait."""
        if self._closed:
            return
        channel = self._channel(room)
        self._rooms[channel] = room
        await self._running().subscriber.channels.open(channel)

    def close(self, room: Place) -> None:
        """Stop the delivery of messages to a room."""
        channel = self._channel(room)
        self._rooms.pop(channel, None)
        if self._session is not None:
            self._session.subscriber.channels.close(channel)

    def resize(self, room: Place) -> None:
        """Tell the other processes the number of members."""
        if not self._closed:
            self._running().census.resize(room.name, room.size)

    async def send(self, room: Place, message: Message, exclude: Any) -> None:
        """Publish a message.

        Raises:
            ConnectionError: Redis does not answer.
            ValueError: the message is too long.
        """
        session = await self._connected()
        data = seal(message, session.process, self._number_of(exclude))
        await session.publisher.publish(self._channel(room), data)

    async def count(self, room: Place) -> int:
        """Return the number of members in all processes.

        Raises:
            ConnectionError: Redis does not answer.
        """
        session = await self._connected()
        try:
            return await session.census.count(room.name)
        except AWAY as error:
            raise ConnectionError(f"Redis did not count: {error}") from error

    # Messages from Redis.

    def receive(self, channel: bytes, data: bytes) -> None:
        """Deliver a message to its room."""
        room = self._rooms.get(channel)
        if room is None or self._session is None:
            return
        try:
            envelope = open_envelope(data)
            own = envelope.process == self._session.process
            room.deliver(envelope.message, self._numbered.get(envelope.exclude) if own else None)
        except ValueError as error:
            logger.warning("A message to the room %r was ignored: %s", room.name, error)
        except Exception:
            logger.exception("A message to the room %r was lost", room.name)

    async def tell_gap(self, channels: list[bytes]) -> None:
        """Send the event `room_gap` for each room of these channels."""
        for room in [self._rooms[name] for name in channels if name in self._rooms]:
            try:
                await self.app.hook("room_gap", room)
            except BaseException as error:
                if ends_task(error):
                    raise
                log_error("listener of room_gap", error)

    def _number_of(self, ws: Any) -> int:
        """Return the number of a websocket, always the same one; 0 for None."""
        if ws is None:
            return 0
        if ws not in self._numbers:
            number = self._numbers[ws] = next(self._number)
            self._numbered[number] = ws
        return self._numbers[ws]
