"""How the receiver of a streamed body learns where it ends (RFC 9112 6.3 and 7.1). No I/O."""

from __future__ import annotations

from typing import Protocol

__all__ = ["Chunked", "Delimiting", "InvalidResponse", "Measured", "UntilClose"]


class InvalidResponse(ValueError):
    """A response that can't be sent as it is."""


class Delimiting(Protocol):
    """How the chunks of a streamed body become bytes on the wire."""

    def around(self, size: int) -> tuple[bytes, bytes]:
        """What goes before and after a chunk of so many bytes, one at least.

        Raises `InvalidResponse` when there can be no such chunk.
        """
        ...

    def end(self) -> bytes:
        """The bytes that end the body; raises `InvalidResponse` when it is not whole."""
        ...


class Chunked:
    """RFC 9112 7.1."""

    def around(self, size: int) -> tuple[bytes, bytes]:
        return b"%x\r\n" % size, b"\r\n"

    def end(self) -> bytes:
        return b"0\r\n\r\n"


class UntilClose:
    """What HTTP/1.0 clients understand (RFC 9112 6.3, item 8)."""

    def around(self, size: int) -> tuple[bytes, bytes]:
        return b"", b""

    def end(self) -> bytes:
        return b""


class Measured:
    """As many bytes as the handler's Content-Length says, neither more nor fewer."""

    def __init__(self, length: int) -> None:
        self._length = self.remaining = length

    def around(self, size: int) -> tuple[bytes, bytes]:
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
