"""Writing to a transport no faster than the peer reads."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from .errors import ClientDisconnected
from .wire import Delimiting, as_bytes

__all__ = ["Sender"]

# Over TLS one large write never pauses the writer: bodies go out in slices of this size.
SLICE = 64 * 1024

# How much is written before the others get their turn, when the client reads as fast as we write.
TURN = 1024 * 1024

# What a write counts for at least, over TLS: that a client has gone is only learned between turns
# there, and asyncio logs each write from the sixth that comes too late.
TLS_WRITE = TURN // 4


class Sender:
    """The writing side of a connection: back-pressure, corking, progress."""

    __slots__ = (
        "_pending",
        "_progress",
        "_size",
        "_transport",
        "_turn",
        "_waiter",
        "_write_cost",
        "body_sent",
        "corked",
        "lost",
        "paused",
    )

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self.corked = False
        """What is written waits for `uncork`."""
        self._pending: list[bytes] = []
        self._progress = 0.0
        self._size = 0
        self._turn = 0  # bytes written since the others had theirs
        self._waiter: asyncio.Future[None] | None = None
        self._write_cost = TLS_WRITE if transport.get_extra_info("sslcontext") else 0
        self.body_sent = 0
        """How much of the body of the last long response was written, in bytes."""
        self.paused = False
        """The transport holds as much as it should."""
        self.lost = False
        """The connection has gone: what is written is dropped."""

    def write(self, data: bytes | memoryview) -> None:
        """Write, or keep for `uncork`."""
        if self.corked:
            self._pending.append(bytes(data))
        elif not self.lost:
            self._transport.write(data)

    def cork(self) -> None:
        """Keep what is written, so that the answers to pipelined requests leave together."""
        self.corked = True

    def uncork(self) -> None:
        """Write what was kept."""
        self.corked = False
        if self._pending:
            data = b"".join(self._pending)
            self._pending.clear()
            self.write(data)

    async def drain(self) -> None:
        """Wait until the transport takes more; raises `ClientDisconnected` when it never will."""
        if self._turn >= TURN:
            self._turn = 0
            await asyncio.sleep(0)
        if self.paused and not self.lost:
            self._turn = 0
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        # asyncio knows first, and logs each write that follows.
        if self.lost or self._transport.is_closing():
            raise ClientDisconnected("The client has gone")

    async def send_bytes(self, head: bytes, body: bytes) -> None:
        """Write a whole response, however long."""
        self._begin(head)
        await self._write_slices(body)
        self.body_sent = len(body)

    async def send_stream(
        self, head: bytes, stream: AsyncIterator[Any], delimiting: Delimiting
    ) -> None:
        """Write a response whose body comes from a stream."""
        self._begin(head)
        async for item in stream:
            chunk = as_bytes(item)
            if chunk:
                await self._write_slices(delimiting.encode(chunk))
                self.body_sent += len(chunk)
        self.write(delimiting.end())

    def _begin(self, head: bytes) -> None:
        self.uncork()
        self.write(head)
        self.body_sent = 0

    async def _write_slices(self, data: bytes) -> None:
        if len(data) <= SLICE:
            await self._write_slice(data)
            return
        view = memoryview(data)
        for start in range(0, len(data), SLICE):
            await self._write_slice(view[start : start + SLICE])

    async def _write_slice(self, data: bytes | memoryview) -> None:
        self.write(data)
        self._turn += max(len(data), self._write_cost)
        await self.drain()

    def resume(self) -> None:
        """The transport takes more."""
        self.paused = False
        self._wake()

    def lose(self) -> None:
        """The connection has gone."""
        self.lost = True
        self._pending.clear()
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def watch(self, now: float) -> None:
        """Begin to watch the progress of what the transport holds."""
        self._progress = now
        self._size = self._transport.get_write_buffer_size()

    def stalled_for(self, now: float) -> float:
        """How long the peer has taken nothing, in seconds."""
        size = self._transport.get_write_buffer_size()
        if size < self._size or not size:
            self._progress = now
        self._size = size
        return now - self._progress
