"""The body of a request on its way from the connection to the handler."""

from __future__ import annotations

import asyncio
from collections import deque
from http import HTTPStatus
from typing import Protocol

from .errors import HttpError

__all__ = ["BodySource", "BodyStream", "check_size"]

# What is kept for a handler before the client is held back. One read brings up to 256 KiB, and
# over TLS the loops hold as much several times: keeping a second one would go beyond 2 MiB there.
HIGH_WATER = 128 * 1024


class BodySource(Protocol):
    """The connection, as a body sees it."""

    def body_awaited(self) -> None:
        """The handler waits for data, and has taken all that came: keep an eye on the time."""
        ...

    def body_received(self) -> None:
        """The handler waits no longer."""
        ...

    def body_taken(self) -> None:
        """There is room again."""
        ...


class _NoSource:
    """What is behind a body of which nothing is to come."""

    def body_awaited(self) -> None:
        """Nothing will come."""

    def body_received(self) -> None:
        """Nobody ever waits."""

    def body_taken(self) -> None:
        """There is always room."""


def check_size(size: int, limit: int | None) -> None:
    """Raise `HttpError` 413 when a body is larger than the limit, if there is one."""
    if limit is not None and size > limit:
        raise HttpError(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            f"The body is larger than the {limit} bytes allowed",
        )


class BodyStream:
    """An async iterator over the chunks of one body, filled by its connection."""

    __slots__ = (
        "_chunks",
        "_consumed",
        "_discarding",
        "_error",
        "_limit",
        "_source",
        "_waiter",
        "complete",
        "length",
        "received",
        "size",
    )

    def __init__(self, source: BodySource, length: int | None) -> None:
        self._source = source
        self.length = length
        """The length that was announced, in bytes."""
        self.received = 0
        """Bytes that came so far."""
        self.size = 0
        """Bytes that came and were not taken yet."""
        self.complete = False
        self._discarding = False
        self._chunks: deque[bytes] = deque()
        self._consumed = False
        self._error: Exception | None = None
        self._limit: int | None = None
        self._waiter: asyncio.Future[None] | None = None

    @classmethod
    def whole(cls, data: bytes) -> BodyStream:
        """A body that has come already."""
        stream = cls(_NoSource(), len(data))
        if data:
            stream.feed(data)
        stream.end()
        return stream

    # The connection's side.

    @property
    def full(self) -> bool:
        """The client should be held back."""
        return self.size > HIGH_WATER

    @property
    def awaited(self) -> bool:
        """A handler waits for data, or has not yet had its turn to take what came just now."""
        return self._waiter is not None

    def feed(self, data: bytes) -> None:
        """Data has come."""
        if self._discarding:
            return
        self.size += len(data)
        self.received += len(data)
        self._chunks.append(data)
        self._wake()

    def end(self) -> None:
        """The last byte has come."""
        self.complete = True
        self._wake()

    def fail(self, error: Exception) -> None:
        """No more will come: `error` is raised where the handler waits, or would."""
        if not self.complete and self._error is None:
            self._error = error
            self._wake()

    def discard(self) -> None:
        """The request was answered: forget what came, and what comes.

        Who reads on all the same gets an error: a part must not pass for the whole.
        """
        if self._discarding:
            return
        self._error = RuntimeError("The request was answered before its body was read to its end")
        self._discarding = True
        self._chunks.clear()
        self.size = 0
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    # The handler's side.

    def limit_to(self, limit: int | None) -> None:
        """Let no more than `limit` bytes through, if it is no None.

        Raises `HttpError` 413 at once when more was announced, else when more has come.
        """
        if limit is not None and (self._limit is None or limit < self._limit):
            self._limit = limit
        check_size(self.length or 0, self._limit)

    def open(self) -> BodyStream:
        """Begin to go through it, which can be done once; then raises `RuntimeError`."""
        if self._consumed:
            raise RuntimeError("The body was read already: it can be streamed only once")
        self._consumed = True
        return self

    def __aiter__(self) -> BodyStream:
        return self

    async def __anext__(self) -> bytes:
        while not self._chunks:
            if self._error is not None:
                raise self._error
            if self.complete:
                raise StopAsyncIteration
            await self._wait()
        if self._limit is not None:
            check_size(self.received, self._limit)
        chunk = self._chunks.popleft()
        before = self.size
        self.size = before - len(chunk)
        if before > HIGH_WATER >= self.size:
            self._source.body_taken()
        return chunk

    async def _wait(self) -> None:
        if self._waiter is not None:
            raise RuntimeError("The body is being read elsewhere already")
        self._waiter = asyncio.get_running_loop().create_future()
        self._source.body_awaited()
        try:
            await self._waiter
        finally:
            self._waiter = None
            self._source.body_received()
