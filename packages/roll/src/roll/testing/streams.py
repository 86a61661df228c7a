"""A response that is read as it arrives, which `client.stream` returns."""

from __future__ import annotations

from collections.abc import AsyncIterator
from email.message import Message

from ..charsets import decode
from .connection import Connection
from .responses import Head, pieces

__all__ = ["StreamedResponse"]


class StreamedResponse:
    """A response whose head has arrived, and whose body is read in pieces.

    Iterate over it to get the pieces of the body: the chunks, or the data as they arrive. While
    the test does not read, backpressure stops the server.
    """

    def __init__(self, head: Head, connection: Connection) -> None:
        self.status: int = head.status
        self.reason: str = head.reason
        self.headers: Message = head.headers
        """The header fields, by names in any case."""
        self._pieces = pieces(connection.reader, head)

    def __aiter__(self) -> AsyncIterator[bytes]:
        """Yield the pieces that were not read yet; raise `EOFError` if the body is cut short."""
        return self._pieces

    async def read(self) -> bytes:
        """Return the rest of the body."""
        return b"".join([piece async for piece in self])

    async def lines(self) -> AsyncIterator[str]:
        """Yield the lines of the rest of the body, without the line ends."""
        content_type = self.headers.get("Content-Type", "")
        begun = b""
        async for piece in self:
            *whole, begun = (begun + piece).split(b"\n")
            for line in whole:
                yield decode(line.removesuffix(b"\r"), content_type)
        if begun:
            yield decode(begun, content_type)
