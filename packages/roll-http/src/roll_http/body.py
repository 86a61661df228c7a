"""The body of a request, as a handler reads it."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Coroutine
from copy import copy
from http import HTTPStatus
from typing import Any, TypeVar

from .errors import HttpError

__all__ = ["MANY", "BodyPass", "BodyStream", "again", "check_size", "join_short"]

# The bytes buffered for a handler before reading is paused. One read brings up to 256 KiB, and the
# loops buffer that several times over TLS: a second read would exceed 2 MiB there.
HIGH_WATER = 128 * 1024

# A `bytes` object takes some 50 bytes more than its content, so a client that sends single bytes
# would fill the memory. When this many chunks wait, those of fewer bytes than `SHORT` are joined.
MANY = 64
SHORT = 64


def check_size(size: int, limit: Any) -> None:
    """Raise `HttpError` 413 if a body is larger than the limit; None means no limit.

    Raises `TypeError` for a limit that is not a number.
    """
    if limit is None:
        return
    if not isinstance(limit, int):
        kind = type(limit).__name__
        raise TypeError(
            f"`request.max_body` is a number of bytes, or None for no limit, not {kind}"
        )
    if size > limit:
        raise HttpError(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            f"The body is larger than the {limit} bytes allowed",
        )


def join_short(chunks: list[bytes], start: int) -> int:
    """Join the chunks from `start` on if most of them are short; return the number of chunks.

    Called with the last `MANY` chunks of a list, so that each byte is copied once at most.
    """
    if sum(map(len, chunks[start:])) < MANY * SHORT:
        chunks[start:] = [b"".join(chunks[start:])]
    return len(chunks)


ONCE = "The body was read already: it can be streamed only once"
PART = (
    "A part of the body was streamed already: continue with `async for`, because the whole body"
    " can't be loaded any more"
)
FORM = "The body was read as a form already"
ELSEWHERE = "The body is being read elsewhere already"


def again(error: Error) -> Error:
    """Return a copy of an error, to be raised or kept; the error itself if it cannot be copied.

    The traceback of an error that was raised refers to the request, whose body has the error. Such
    a cycle keeps the body in memory until the next garbage collection.
    """
    try:
        made = copy(error)
    except Exception:  # noqa: BLE001 - a class of the application may fail with anything
        return error
    return made if type(made) is type(error) else error


Error = TypeVar("Error", bound=Exception)


class BodyPass:
    """An iterator over the chunks of a body; it begins where the previous one stopped."""

    __slots__ = ("_number", "_stream")

    def __init__(self, stream: BodyStream, number: int) -> None:
        self._stream = stream
        self._number = number

    def __aiter__(self) -> BodyPass:
        return self

    def __anext__(self) -> Coroutine[Any, Any, bytes]:
        return self._stream.next_chunk(self._number)


class BodyStream:
    """The chunks of one body; each chunk is delivered once."""

    __slots__ = (
        "_begun",
        "_chunks",
        "_discarding",
        "_ended",
        "_error",
        "_limit",
        "_lock",
        "_passes",
        "_waiter",
        "complete",
        "handed_over",
        "length",
        "most_unread",
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
        """Whether a form parser reads the body: then nothing is left to load."""
        self.most_unread = HIGH_WATER
        """The bytes that may wait for a handler before reading from the client pauses."""
        self._begun = False  # a chunk was delivered
        self._discarding = False
        self._chunks: deque[bytes] = deque()
        self._ended = False  # all of them, and the end
        self._error: Exception | None = None
        self._limit: int | None = None
        self._lock: asyncio.Lock | None = None
        # A number, because the passes themselves would make a reference cycle.
        self._passes = 0
        self._waiter: asyncio.Future[None] | None = None

    @property
    def lock(self) -> asyncio.Lock:
        """The lock of the task that loads the whole body."""
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

    # Methods for the connection.

    @property
    def full(self) -> bool:
        """Whether reading from the client should pause (backpressure)."""
        return self.size > self.most_unread

    @property
    def awaited(self) -> bool:
        """Whether a handler waits for data, or has not run yet since data arrived."""
        return self._waiter is not None

    @property
    def begun(self) -> bool:
        """Whether a handler has begun to read."""
        return self._passes > 0

    def feed(self, data: bytes) -> None:
        """Add data that has arrived."""
        if self._discarding:
            return
        self.size += len(data)
        self.received += len(data)
        chunks = self._chunks
        if len(chunks) >= MANY and len(data) < SHORT and len(chunks[-1]) < SHORT:
            chunks[-1] = b"".join((chunks[-1], data))
        else:
            chunks.append(data)
        self._wake()

    def end(self) -> None:
        """Mark the body as complete."""
        self.complete = True
        self._wake()

    def fail(self, error: Exception) -> None:
        """Raise a copy of `error` in each read from now on: no more data will arrive."""
        if not self.complete and self._error is None:
            self._error = error
            self._wake()

    def discard(self) -> None:
        """Drop the data that has arrived, and the data to come: the request was answered.

        A handler that still reads gets an error, so that it never mistakes a part for the whole.
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

    # Methods for the handler.

    def limit_to(self, limit: int | None) -> None:
        """Set the largest size in bytes, if it is smaller than one set before; None sets none.

        Raises:
            HttpError: 413, now if a larger body was announced, otherwise when more has arrived.
        """
        check_size(self.length or 0, limit)
        if limit is not None and (self._limit is None or limit < self._limit):
            self._limit = limit
        check_size(self.length or 0, self._limit)

    def open(self) -> BodyPass:
        """Begin a pass over the body, or continue a pass that was interrupted.

        Raises the error of the earlier pass, if it failed; `RuntimeError` if the earlier pass
        reached the end, or waits for a chunk now.
        """
        if self._passes and self._error is not None:
            raise again(self._error)
        if self._ended or self.handed_over:
            raise RuntimeError(FORM if self.handed_over else ONCE)
        if self._waiter is not None:
            raise RuntimeError(ELSEWHERE)
        self._passes += 1
        self.most_unread = HIGH_WATER
        return BodyPass(self, self._passes)

    def __aiter__(self) -> BodyPass:
        return self.open()

    async def next_chunk(self, number: int) -> bytes:
        """Return the next chunk to the last pass; an earlier one gets a `RuntimeError`."""
        if number != self._passes:
            raise RuntimeError(ELSEWHERE)
        while not self._chunks:
            if self._error is not None:
                raise again(self._error)
            if self.complete:
                self._ended = True
                raise StopAsyncIteration
            await self._wait()
        if self._limit is not None:
            self._check_received(self._limit)
        self._begun = True
        chunk = self._chunks.popleft()
        before = self.size
        self.size = before - len(chunk)
        if before > HIGH_WATER >= self.size:
            self._on_room()
        return chunk

    def _check_received(self, limit: int) -> None:
        try:
            check_size(self.received, limit)
        except HttpError as error:
            self._error = again(error)  # the next call gets the same error
            raise

    # Methods for loading the whole body.

    def check_unread(self) -> None:
        """Raise an error if a part was delivered: the whole body can't be loaded any more."""
        if self._begun and not self._ended:
            raise again(self._error or RuntimeError(PART))

    def restore(self, chunks: list[bytes]) -> None:
        """Put back the first chunks, whose reader was interrupted before it read others."""
        if not self._discarding:
            self._chunks.extendleft(reversed(chunks))
            self.size += sum(map(len, chunks))
            self._begun = False

    def spoil(self, error: Exception) -> None:
        """Raise a copy of `error` in all later reads if a chunk was delivered: it is lost."""
        if self._begun:
            self._error = self._error or again(error)

    async def _wait(self) -> None:
        if self._waiter is not None:
            raise RuntimeError(ELSEWHERE)
        self._waiter = asyncio.get_running_loop().create_future()
        self._on_wait()
        try:
            await self._waiter
        finally:
            self._waiter = None
