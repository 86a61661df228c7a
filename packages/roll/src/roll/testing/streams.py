"""A response that is read as it arrives, which `client.stream` returns."""

from __future__ import annotations

from collections.abc import AsyncIterator
from email.message import Message

from roll_http import SpeaksJSON

from ..charsets import decode
from ..codec import JSON
from .connection import Connection
from .events import EventParser, ReceivedEvent, check_stream
from .responses import Head, pieces

__all__ = ["StreamedResponse"]


class StreamedResponse:
    """A response whose head has arrived, and whose body is read in pieces.

    Iterate over it to get the pieces of the body: the chunks, or the data as they arrive. While
    the test does not read, backpressure stops the server.
    """

    def __init__(self, head: Head, connection: Connection, codec: SpeaksJSON = JSON) -> None:
        self.status: int = head.status
        self.reason: str = head.reason
        self.headers: Message = head.headers
        """The header fields, by names in any case."""
        self._pieces = pieces(connection.reader, head)
        self._codec = codec

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

    async def events(self) -> AsyncIterator[ReceivedEvent]:
        """Yield the server-sent events of the rest of the body, as a browser parses them.

        Comments and events without data are skipped. An event whose end does not come is
        dropped.

        Raises:
            ValueError: a browser would refuse this response, by its status or its type; or it is
                compressed.
        """
        check_stream(self.status, self.headers)
        parser = EventParser(self._codec)
        async for piece in self:
            for event in parser.feed(piece):
                yield event
