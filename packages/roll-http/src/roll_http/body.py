"""The body of a request, as a handler reads it."""

from __future__ import annotations

import asyncio
from collections import deque
from http import HTTPStatus

from .errors import HttpError

__all__ = ["BodyStream", "check_size"]

# What is kept for a handler before the client is held back. One read brings up to 256 KiB, and
# over TLS the loops hold as much several times: keeping a second one would go beyond 2 MiB there.
HIGH_WATER = 128 * 1024


def check_size(size: int, limit: int | None) -> None:
    """Raise `HttpError` 413 when a body is larger than the limit, if there is one."""
    if limit is not None and size > limit:
        raise HttpError(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            f"The body is larger than the {limit} bytes allowed",
        )


class BodyStream:
    """An async iterator over the chunks of one body."""

    __slots__ = (
        "_chunks",
        "_consumed",
        "_discarding",
        "_error",
        "_limit",
        "_waiter",
        "complete",
        "length",
        "received",
        "size",
    )

    def __init__(self, length: int | None) -> None:
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
        """Return a body that has come already."""
        stream = BodyStream(len(data))
        if data:
            stream.feed(data)
        stream.end()
        return stream

    # What a connection does with it.

    @property
    def full(self) -> bool:
        """The client should be held back."""
        return self.size > HIGH_WATER

    @property
    def awaited(self) -> bool:
        """A handler waits for data, or has not yet had its turn to take what came just now."""
        return self._waiter is not None

    def feed(self, data: bytes) -> None:
        """Take data that has come."""
        if self._discarding:
            return
        self.size += len(data)
        self.received += len(data)
        self._chunks.append(data)
        self._wake()

    def end(self) -> None:
        """Note that the last byte has come."""
        self.complete = True
        self._wake()

    def fail(self, error: Exception) -> None:
        """Raise `error` where the handler waits, or would: no more will come."""
        if not self.complete and self._error is None:
            self._error = error
            self._wake()

    def discard(self) -> None:
        """Forget what came, and what comes: the request was answered.

        A handler that reads on gets an error: a part must not pass for the whole.
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

    def _on_wait(self) -> None:
        """Called when the handler has taken all that came, and waits for more."""

    def _on_room(self) -> None:
        """Called when the handler has taken so much that there is room for more."""

    # What a handler does with it.

    def limit_to(self, limit: int | None) -> None:
        """Let no more than `limit` bytes through; None sets no limit.

        Raises `HttpError` 413 at once when more was announced, else when more has come.
        """
        if limit is not None and (self._limit is None or limit < self._limit):
            self._limit = limit
        check_size(self.length or 0, self._limit)

    def open(self) -> BodyStream:
        """Begin to go through the body, which can be done once; then raises `RuntimeError`."""
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
            self._on_room()
        return chunk

    async def _wait(self) -> None:
        if self._waiter is not None:
            raise RuntimeError("The body is being read elsewhere already")
        self._waiter = asyncio.get_running_loop().create_future()
        self._on_wait()
        try:
            await self._waiter
        finally:
            self._waiter = None
