"""A response that is read as it comes, as `client.stream` gives it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from email.message import Message

from ..charsets import decode
from .connection import Connection
from .responses import Head, pieces

__all__ = ["StreamedResponse"]


class StreamedResponse:
    """A response whose head has come, and whose body comes while it is read.

    Iterate over it for the body in pieces: the chunks that were sent, or what has come.
    The server is held back while nothing is read.
    """

    def __init__(self, head: Head, connection: Connection) -> None:
        self.status: int = head.status
        self.reason: str = head.reason
        self.headers: Message = head.headers
        """The header fields, by names in any case."""
        self._pieces = pieces(connection.reader, head)

    def __aiter__(self) -> AsyncIterator[bytes]:
        """Give the pieces that have not been read; raises `EOFError` if the body is cut short."""
        return self._pieces

    async def read(self) -> bytes:
        """Return the rest of the body."""
        return b"".join([piece async for piece in self])

    async def lines(self) -> AsyncIterator[str]:
        """Give the rest of the body line by line, without the line ends."""
        content_type = self.headers.get("Content-Type", "")
        begun = b""
        async for piece in self:
            *whole, begun = (begun + piece).split(b"\n")
            for line in whole:
                yield decode(line.removesuffix(b"\r"), content_type)
        if begun:
            yield decode(begun, content_type)
