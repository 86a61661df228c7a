"""The publisher: it sends messages to Redis, in the order of the calls."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from .subscriber import AWAY

__all__ = ["Publisher"]

BATCH: Final = 64
"""Maximum number of messages in one round trip to Redis."""


class Publisher:
    """A publisher. Messages that arrive during a round trip are sent together in the next one."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._waiting: list[tuple[bytes, bytes, asyncio.Future[None]]] = []
        self._task: asyncio.Task[None] | None = None

    @property
    def tasks(self) -> list[asyncio.Task[None]]:
        """The task that publishes; None when there is nothing to publish."""
        return [] if self._task is None else [self._task]

    async def publish(self, channel: bytes, data: bytes) -> None:
        """Publish a message, and wait until Redis has it. A cancelled call may have sent it.

        Raises:
            ConnectionError: Redis does not answer, or refuses the message.
        """
        sent: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((channel, data, sent))
        if self._task is None:
            self._task = asyncio.ensure_future(self._work())
        await sent

    async def _work(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[:BATCH], self._waiting[BATCH:]
                await self._publish([entry for entry in batch if not entry[2].done()])
        finally:
            self._task = None
            self._fail(ConnectionError("The rooms are closed"))

    async def _publish(self, batch: list[tuple[bytes, bytes, asyncio.Future[None]]]) -> None:
        """Publish messages in one round trip, and wake the tasks that wait for them."""
        results: list[Any]
        try:
            pipeline = self._client.pipeline(transaction=False)
            for channel, data, _ in batch:
                pipeline.publish(channel, data)
            results = await pipeline.execute(raise_on_error=False)
        except AWAY as error:
            results = [error] * len(batch)
        except BaseException:
            self._waiting[:0] = batch  # `_fail` tells the tasks that wait
            raise
        for (_, _, sent), result in zip(batch, results, strict=True):
            settle(sent, result)

    def _fail(self, error: Exception) -> None:
        """Raise an error in all tasks that wait."""
        waiting, self._waiting = self._waiting, []
        for _, _, sent in waiting:
            settle(sent, error)


def settle(sent: asyncio.Future[None], result: Any) -> None:
    """Tell the task that waits for a message whether Redis took it."""
    if sent.done():  # its task was cancelled
        return
    if isinstance(result, Exception):
        error = ConnectionError(f"Redis did not take the message: {result}")
        error.__cause__ = result
        sent.set_exception(error)
    else:
        sent.set_result(None)
