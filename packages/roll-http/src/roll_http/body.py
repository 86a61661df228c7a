"""The body of a request, as a handler reads it."""

from __future__ import annotations

import asyncio
from collections import deque
from http import HTTPStatus

from .errors import HttpError

__all__ = ["BodyStream", "check_size"]

# The bytes buffered for a handler before reading is paused. One read brings up to 256 KiB, and the
# loops buffer that several times over TLS: a second read would exceed 2 MiB there.
HIGH_WATER = 128 * 1024


def check_size(size: int, limit: int | None) -> None:
    """Raise `HttpError` 413 if a body is larger than the limit; None is no limit."""
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
        "_lock",
        "_waiter",
        "complete",
        "handed_over",
        "length",
        "received",
        "size",
    )

    def __init__(self, length: int | None) -> None:
        self.length = length
        """The length that the head announced, in bytes; None for a chunked body."""
        self.received = 0
        """The bytes that have arrived so far."""
        self.size = 0
        """The bytes that have arrived and were not read yet."""
        self.complete = False
        self.handed_over = False
        """It is read by something that keeps what it makes of it: there is nothing to load."""
        self._discarding = False
        self._chunks: deque[bytes] = deque()
        self._consumed = False
        self._error: Exception | None = None
        self._limit: int | None = None
        self._lock: asyncio.Lock | None = None
        self._waiter: asyncio.Future[None] | None = None

    @property
    def lock(self) -> asyncio.Lock:
        """Held by whoever loads all of it."""
        if self._lock is None:
            self._lock = asyncio.Lock()
        return self._lock

    @classmethod
    def whole(cls, data: bytes) -> BodyStream:
        """Return a body that is complete."""
        stream = BodyStream(len(data))
        if data:
            stream.feed(data)
        stream.end()
        return stream

    # What a connection calls.

    @property
    def full(self) -> bool:
        """Whether reading from the client should pause (backpressure)."""
        return self.size > HIGH_WATER

    @property
    def awaited(self) -> bool:
        """Whether a handler waits for data, or has not run yet since data arrived."""
        return self._waiter is not None

    def feed(self, data: bytes) -> None:
        """Add data that has arrived."""
        if self._discarding:
            return
        self.size += len(data)
        self.received += len(data)
        self._chunks.append(data)
        self._wake()

    def end(self) -> None:
        """Mark the body as complete."""
        self.complete = True
        self._wake()

    def fail(self, error: Exception) -> None:
        """Raise `error` in the handler that waits now or next: no more data will arrive."""
        if not self.complete and self._error is None:
            self._error = error
            self._wake()

    def discard(self) -> None:
        """Drop the data that has arrived, and the data to come: the request was answered.

        A handler that still reads gets an error, so that a part is never taken for the whole.
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
        """Called when a handler has read everything, and waits for more."""

    def _on_room(self) -> None:
        """Called when a handler has read so much that there is room for more."""

    # What a handler calls.

    def limit_to(self, limit: int | None) -> None:
        """Set the largest size in bytes, if it is smaller than one set before; None sets none.

        Raises:
            HttpError: 413, now if a larger body was announced, otherwise when more has arrived.
        """
        if limit is not None and (self._limit is None or limit < self._limit):
            self._limit = limit
        check_size(self.length or 0, self._limit)

    def open(self) -> BodyStream:
        """Begin to go through the body, which can be done once; then raises `RuntimeError`.

        Raises what the first one has met, if that was an error.
        """
        if self._consumed:
            if self._error is not None:
                raise self._error
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
