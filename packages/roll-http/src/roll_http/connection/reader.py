"""Reading from a transport: heads, one after another, and the body of the current request.

When a client sends more than is needed, `update_reading` pauses the transport.
"""

from __future__ import annotations

import asyncio

from ..h1.head import Head
from ..h1.head_parser import HeadParser
from ..limits import Limits
from .incoming_body import IncomingBody

__all__ = ["Reader"]

# The bytes buffered while a client sends further requests before its response; the rest waits.
HELD = 64 * 1024

# The most bytes that asyncio's own loop reads at once. The loop allocates a block of that size for
# each read. With its default of 256 KiB, glibc's malloc keeps so many blocks that a process grows
# by 2.2 MiB during a large upload; with blocks below 128 KiB, by 0.3 MiB. The speed is the same.
READ_SIZE = 120 * 1024


class Reader:
    """The reading side of a connection.

    It buffers the bytes that nothing has asked for yet, and stops reading when they are too many.
    """

    __slots__ = (
        "_buffer",
        "_most_kept",
        "_offset",
        "_parser",
        "_paused",
        "_reads_by_turns",
        "_transport",
        "body",
        "has_bytes",
    )

    def __init__(self, transport: asyncio.Transport, limits: Limits) -> None:
        self._transport = transport
        if hasattr(transport, "max_size"):
            transport.max_size = READ_SIZE
        self._most_kept = max(HELD, limits.head)  # a head is kept until it is complete
        self._parser = HeadParser(limits)
        self._buffer = b""
        self._offset = 0
        self._paused = False
        self._reads_by_turns = _reads_by_turns(transport)
        self.body: IncomingBody | None = None
        """The body of the current request, when it did not come whole with its head."""
        self.has_bytes = False
        """Whether the buffer holds bytes."""

    @property
    def in_body(self) -> bool:
        """Whether more of the current request's body may arrive."""
        return self.body is not None and self.body.receiving

    def receive(self, data: bytes) -> None:
        """Buffer bytes that arrived."""
        if self.has_bytes:
            data = self._buffer[self._offset :] + data
        self._buffer = data
        self._offset = 0
        self.has_bytes = True  # a transport never delivers an empty read

    def next_head(self) -> Head | None:
        """Return the next head, None while it is incomplete; raise `RequestError` if it is bad."""
        head, end = self._parser.parse(self._buffer, self._offset)
        self._go_on_at(end)
        if self._paused:
            self.update_reading()
        return head

    def has_more_than_body_of(self, head: Head) -> bool:
        """Return whether the buffer goes on after this head and its body, if not chunked."""
        return not head.chunked and self._offset + head.length < len(self._buffer)

    def take_body(self, head: Head) -> bytes | None:
        """Return the body that a head announces if it has arrived completely, otherwise None."""
        end = self._offset + head.length
        if head.chunked or end > len(self._buffer):
            return None
        body = self._buffer[self._offset : end]
        self._go_on_at(end)
        return body

    def _go_on_at(self, offset: int) -> None:
        self._offset = offset
        if offset == len(self._buffer):
            # Drop what was parsed: asyncio shrinks its large block to the bytes read, and these
            # would keep 3 KiB for each idle connection.
            self._buffer = b""
            self._offset = 0
            self.has_bytes = False
            if self._paused:
                self.update_reading()

    def feed_body(self, body: IncomingBody) -> None:
        """Pass the buffered bytes to the body, as many as it takes."""
        taken_next = self._reads_by_turns and body.awaited
        self._go_on_at(body.decode(self._buffer, self._offset))
        if self.has_bytes or not taken_next:
            self.update_reading()

    def forget(self) -> bytes:
        """Empty the buffer, and return its bytes."""
        unread = self._buffer[self._offset :]
        self._buffer = b""
        self._offset = 0
        self.has_bytes = False
        return unread

    def close(self) -> None:
        """Free the parser: nothing more will arrive."""
        self._parser.close()

    def update_reading(self) -> None:
        """Pause the transport when too much is buffered; resume it when there is room again."""
        kept = len(self._buffer) - self._offset
        body = self.body
        enough = body.full if body is not None and body.receiving else kept > self._most_kept
        if enough != self._paused and not self._transport.is_closing():
            self._paused = enough
            if enough:
                self._transport.pause_reading()
            else:
                self._transport.resume_reading()


def _reads_by_turns(transport: object) -> bool:
    """Return whether a handler that waits for data runs before the transport reads more.

    asyncio's own loop does so without TLS: to pause reading in between would cost a third of the
    time of a large upload. uvloop reads again at once, and TLS delivers all that it has decrypted.
    """
    return isinstance(transport, asyncio.Transport) and not transport.get_extra_info("sslcontext")
