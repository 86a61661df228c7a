"""Where the body of a message ends (RFC 9112 6 and 7). No I/O.

A framing is fed bytes and gives back those of the body and those that follow the message.
"""

from __future__ import annotations

from typing import Protocol

import httptools

from .head import END, BadRequest

__all__ = ["ChunkedFraming", "Framing", "LengthFraming"]

# What a chunk may cost beyond its data before the surplus counts as an extension: its size (up to
# 16 hexadecimal digits) and two line ends.
CHUNK_OVERHEAD = 20

# One feed holds few enough chunks not to be a burden, whatever their size.
SLICE = 16 * 1024

_CHUNKED_HEAD = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"


class Framing(Protocol):
    """How the bytes of one body are told from what follows it."""

    complete: bool
    """The last byte of the body has been fed."""
    remaining: int | None
    """How many bytes of the body are to come; None when that is not known."""

    def feed(self, data: bytes, start: int) -> tuple[bytes, int]:
        """The body's bytes in `data` from `start` on, and where those not looked at begin.

        Raises `BadRequest` when the framing is broken.
        """
        ...


class LengthFraming:
    """A body of as many bytes as its Content-Length says."""

    __slots__ = ("complete", "remaining")

    def __init__(self, length: int) -> None:
        self.remaining: int | None = length
        self.complete = not length

    def feed(self, data: bytes, start: int) -> tuple[bytes, int]:
        end = min(len(data), start + (self.remaining or 0))
        self.remaining = (self.remaining or 0) - (end - start)
        self.complete = not self.remaining
        return data[start:end], end


class ChunkedFraming:
    """A body in chunks, decoded by httptools; extensions and trailers are dropped.

    httptools would run on into the next message. A chunked message can only end at an empty line
    (its last chunk has no data), so it is fed up to each of these and asked whether it is done.
    """

    __slots__ = ("_allowance", "_overhead", "_parser", "_pieces", "_tail", "complete", "remaining")

    def __init__(self, allowance: int) -> None:
        """`allowance`: the bytes granted to extensions and trailers, in all."""
        self.complete = False
        self.remaining: int | None = None
        self._allowance = allowance
        self._overhead = 0
        self._pieces: list[bytes] = []
        self._tail = b""
        self._parser = httptools.HttpRequestParser(self)
        self._parser.feed_data(_CHUNKED_HEAD)

    def feed(self, data: bytes, start: int) -> tuple[bytes, int]:
        stop = min(len(data), start + SLICE)
        while start < stop and not self.complete:
            end = self._next_stop(data, start, stop)
            self._feed_slice(data[start:end])
            start = end
        body = b"".join(self._pieces)
        self._pieces.clear()
        return body, start

    def _next_stop(self, data: bytes, start: int, stop: int) -> int:
        """Where the next empty line ends, one begun in an earlier slice included."""
        if self._tail:
            joint = (self._tail + data[start : start + 3]).find(END)
            if joint >= 0:
                return start + joint + len(END) - len(self._tail)
        found = data.find(END, start, stop)
        return stop if found < 0 else found + len(END)

    def _feed_slice(self, piece: bytes) -> None:
        # The line before the empty one is never empty itself: no end overlaps another.
        self._tail = b"" if piece.endswith(END) else (self._tail + piece[-3:])[-3:]
        self._overhead += len(piece)
        try:
            self._parser.feed_data(piece)
        except httptools.HttpParserError as error:
            raise BadRequest(400, f"Malformed chunked body: {error}") from None
        if self._overhead > self._allowance:
            raise BadRequest(400, "Chunk extensions or trailers too large")

    def on_body(self, body: bytes) -> None:
        """Called by httptools for each stretch of data."""
        self._overhead -= len(body)
        self._pieces.append(body)

    def on_chunk_header(self) -> None:
        """Called by httptools once a chunk's size line is read."""
        self._allowance += CHUNK_OVERHEAD

    def on_message_complete(self) -> None:
        """Called by httptools when the trailers have ended."""
        self.complete = True
