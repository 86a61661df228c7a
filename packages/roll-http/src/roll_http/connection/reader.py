"""Reading from a transport: heads, one after another, and the body of the current request."""

from __future__ import annotations

import asyncio

from ..body import BodySource, BodyStream
from ..h1.body_decoders import ChunkedFraming, Framing, LengthFraming
from ..h1.head_parser import Head, HeadParser
from ..limits import Limits

__all__ = ["Receiver"]

# Bytes kept from a client that sends further requests before its answer; more is left unread.
HELD = 64 * 1024

# Bytes that asyncio's own loop reads at once, at most. It takes a block of that size each time. Of
# its own 256 KiB, glibc's malloc keeps so many that a process grows by 2.2 MiB for a large upload,
# of blocks below 128 KiB 0.3 MiB; it takes as long.
READ_SIZE = 120 * 1024


NO_BODY = BodyStream.whole(b"")


class Receiver:
    """The reading side of a connection.

    It keeps the bytes that nothing has asked for yet, and stops reading when they are too many.
    """

    __slots__ = (
        "_buffer",
        "_framing",
        "_limits",
        "_most_kept",
        "_offset",
        "_parser",
        "_paused",
        "_reads_by_turns",
        "_transport",
        "has_bytes",
        "in_body",
        "stream",
    )

    def __init__(self, transport: asyncio.Transport, limits: Limits) -> None:
        self._transport = transport
        if hasattr(transport, "max_size"):
            transport.max_size = READ_SIZE
        self._limits = limits
        self._most_kept = max(HELD, limits.head)  # a head is kept until it is whole
        self._parser = HeadParser(limits)
        self._buffer = b""
        self._offset = 0
        self._framing: Framing | None = None
        self._paused = False
        self._reads_by_turns = _reads_by_turns(transport)
        self.has_bytes = False
        """Some bytes wait to be looked at."""
        self.in_body = False
        """The current request's body is still to come."""
        self.stream = NO_BODY
        """The body of the last request that had one."""

    @property
    def held_back(self) -> bool:
        """Bytes wait for room, here or at the client."""
        return self.has_bytes or self._paused

    @property
    def unread(self) -> int:
        """The bytes of the body that nobody has read, those still to come included.

        Of a chunked body, only those that came: its length is not known before its end.
        """
        remaining = None if self._framing is None else self._framing.remaining
        return self.stream.size + (remaining or 0)

    @property
    def has_body_bytes(self) -> bool:
        """Some of the body has come: the client did not wait to be told to go on."""
        return self.stream.received > 0

    def discard_body(self) -> None:
        """Nobody will read the rest of the body."""
        self.stream.discard()

    def receive(self, data: bytes) -> None:
        """Keep bytes that came."""
        if self.has_bytes:
            data = self._buffer[self._offset :] + data
        self._buffer = data
        self._offset = 0
        self.has_bytes = True  # a transport never brings none

    def next_head(self) -> Head | None:
        """The next head, once it is whole; raises `BadRequest`."""
        buffer = self._buffer
        head, end = self._parser.parse(buffer, self._offset)
        self._go_on_at(end)
        if self._paused:
            self.balance()
        return head

    def has_more_than_body_of(self, head: Head) -> bool:
        """Another request seems to have come behind this head and its body."""
        return not head.chunked and self._offset + head.length < len(self._buffer)

    def take_body(self, head: Head) -> bytes | None:
        """The body that a head announces, if it came with it, as small ones mostly do."""
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

    def open_body(self, head: Head, source: BodySource) -> BodyStream:
        """Begin to receive the body that a head announces."""
        if head.chunked:
            self._framing = ChunkedFraming(self._limits.trailers)
            self.stream = BodyStream(source, None)
        else:
            self._framing = LengthFraming(head.length)
            self.stream = BodyStream(source, head.length)
        self.in_body = True
        return self.stream

    def pump(self) -> None:
        """Give what came of the body to its stream, while it takes it; raises `BadRequest`."""
        framing, stream = self._framing, self.stream
        if framing is None or not self.in_body:
            return
        taken_next = self._reads_by_turns and stream.awaited
        buffer = self._buffer
        while self.has_bytes and not framing.complete and not stream.full:
            data, self._offset = framing.feed(buffer, self._offset)
            self.has_bytes = self._offset < len(buffer)
            if data:
                stream.feed(data)
        if framing.complete:
            self.in_body = False
            stream.end()
            self._go_on_at(self._offset)
        if self.has_bytes or not taken_next:
            self.balance()

    def end_body(self, error: Exception) -> None:
        """The rest of the body will never come: `error` says why."""
        self.in_body = False
        self.stream.fail(error)

    def forget(self) -> bytes:
        """Drop the bytes that wait, and give them back."""
        rest = self._buffer[self._offset :]
        self._buffer = b""
        self._offset = 0
        self.has_bytes = False
        return rest

    def close(self) -> None:
        """Nothing more will come."""
        self._parser.close()

    def balance(self) -> None:
        """Read on, or stop reading, by what is kept."""
        kept = len(self._buffer) - self._offset
        enough = self.stream.full if self.in_body else kept > self._most_kept
        if enough != self._paused and not self._transport.is_closing():
            self._paused = enough
            if enough:
                self._transport.pause_reading()
            else:
                self._transport.resume_reading()


def _reads_by_turns(transport: object) -> bool:
    """A handler that waits for what is read has its turn before more is read.

    So it is with asyncio's own loop, where holding the client back in between would be a third of
    what a large upload costs. uvloop reads on, if it may, and TLS brings all that it has.
    """
    return isinstance(transport, asyncio.Transport) and not transport.get_extra_info("sslcontext")
