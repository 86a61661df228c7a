"""Encoding streamed bodies so that the client finds their end (RFC 9112 6.3, 7.1). No I/O."""

from __future__ import annotations

from typing import Protocol

__all__ = [
    "BodyEncoder",
    "ChunkedEncoder",
    "CloseDelimitedEncoder",
    "ContentLengthEncoder",
    "InvalidResponse",
]


class InvalidResponse(ValueError):
    """A response that can't be sent: a fault of the application."""


class BodyEncoder(Protocol):
    """Frames the chunks of a streamed body."""

    def frame_chunk(self, size: int) -> tuple[bytes, bytes]:
        """Return the bytes before and after a chunk of `size` bytes; `size` is at least 1.

        Raises:
            InvalidResponse: the body would be longer than its Content-Length.
        """
        ...

    def end(self) -> bytes:
        """Return the bytes that end the body; raise `InvalidResponse` if the body is too short."""
        ...


class ChunkedEncoder:
    """The chunked transfer coding (RFC 9112 7.1)."""

    def frame_chunk(self, size: int) -> tuple[bytes, bytes]:
        return b"%x\r\n" % size, b"\r\n"

    def end(self) -> bytes:
        return b"0\r\n\r\n"


class CloseDelimitedEncoder:
    """A body that ends with its connection, for HTTP/1.0 clients (RFC 9112 6.3, item 8)."""

    def frame_chunk(self, size: int) -> tuple[bytes, bytes]:
        return b"", b""

    def end(self) -> bytes:
        return b""


class ContentLengthEncoder:
    """A body of exactly the Content-Length that the handler set."""

    def __init__(self, length: int) -> None:
        self._length = self.remaining = length

    def frame_chunk(self, size: int) -> tuple[bytes, bytes]:
        self.remaining -= size
        if self.remaining < 0:
            raise InvalidResponse(f"The body is longer than its Content-Length of {self._length}")
        return b"", b""

    def end(self) -> bytes:
        if self.remaining:
            raise InvalidResponse(
                f"The body is {self.remaining} bytes short of its Content-Length"
            )
        return b""
