"""Responses as they came over the wire."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from email.message import Message
from http import HTTPStatus
from http.client import parse_headers
from io import BytesIO

__all__ = ["LiveResponse", "parse_response", "read_response"]

MAX_LINE = 2**20
"""Bytes of a head."""

BODILESS = {HTTPStatus.SWITCHING_PROTOCOLS, HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED}


@dataclass(frozen=True, slots=True)
class LiveResponse:
    """What a server has answered."""

    status: int
    reason: str
    headers: Message
    """The header fields, by names in any case."""
    body: bytes
    chunks: list[bytes] | None = None
    """The chunks that the body came in, None unless it was chunked."""


async def read_response(reader: asyncio.StreamReader, method: str) -> LiveResponse:
    """Read the final response to a request with that method.

    Raises:
        asyncio.IncompleteReadError: the connection ended before the response did.
    """
    status = HTTPStatus.CONTINUE.value
    while status < HTTPStatus.OK and status != HTTPStatus.SWITCHING_PROTOCOLS:
        head = await reader.readuntil(b"\r\n\r\n")
        status_line, _, fields = head.partition(b"\r\n")
        _, code, *phrase = status_line.decode("latin-1").split(" ", 2)
        status = int(code)
    headers = parse_headers(BytesIO(fields))
    body, chunks = b"", None
    if method != "HEAD" and status not in BODILESS:
        body, chunks = await read_body(reader, headers)
    return LiveResponse(status, "".join(phrase), headers, body, chunks)


async def read_body(
    reader: asyncio.StreamReader, headers: Message
) -> tuple[bytes, list[bytes] | None]:
    if headers.get("Transfer-Encoding", "").lower() == "chunked":
        chunks = await read_chunks(reader)
        return b"".join(chunks), chunks
    length = headers.get("Content-Length")
    return await (reader.read() if length is None else reader.readexactly(int(length))), None


async def read_chunks(reader: asyncio.StreamReader) -> list[bytes]:
    """Read a chunked body (RFC 9112 7.1), without trailers: ours have none."""
    chunks = []
    while size := int(await reader.readuntil(b"\r\n"), 16):
        chunks.append(await reader.readexactly(size))
        await reader.readexactly(2)
    await reader.readexactly(2)
    return chunks


async def parse_response(data: bytes, method: str) -> LiveResponse:
    """Read a response that is there already; raises what `read_response` raises."""
    reader = asyncio.StreamReader(limit=MAX_LINE)
    reader.feed_data(data)
    reader.feed_eof()
    return await read_response(reader, method)
