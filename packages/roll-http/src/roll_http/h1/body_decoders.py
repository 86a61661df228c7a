"""Bytes to the body of a request: where it ends (RFC 9112 6 and 7). No I/O."""

from __future__ import annotations

from functools import partial
from typing import Any, Protocol

import httptools

from ..syntax import CRLF, END
from .head import RequestError

__all__ = ["BodyDecoder", "ChunkedDecoder", "LengthDecoder"]

# What a chunk may cost beyond its data before the surplus counts as an extension: its size (up to
# 16 hexadecimal digits) and two line ends.
CHUNK_OVERHEAD = 20

# One feed holds few enough chunks not to be a burden, whatever their size.
FEED_SIZE = 16 * 1024

# What httptools reports, beside data: the size line of a chunk, or the line end behind its data,
# was read, or the message is complete. They are falsy, to be told from data.
CHUNK, CHUNK_END, COMPLETE = None, False, ()

_CHUNKED_HEAD = b"POST / HTTP/1.1\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"


class BodyDecoder(Protocol):
    """Tells the bytes of one body from those that follow it."""

    complete: bool
    """The last byte of the body has been fed."""
    remaining: int | None
    """How many bytes of the body are to come; None when that is not known."""

    def feed(self, data: bytes, start: int) -> tuple[bytes, int]:
        """Return the body's bytes in `data` from `start` on, and where the others begin.

        Raises `RequestError` when the body is malformed.
        """
        ...


class LengthDecoder:
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


class ChunkedDecoder:
    """A body in chunks, decoded by httptools; extensions and trailers are dropped.

    httptools does not say where in the bytes fed the message ended, and reads on. So the fake head
    that it was given says `Connection: close`: it then takes nothing behind the message for
    another one. Where bytes follow, the end is found from what httptools reported of their slice.
    Nothing is ever searched for in the data of a chunk: a client may fill it with line ends.
    """

    __slots__ = ("_allowance", "_events", "_left", "_parser", "_tail", "complete", "remaining")

    def __init__(self, allowance: int) -> None:
        """`allowance`: the bytes granted to extensions and trailers, in all."""
        self.complete = False
        self.remaining: int | None = None
        # A size line is granted once it is whole: the one that is coming is granted here.
        self._allowance = self._left = allowance + CHUNK_OVERHEAD
        self._events: list[Any] = []  # stretches of data, and what stands for the rest
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
        """Decode, and return whether more than empty lines follows the message."""
        try:
            self._parser.feed_data(piece)
        except httptools.HttpParserError as error:
            if COMPLETE in self._events:
                return True
            raise RequestError(400, f"Malformed chunked body: {error}") from None
        return False

    def _spend(self, size: int, chunks: int) -> None:
        """Count what came beyond data. What a short size line leaves over is not saved up."""
        self._left = min(self._left + chunks * CHUNK_OVERHEAD - size, self._allowance)
        if self._left < 0:
            raise RequestError(400, "Chunk extensions or trailers too large")

    def _find_end(self, piece: bytes) -> int:
        """Return where the message ends in the piece that completed it."""
        start, known = self._last_size_line(piece), self._tail + piece
        before = len(self._tail)
        return known.index(END, 0 if start is None else before + start) + len(END) - before

    def _last_size_line(self, piece: bytes) -> int | None:
        """Return where the line end behind the last size line is; None if it came earlier."""
        position, found = 0, None
        for event in self._events:
            position = position + len(event) if event else piece.find(b"\n", position) + 1
            if event is CHUNK:
                found = position - len(CRLF)
        return found


class _Events:
    """Has httptools write down what it reads. Functions in C cost half of methods here."""

    def __init__(self, events: list[Any]) -> None:
        self.on_body = events.append
        self.on_chunk_header = partial(events.append, CHUNK)
        self.on_chunk_complete = partial(events.append, CHUNK_END)
        self.on_message_complete = partial(events.append, COMPLETE)
