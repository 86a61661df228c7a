"""Decompression of what a peer sends (RFC 7692 7.2.2)."""

import sys
import zlib

from websockets.exceptions import PayloadTooBig, ProtocolError

__all__ = ["TAIL", "Inflate"]

# RFC 7692 7.2.2: what each message ends with, and is sent without.
TAIL = b"\x00\x00\xff\xff"

# Streams that may end in one frame: a frame of 1 MiB could hold 500,000, at 1 us each.
MAX_ENDS = 1024

# The end of a stream costs as much as the decompression of this many bytes, about 1 us.
COST_OF_END = 256

# zlib copies all bytes that follow the end of a stream, so after the first end it gets only this
# many bytes at once.
SLICE = 256

Data = bytes | bytearray | memoryview


class Inflate:
    """The compressed data of a peer.

    A block with BFINAL ends a stream of zlib, and another stream continues it (RFC 7692 7.2.3.4).
    The window continues across streams, but zlib does not expose it, so a copy is kept here.
    """

    __slots__ = ("cost", "size", "stream", "wbits", "window")

    def __init__(self, wbits: int) -> None:
        self.wbits = wbits
        self.size = 1 << wbits
        self.stream: zlib._Decompress | None = None
        """The stream that has begun and not ended."""
        self.window = bytearray()
        """The content up to now: at least its last `size` bytes."""
        self.cost = 0
        """The work of the last frames, in bytes of content."""

    def forget(self) -> None:
        """Drop the stream and the window, and so their memory."""
        self.stream, self.window = None, bytearray()

    def take(self, payload: Data, last: bool, limit: int | None) -> bytes:
        """Return the content of a frame; `last` is whether it ends a message.

        Raises PayloadTooBig over the limit, ProtocolError for malformed data.
        """
        data = bytes(payload) + TAIL if last else payload
        try:
            return self.inflate_all(data, last, limit)
        except zlib.error as error:
            raise ProtocolError("decompression failed") from error

    def inflate_all(self, data: Data, last: bool, limit: int | None) -> bytes:
        """Return the content of data, in which streams may end."""
        if self.stream is None and last and data == TAIL:
            return b""  # What is missing: the last block came with the frame before.
        content, rest = self.inflate(data, limit)
        if not rest:
            return content
        left = None if limit is None else limit - len(content)
        return content + self.inflate_rest(rest, len(TAIL) if last else 0, left)

    def inflate_rest(self, data: bytes, tail: int, limit: int | None) -> bytes:
        """Return the content of what follows the end of a stream, up to a tail without one."""
        parts = bytearray()
        start, ends = 0, 1
        while start < len(data) and not (self.stream is None and len(data) - start == tail):
            piece = data[start : start + SLICE]
            content, rest = self.inflate(piece, None if limit is None else limit - len(parts))
            parts += content
            start += len(piece) - len(rest)
            ends += self.stream is None
            if ends > MAX_ENDS:
                raise ProtocolError(f"more than {MAX_ENDS} streams end in one frame")
        return bytes(parts)

    def inflate(self, data: Data, limit: int | None) -> tuple[bytes, bytes]:
        """Return the content of data up to the end of a stream, and what follows that."""
        stream = self.stream or self.begin()
        # One byte more than is allowed, or 0 for no limit.
        content = stream.decompress(data, 0 if limit is None else min(limit + 1, sys.maxsize))
        if limit is not None and len(content) > limit:
            raise PayloadTooBig(None, limit)
        self.window += content[-self.size :]
        if len(self.window) > 2 * self.size:
            del self.window[: -self.size]
        self.stream = None if stream.eof else stream
        self.cost += len(content) + (COST_OF_END if stream.eof else 0)
        return content, stream.unused_data

    def begin(self) -> "zlib._Decompress":
        """Return a stream that continues the last one."""
        return zlib.decompressobj(wbits=-self.wbits, zdict=bytes(self.window))
