"""Responses as they came over the wire."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from email.message import Message
from http import HTTPStatus
from http.client import parse_headers
from io import BytesIO
from typing import Any, Final

from roll_http import SpeaksJSON

from ..charsets import decode
from ..codec import JSON

__all__ = ["Head", "LiveResponse", "parse_response", "pieces", "read_head", "read_response"]

MAX_LINE: Final = 2**20
"""Bytes of a head."""

PIECE: Final = 64 * 1024
"""The most bytes that are given at once of a body that has no chunks."""

BODILESS: Final = {
    HTTPStatus.SWITCHING_PROTOCOLS,
    HTTPStatus.NO_CONTENT,
    HTTPStatus.NOT_MODIFIED,
}


@dataclass(frozen=True, slots=True)
class LiveResponse:
    """What a server has answered."""

    status: int
    reason: str
    headers: Message = field(compare=False)  # those of the library are equal to none
    """The header fields, by names in any case."""
    body: bytes
    chunks: list[bytes] | None = None
    """The chunks that the body came in, None unless it was chunked."""
    codec: SpeaksJSON = field(default=JSON, repr=False, compare=False)
    """What decodes `json`."""

    def __reduce__(self) -> tuple[Any, ...]:
        # A codec may be any object, such as a module: none can be pickled.
        parts = self.status, self.reason, self.headers, self.body, self.chunks
        return LiveResponse, parts

    @property
    def json(self) -> Any:
        """The body, decoded from JSON by the codec of the application.

        Raises what that raises, a `ValueError`.
        """
        return self.codec.loads(self.body)

    @property
    def text(self) -> str:
        """The body as text, decoded by the charset of its `Content-Type`, else as UTF-8."""
        return decode(self.body, self.headers.get("Content-Type", ""))


@dataclass(frozen=True, slots=True)
class Head:
    """The head of a response, and what it says of the body."""

    status: int
    reason: str
    headers: Message
    has_body: bool

    @property
    def chunked(self) -> bool:
        """Whether the body comes in chunks."""
        return self.has_body and self.headers.get("Transfer-Encoding", "").lower() == "chunked"

    @property
    def length(self) -> int | None:
        """The bytes of the body; None where it lasts until the connection ends."""
        length = self.headers.get("Content-Length")
        return None if length is None else int(length)


async def read_head(reader: asyncio.StreamReader, method: str) -> Head:
    """Read the head of the final response to a request with that method.

    Raises:
        asyncio.IncompleteReadError: the connection ended before.
    """
    status = HTTPStatus.CONTINUE.value
    while status < HTTPStatus.OK and status != HTTPStatus.SWITCHING_PROTOCOLS:
        head = await reader.readuntil(b"\r\n\r\n")
        status_line, _, fields = head.partition(b"\r\n")
        _, code, *phrase = status_line.decode("latin-1").split(" ", 2)
        status = int(code)
    has_body = method != "HEAD" and status not in BODILESS
    return Head(status, "".join(phrase), parse_headers(BytesIO(fields)), has_body)


async def pieces(reader: asyncio.StreamReader, head: Head) -> AsyncIterator[bytes]:
    """Read a body as it comes.

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
    """Read a chunk (RFC 9112 7.1); the last one is empty, and has no trailers: ours have none."""
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
    """Read a response that is there already; raises what `read_response` raises."""
    reader = asyncio.StreamReader(limit=MAX_LINE)
    reader.feed_data(data)
    reader.feed_eof()
    return await read_response(reader, method)
