"""Reading from a transport: heads, one after another, and the body of the current request."""

from __future__ import annotations

import asyncio

from ..h1.head import Head
from ..h1.head_parser import HeadParser
from ..limits import Limits
from .incoming_body import IncomingBody

__all__ = ["Reader"]

# Bytes kept from a client that sends further requests before its answer; more is left unread.
HELD = 64 * 1024

# Bytes that asyncio's own loop reads at once, at most. It takes a block of that size each time. Of
# its own 256 KiB, glibc's malloc keeps so many that a process grows by 2.2 MiB for a large upload,
# of blocks below 128 KiB 0.3 MiB; it takes as long.
READ_SIZE = 120 * 1024


class Reader:
    """The reading side of a connection.

    It keeps the bytes that nothing has asked for yet, and stops reading when they are too many.
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
        self._most_kept = max(HELD, limits.head)  # a head is kept until it is whole
        self._parser = HeadParser(limits)
        self._buffer = b""
        self._offset = 0
        self._paused = False
        self._reads_by_turns = _reads_by_turns(transport)
        self.body: IncomingBody | None = None
        """The body of the current request, when it did not come whole with its head."""
        self.has_bytes = False
        """Some bytes wait to be looked at."""

    @property
    def in_body(self) -> bool:
        """More of the current request's body may come."""
        return self.body is not None and self.body.receiving

    def receive(self, data: bytes) -> None:
        """Keep bytes that came."""
        if self.has_bytes:
            data = self._buffer[self._offset :] + data
        self._buffer = data
        self._offset = 0
        self.has_bytes = True  # a transport never brings none

    def next_head(self) -> Head | None:
        """Return the next head, once it is whole; raises `RequestError`."""
        head, end = self._parser.parse(self._buffer, self._offset)
        self._go_on_at(end)
        if self._paused:
            self.update_reading()
        return head

    def has_more_than_body_of(self, head: Head) -> bool:
        """Tell whether another request seems to have come behind this head and its body."""
        return not head.chunked and self._offset + head.length < len(self._buffer)

    def take_body(self, head: Head) -> bytes | None:
        """Return the body that a head announces, if it came with the head; else None."""
        end = self._offset + head.length
        if head.chunked or end > len(self._buffer):
            return None
        body = self._buffer[self._offset : end]
        self._go_on_at(end)
        return body

    def _go_on_at(self, offset: int) -> None:
        self._offset = offset
        if offset == len(self._buffer):
            # A few bytes that stay of each read may cost an idle connection 3 KiB: asyncio shrinks
            # a block of 256 KiB to them, and they keep its pages.
            self._buffer = b""
            self._offset = 0
            self.has_bytes = False

    def feed_body(self, body: IncomingBody) -> None:
        """Give the bytes that came to the body, as far as it takes them."""
        taken_next = self._reads_by_turns and body.awaited
        self._go_on_at(body.decode(self._buffer, self._offset))
        if self.has_bytes or not taken_next:
            self.update_reading()

    def forget(self) -> bytes:
        """Drop the bytes that wait, and return them."""
        rest = self._buffer[self._offset :]
        self._buffer = b""
        self._offset = 0
        self.has_bytes = False
        return rest

    def close(self) -> None:
        """Note that nothing more will come."""
        self._parser.close()

    def update_reading(self) -> None:
        """Read on, or stop reading, by what is kept."""
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
    """Tell whether a handler that waits for data has its turn before more is read.

    So it is with asyncio's own loop, where holding the client back in between would be a third of
    what a large upload costs. uvloop reads on, if it may, and TLS brings all that it has.
    """
    return isinstance(transport, asyncio.Transport) and not transport.get_extra_info("sslcontext")
