"""Decoding the body of a request, and finding its end (RFC 9112 6 and 7). No I/O."""

from __future__ import annotations

from functools import partial
from typing import Any, Protocol

import httptools

from ..syntax import CRLF, END
from .head import RequestError

__all__ = ["BodyDecoder", "ChunkedDecoder", "LengthDecoder"]

# The free bytes of each chunk beyond its data: its size (up to 16 hexadecimal digits) and two line
# ends. More bytes count as extensions.
CHUNK_OVERHEAD = 20

# The most bytes decoded at once, so that even the smallest chunks make a short list of events.
FEED_SIZE = 16 * 1024

# The events of httptools other than data: a size line was read, the line end after a chunk's data
# was read, the message is complete. They are falsy, unlike data.
CHUNK, CHUNK_END, COMPLETE = None, False, ()

_CHUNKED_HEAD = b"POST / HTTP/1.1\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"


class BodyDecoder(Protocol):
    """Separates the bytes of one body from the bytes after it."""

    complete: bool
    """Whether the last byte of the body was fed."""
    remaining: int | None
    """How many bytes of the body are missing; None if that is unknown."""

    def feed(self, data: bytes, start: int) -> tuple[bytes, int]:
        """Return the body's bytes in `data` from `start` on, and where decoding stopped.

        Raises:
            RequestError: the body is malformed.
        """
        ...


class LengthDecoder:
    """Decodes a body that has a Content-Length."""

    __slots__ = ("complete", "remaining")

    def __init__(self, length: int) -> None:
        self.remaining: int | None = length
        self.complete = not length

    def feed(self, data: bytes, start: int) -> tuple[bytes, int]:
        end = min(len(data), start + (self.remaining or 0))
        self.remaining = (self.remaining or 0) - (end - start)
        self.complete = not self.remaining
        return data[start:end], end


class ChunkedDecoder:
    """Decodes a chunked body, with httptools; extensions and trailers are dropped.

    httptools does not say where in its input the message ended, and reads on. So the head that it
    gets here says `Connection: close`: then it does not parse the bytes after the message as the
    next one. If bytes follow, the end is computed from the events that httptools reported. The
    data of a chunk is never searched: a client may fill it with line ends.
    """

    __slots__ = ("_allowance", "_events", "_left", "_parser", "_tail", "complete", "remaining")

    def __init__(self, allowance: int) -> None:
        """`allowance` is the total size of extensions and trailers that is allowed, in bytes."""
        self.complete = False
        self.remaining: int | None = None
        # Each complete size line adds its overhead: this is for the incomplete one.
        self._allowance = self._left = allowance + CHUNK_OVERHEAD
        self._events: list[Any] = []  # pieces of data, and the events above
        self._tail = b""
        self._parser = httptools.HttpRequestParser(_Events(self._events))
        self._parser.feed_data(_CHUNKED_HEAD)

    def feed(self, data: bytes, start: int) -> tuple[bytes, int]:
        piece = data[start : start + FEED_SIZE]
        events = self._events
        more = self._decode(piece)
        body = b"".join(filter(None, events))
        end = len(piece)
        if events and events[-1] is COMPLETE:
            self.complete = True
            if more or not piece.endswith(END) or piece[-5:-4] in CRLF:
                end = self._find_end(piece)
        self._spend(end - len(body), events.count(CHUNK))
        self._tail = (self._tail + piece[-3:])[-3:]
        events.clear()
        return body, start + end

    def _decode(self, piece: bytes) -> bool:
        """Decode a piece; return whether more than empty lines follows the message."""
        try:
            self._parser.feed_data(piece)
        except httptools.HttpParserError as error:
            if COMPLETE in self._events:
                return True
            raise RequestError(400, f"Malformed chunked body: {error}") from None
        return False

    def _spend(self, size: int, chunks: int) -> None:
        """Count the bytes that are not data; the unused free bytes of a chunk do not add up."""
        self._left = min(self._left + chunks * CHUNK_OVERHEAD - size, self._allowance)
        if self._left < 0:
            raise RequestError(400, "Chunk extensions or trailers too large")

    def _find_end(self, piece: bytes) -> int:
        """Return where the message ends in the piece that completed it."""
        start, known = self._last_size_line(piece), self._tail + piece
        before = len(self._tail)
        return known.index(END, 0 if start is None else before + start) + len(END) - before

    def _last_size_line(self, piece: bytes) -> int | None:
        """Return where the last size line ends; None if that was in an earlier piece."""
        position, found = 0, None
        for event in self._events:
            position = position + len(event) if event else piece.find(b"\n", position) + 1
            if event is CHUNK:
                found = position - len(CRLF)
        return found


class _Events:
    """The callbacks of httptools: C functions that append events, twice as fast as methods."""

    def __init__(self, events: list[Any]) -> None:
        self.on_body = events.append
        self.on_chunk_header = partial(events.append, CHUNK)
        self.on_chunk_complete = partial(events.append, CHUNK_END)
        self.on_message_complete = partial(events.append, COMPLETE)
