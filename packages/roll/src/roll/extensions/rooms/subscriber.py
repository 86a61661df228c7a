"""The connection that receives messages from Redis. A lost connection is replaced."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable
from typing import Any, Final

from redis.exceptions import AuthenticationError, RedisError, ResponseError

from .channels import Channels
from .tasks import end_tasks

__all__ = ["AWAY", "PATIENCE", "REFUSED", "Subscriber"]

logger = logging.getLogger("roll")

AWAY: Final = (RedisError, OSError, RuntimeError)
"""The exceptions of redis-py when Redis does not answer. A time-out is an OSError, and a closed
transport of uvloop raises RuntimeError."""

REFUSED: Final = (AuthenticationError, ResponseError)
"""Errors that a retry does not repair: a wrong password, a user who lacks a right."""

PATIENCE: Final = 5.0
"""Seconds that Redis has to answer."""

PING: Final = 2.0
"""Seconds between two pings: a connection that is silent for `PATIENCE` seconds is dead."""

LOOK_AGAIN: Final = 0.01
"""Seconds to read the data that arrived while the event loop was busy."""

FIRST_DELAY: Final = 0.05
LONGEST_DELAY: Final = 1.0
"""Seconds between two attempts to connect: the first and the longest delay. Each doubles."""

ROW: Final = 16
"""Messages that are delivered before the event loop runs other tasks and writes to sockets."""


class Subscriber:
    """A connection that subscribes to the wanted channels and passes messages on.

    `connect` makes a connection. `receive` takes a channel and a message. `ready` takes the
    channels of each new connection, after Redis has confirmed all of them.
    """

    def __init__(
        self,
        connect: Callable[[], Any],
        receive: Callable[[bytes, bytes], None],
        ready: Callable[[list[bytes]], None],
    ) -> None:
        self.channels = Channels()
        self.connected = False
        """Whether messages arrive: Redis has confirmed all channels."""
        self._loop = asyncio.get_running_loop()
        self.failure: asyncio.Future[Exception | None] = self._loop.create_future()
        """The error of the first attempt to connect; None if it succeeded."""
        self._connect = connect
        self._receive = receive
        self._ready = ready
        self._commands: asyncio.Queue[tuple[str, bytes]] = asyncio.Queue()
        self._before: list[bytes] = []  # the channels that a new connection begins with
        self._heard = 0.0  # when Redis last sent anything
        self._confirmed = 0.0  # when Redis last confirmed a channel, or had none to confirm
        self._away = False

    async def run(self) -> None:
        """Connect, and connect again after each loss, until this task is cancelled."""
        delay = FIRST_DELAY
        while True:
            try:
                await self._converse()
            except AWAY as error:
                self._note(error)
            except Exception as error:
                logger.exception("The connection to Redis failed")
                self._tell_first(error)
            finally:
                delay = FIRST_DELAY if self.connected else min(2 * delay, LONGEST_DELAY)
                self.connected = False
                self.channels.lost()
            await asyncio.sleep(delay * random.uniform(0.5, 1))  # noqa: S311 - spreads the workers

    def _note(self, error: Exception) -> None:
        """Log that Redis does not answer: once, not at every attempt."""
        if not self._away:
            reason = str(error) or f"no answer in {PATIENCE:g} seconds"
            logger.warning("Redis is unreachable, so rooms get no messages: %s", reason)
        self._away = True
        self._tell_first(error)

    def _tell_first(self, failure: Exception | None) -> None:
        if not self.failure.done():
            self.failure.set_result(failure)

    async def _converse(self) -> None:
        """Use one connection until it is lost; then raise its error."""
        connection = self._connect()
        tasks: list[asyncio.Task[None]] = []
        try:
            async with asyncio.timeout(PATIENCE):
                await connection.connect()
                await connection.send_command("PING")  # fails if the user lacks a right
                await connection.read_response()
            self._begin()
            tasks = [asyncio.ensure_future(run(connection)) for run in (self._read, self._write)]
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            done.pop().result()
        finally:
            await end_tasks(tasks)
            await connection.disconnect(nowait=True)

    def _begin(self) -> None:
        self._commands = asyncio.Queue()
        self._heard = self._confirmed = self._loop.time()
        self._before = self.channels.names()
        self.channels.connected(lambda *command: self._commands.put_nowait(command))
        self._settle()

    def _settle(self) -> None:
        """Note that messages arrive, after Redis has confirmed all channels."""
        if not (self.connected or self.channels.unconfirmed):
            self.connected = True
            if self._away:
                logger.warning("Redis is back")
            self._away = False
            self._tell_first(None)
            self._ready(self._before)

    async def _write(self, connection: Any) -> None:
        """Send commands, and pings when there are none; raise TimeoutError if Redis is silent."""
        while not await self._silent():
            try:
                async with asyncio.timeout(PING):
                    command = await self._commands.get()
            except TimeoutError:
                await connection.send_command("PING")
            else:
                await connection.send_command(*command)
        raise TimeoutError

    async def _silent(self) -> bool:
        """Tell whether Redis has sent nothing, or confirmed no channel, for too long."""
        if self._late():
            # Look again: this process may have been busy, and uvloop runs timers before it reads.
            await asyncio.sleep(LOOK_AGAIN)
        return self._late()

    def _late(self) -> bool:
        now = self._loop.time()
        if not self.channels.unconfirmed:
            self._confirmed = now
        return now - min(self._heard, self._confirmed) >= PATIENCE

    async def _read(self, connection: Any) -> None:
        """Receive messages and answers until the connection is lost."""
        row = 0
        while True:
            reply = await connection.read_response(disable_decoding=True, push_request=True)
            self._heard = self._loop.time()
            if isinstance(reply, list):
                self._take(*reply)
            row += 1
            if row % ROW == 0:
                await asyncio.sleep(0)

    def _take(self, kind: bytes, name: bytes, data: Any = None) -> None:
        if kind == b"message":
            self._receive(name, data)
        elif kind in (b"subscribe", b"unsubscribe"):
            self._confirmed = self._heard
            self.channels.confirm(name, kind == b"subscribe")
            self._settle()
