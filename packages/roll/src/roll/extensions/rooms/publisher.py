"""Messages to Redis, in the order in which they were sent."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from .subscriber import AWAY

__all__ = ["Publisher"]

BATCH: Final = 64
"""Messages that go to Redis at once: those of many tasks take one round trip together."""


class Publisher:
    """Publishes messages; what is sent meanwhile goes together, behind them."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._waiting: list[tuple[bytes, bytes, asyncio.Future[None]]] = []
        self._task: asyncio.Task[None] | None = None

    @property
    def tasks(self) -> list[asyncio.Task[None]]:
        """The task that publishes, while there is one."""
        return [] if self._task is None else [self._task]

    async def publish(self, channel: bytes, data: bytes) -> None:
        """Publish a message, and wait until Redis has it; a cancelled call may have sent it.

        Raises:
            ConnectionError: Redis does not answer, or refuses it.
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
        """Publish messages in one round trip, and tell those who wait for each."""
        results: list[Any]
        try:
            pipeline = self._client.pipeline(transaction=False)
            for channel, data, _ in batch:
                pipeline.publish(channel, data)
            results = await pipeline.execute(raise_on_error=False)
        except AWAY as error:
            results = [error] * len(batch)
        except BaseException:
            self._waiting[:0] = batch  # who waits is told behind this
            raise
        for (_, _, sent), result in zip(batch, results, strict=True):
            settle(sent, result)

    def _fail(self, error: Exception) -> None:
        """Let all who wait raise an error."""
        waiting, self._waiting = self._waiting, []
        for _, _, sent in waiting:
            settle(sent, error)


def settle(sent: asyncio.Future[None], result: Any) -> None:
    """Tell who waits for a message what came of it."""
    if sent.done():  # its task was cancelled
        return
    if isinstance(result, Exception):
        error = ConnectionError(f"Redis did not take the message: {result}")
        error.__cause__ = result
        sent.set_exception(error)
    else:
        sent.set_result(None)
