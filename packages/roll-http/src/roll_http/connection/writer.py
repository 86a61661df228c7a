"""Writing to a transport no faster than the client reads.

When a client reads slowly, `HTTPProtocol.pause_writing` sets `paused`, and `drain` waits. When the
client confirms nothing for too long, `write_expired`, which the clock calls, asks `stalled_for`.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from typing import Any, cast

from ..errors import ClientDisconnected
from ..files import FileBody
from ..h1.body_encoders import BodyEncoder, ContentLengthEncoder
from ..h1.response_body import as_bytes
from .raw_socket import RawSocket, unacknowledged

__all__ = ["SLICE", "Writer"]

# Bodies are written in slices of this size, because a single large write over TLS never pauses the
# writer.
SLICE = 64 * 1024

# How much is written before other tasks get their turn, when the client reads as fast as we write.
TURN = 1024 * 1024

# What a write counts in addition to its size, so that 250 small chunks are a turn too. A stream of
# single bytes kept all other connections waiting for more than 20 seconds.
WRITE = TURN // 256

# What a write over TLS counts in addition to its size. Over TLS, a lost connection is only noticed
# between turns, and asyncio logs each later write from the sixth one on.
TLS_WRITE = TURN // 4

# From this size on, a chunk is not copied to join it with its delimiters. Below, the copy is
# cheaper than a gathered write (writev).
GATHERED = 16 * 1024

# How much of a file is sent at once: that takes less time than to write a quarter of it.
PIECE = 4 * TURN


class Writer:
    """The writing side of a connection: backpressure, corking, progress."""

    __slots__ = (
        "_file",
        "_progress",
        "_raw_socket",
        "_size",
        "_transport",
        "_turn",
        "_waiters",
        "_write_cost",
        "body_sent",
        "corked",
        "kept",
        "lost",
        "paused",
    )

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self.corked = False
        """Whether writes are kept until `uncork`."""
        self.kept: list[bytes] = []
        """What was written since `cork`."""
        self._raw_socket: RawSocket | None = None
        self._file: FileBody | None = None  # sent directly to the socket
        self._progress = 0.0
        self._size = 0
        self._turn = 0  # bytes written since other tasks had their turn
        self._waiters: list[asyncio.Future[None]] = []
        self._write_cost = TLS_WRITE if transport.get_extra_info("sslcontext") else WRITE
        self.body_sent = 0
        """The bytes of the last long response's body that were written."""
        self.paused = False
        """Whether the transport's buffer is above its high-water mark."""
        self.lost = False
        """Whether the connection is lost: writes are dropped."""

    def write(self, data: bytes | memoryview) -> None:
        """Write to the transport, or keep the data for `uncork`."""
        if self.corked:
            self.kept.append(bytes(data))
        elif not self.lost:
            self._transport.write(data)

    def cork(self) -> None:
        """Keep what is written, so that the responses to pipelined requests are sent together."""
        self.corked = True

    def uncork(self) -> None:
        """Write what was kept since `cork`."""
        self.corked = False
        if self.kept:
            data = b"".join(self.kept)
            self.kept.clear()
            self.write(data)

    async def drain(self) -> None:
        """Wait until the transport takes more; raise `ClientDisconnected` if it is closed."""
        if self._turn >= TURN:
            self._turn = 0
            await asyncio.sleep(0)
        if self.paused and not self.lost:
            await self._wait()
        # The transport knows it before `lost` is set, and asyncio logs each write that follows.
        if self.lost or self._transport.is_closing():
            raise ClientDisconnected("The client has gone")

    async def _wait(self) -> None:
        self._turn = 0
        waiter = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        try:
            await waiter
        finally:
            self._waiters.remove(waiter)

    def begin(self, head: bytes) -> None:
        """Write the head of a long response."""
        self._raw_socket = RawSocket.of(self._transport)
        self.uncork()
        self.write(head)
        self.body_sent = 0

    async def send_bytes(self, body: bytes) -> None:
        """Write a body of any length."""
        await self._write_long(b"", body, b"")

    async def send_stream(self, stream: AsyncIterator[Any], encoder: BodyEncoder) -> None:
        """Write the chunks of a stream, and the end of the body."""
        async for item in stream:
            chunk = item if type(item) is bytes else as_bytes(item)
            size = len(chunk)
            if size > SLICE:
                before, after = encoder.frame_chunk(size)
                await self._write_long(before, chunk, after)
            elif self.put(chunk, encoder):
                await self.drain()
        self.write(encoder.end())

    def put(self, chunk: bytes, encoder: BodyEncoder) -> bool:
        """Write a chunk of up to `SLICE` bytes; return whether to `drain` before the next one."""
        if chunk:
            before, after = encoder.frame_chunk(len(chunk))
            self._write_slice(before, chunk, after)
        else:
            self._turn += WRITE
        return self.paused or self.lost or self._turn >= TURN or self._transport.is_closing()

    async def put_long(self, chunk: bytes, encoder: BodyEncoder) -> None:
        """Write a chunk of any length, and drain."""
        before, after = encoder.frame_chunk(len(chunk))
        await self._write_long(before, chunk, after)

    async def _write_long(self, before: bytes, data: bytes, after: bytes) -> None:
        view = memoryview(data)
        while view:
            following = view[SLICE:]
            self._write_slice(before, view[:SLICE], b"" if following else after)
            await self.drain()
            before, view = b"", following

    def _write_slice(self, before: bytes, data: bytes | memoryview, after: bytes) -> None:
        if self.lost:
            return
        size = len(data)
        self.body_sent += size
        self._turn += size + self._write_cost
        if not (before or after):
            self.write(data)
        elif self._raw_socket is None or size < GATHERED:
            self.write(b"".join((before, data, after)))
        else:
            self._raw_socket.write(before, data, after)

    # Files.

    def takes_file(self, file: FileBody, encoder: ContentLengthEncoder) -> bool:
        """Return whether the file can go directly to the socket, and has the announced length."""
        return self._raw_socket is not None and encoder.remaining == file.remaining

    async def flush(self) -> None:
        """Wait until the transport's buffer is empty."""
        # uvloop raises if the limits of a closing transport are set.
        if self._transport.is_closing():
            raise ClientDisconnected("The client has gone")
        low, high = self._transport.get_write_buffer_limits()
        self._transport.set_write_buffer_limits(0)
        await self.drain()
        self._transport.set_write_buffer_limits(high, low)

    async def send_file(self, file: FileBody, encoder: ContentLengthEncoder, now: float) -> None:
        """Send a file directly to the socket; the transport's buffer must be empty.

        What can't be sent this way stays in `file`. Its progress is watched from `now` on.
        """
        self._file = file
        self.watch(now)
        try:
            while file.remaining and await self._send_piece(file, encoder):
                pass
        finally:
            self._file = None

    async def _send_piece(self, file: FileBody, encoder: ContentLengthEncoder) -> bool:
        """Send a piece of a file; return False when the rest needs the transport."""
        size = min(PIECE, file.remaining)
        source = await file.fetch(size)
        await self.drain()
        try:
            sent = cast("RawSocket", self._raw_socket).send_file(source, file.position, size)
        except BlockingIOError:
            return await self._wait_for_socket()
        file.skip(sent)
        encoder.frame_chunk(sent)
        self._turn += sent
        self.body_sent += sent
        if 0 < sent < size:
            return await self._wait_for_socket()
        return sent > 0

    async def _wait_for_socket(self) -> bool:
        """Wait until the socket takes more; return False if there is no descriptor for this."""
        loop = asyncio.get_running_loop()
        # The loops refuse to watch the descriptor of a transport: watch a duplicate.
        try:
            duplicate = os.dup(cast("RawSocket", self._raw_socket).fd)
        except OSError:  # the process has no descriptor left
            return False
        loop.add_writer(duplicate, self._wake)
        try:
            await self._wait()
        finally:
            loop.remove_writer(duplicate)
            os.close(duplicate)
        return True

    def resume(self) -> None:
        """Go on: the transport takes more."""
        self.paused = False
        self._wake()

    def lose(self) -> None:
        """Drop all further writes: the connection is lost."""
        self.lost = True
        self.kept.clear()
        self._wake()

    def _wake(self) -> None:
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)

    def watch(self, now: float) -> None:
        """Begin to watch the progress of what was written."""
        self._progress = now
        self._size = self.unsent

    def stalled_for(self, now: float) -> float:
        """Return for how many seconds the client has confirmed nothing."""
        size = self.unsent
        if size < self._size or not size:
            self._progress = now
        self._size = size
        return now - self._progress

    @property
    def unsent(self) -> int:
        """The bytes that the client has not confirmed yet."""
        written = self._transport.get_write_buffer_size() + unacknowledged(self._transport)
        return written + (self._file.remaining if self._file else 0)
