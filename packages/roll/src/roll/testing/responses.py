"""Responses as they arrive over the wire."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from email.message import Message
from http import HTTPStatus
from typing import Any, Final

from roll_http import SpeaksJSON

from ..charsets import decode
from ..codec import JSON

__all__ = ["Head", "LiveResponse", "parse_response", "pieces", "read_head", "read_response"]

PIECE: Final = 64 * 1024
"""Maximum bytes of a piece of a body that is not chunked."""

BODILESS: Final = {
    HTTPStatus.SWITCHING_PROTOCOLS,
    HTTPStatus.NO_CONTENT,
    HTTPStatus.NOT_MODIFIED,
}


@dataclass(frozen=True, slots=True)
class LiveResponse:
    """The response of a server."""

    status: int
    reason: str
    headers: Message = field(compare=False)  # messages have no equality
    """The header fields, by names in any case."""
    body: bytes
    chunks: list[bytes] | None = None
    """The chunks of the body; None unless it was chunked."""
    codec: SpeaksJSON = field(default=JSON, repr=False, compare=False)
    """The codec of `json`."""

    def __reduce__(self) -> tuple[Any, ...]:
        # A codec may be any object, such as a module, which cannot be pickled.
        parts = self.status, self.reason, self.headers, self.body, self.chunks
        return LiveResponse, parts

    @property
    def json(self) -> Any:
        """The body, decoded from JSON by the codec of the application.

        Raises the exceptions of the codec: ValueError.
        """
        return self.codec.loads(self.body)

    @property
    def text(self) -> str:
        """The body as text, decoded by the charset of its `Content-Type`, or else as UTF-8."""
        return decode(self.body, self.headers.get("Content-Type", ""))


@dataclass(frozen=True, slots=True)
class Head:
    """The head of a response, with the framing of the body."""

    status: int
    reason: str
    headers: Message
    has_body: bool

    @property
    def chunked(self) -> bool:
        """Whether the body is chunked."""
        return self.has_body and self.headers.get("Transfer-Encoding", "").lower() == "chunked"

    @property
    def length(self) -> int | None:
        """The length of the body in bytes; None if the end of the connection ends it."""
        length = self.headers.get("Content-Length")
        return None if length is None else int(length)


async def read_head(reader: asyncio.StreamReader, method: str) -> Head:
    """Read the head of the final response to a request with that method.

    Raises:
        asyncio.IncompleteReadError: the connection ended before the head did.
    """
    status = HTTPStatus.CONTINUE.value
    while status < HTTPStatus.OK and status != HTTPStatus.SWITCHING_PROTOCOLS:
        head = await read_until(reader, b"\r\n\r\n")
        status_line, *lines = head.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
        _, code, *phrase = status_line.split(" ", 2)
        status = int(code)
    has_body = method != "HEAD" and status not in BODILESS
    return Head(status, "".join(phrase), message_of(lines), has_body)


async def read_until(reader: asyncio.StreamReader, end: bytes) -> bytes:
    """Read up to the end of a head, however long the head is.

    A reader with a higher limit would be simpler. But its limit also decides how much of a body
    it keeps before backpressure stops the server.

    Raises:
        asyncio.IncompleteReadError: the connection ended before.
    """
    parts: list[bytes] = []
    while True:
        try:
            return b"".join([*parts, await reader.readuntil(end)])
        except asyncio.LimitOverrunError as over:
            parts.append(await reader.readexactly(over.consumed))


def message_of(lines: list[str]) -> Message:
    """Return header fields, however many there are: `http.client` takes 100, and 64 KiB a line."""
    message = Message()
    for line in lines:
        name, _, value = line.partition(":")
        message[name] = value.strip(" \t")
    return message


async def pieces(reader: asyncio.StreamReader, head: Head) -> AsyncIterator[bytes]:
    """Read a body in pieces, as they arrive.

    Raises:
        asyncio.IncompleteReadError: the connection ended before the body did.
    """
    if head.chunked:
        while chunk := await read_chunk(reader):
            yield chunk
    elif head.has_body and head.length is None:
        while piece := await reader.read(PIECE):
            yield piece
    elif head.has_body:
        left = head.length or 0
        while left:
            piece = await reader.read(min(left, PIECE))
            if not piece:
                raise asyncio.IncompleteReadError(b"", left)
            left -= len(piece)
            yield piece


async def read_chunk(reader: asyncio.StreamReader) -> bytes:
    """Read a chunk (RFC 9112 7.1); the last one is empty. Roll sends no trailers after it."""
    size = int(await reader.readuntil(b"\r\n"), 16)
    return (await reader.readexactly(size + 2))[:-2]


async def read_response(
    reader: asyncio.StreamReader, method: str, codec: SpeaksJSON = JSON
) -> LiveResponse:
    """Read the final response to a request with that method.

    Raises:
        asyncio.IncompleteReadError: the connection ended before the response did.
    """
    head = await read_head(reader, method)
    parts = [piece async for piece in pieces(reader, head)]
    chunks = parts if head.chunked else None
    return LiveResponse(head.status, head.reason, head.headers, b"".join(parts), chunks, codec)


async def parse_response(data: bytes, method: str) -> LiveResponse:
    """Read a response from bytes; raise the exceptions of `read_response`."""
    reader = asyncio.StreamReader()
    reader.feed_data(data)
    reader.feed_eof()
    return await read_response(reader, method)
