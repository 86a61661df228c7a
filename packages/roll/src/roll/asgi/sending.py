"""The response to a request as messages to another server."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from http import HTTPStatus
from typing import Any, Protocol

from roll_http import FileBody, Response
from roll_http.connection.answering import serialize_response
from roll_http.connection.closing import close_stream, close_streamed, stream_of
from roll_http.h1.body_encoders import InvalidResponse
from roll_http.h1.response_body import as_bytes
from roll_http.h1.serialize import Serialized

from ..errors import readable

__all__ = ["Sender", "close_unsent", "messages_of", "plain", "respond", "start_of"]

logger = logging.getLogger("roll")

# The server frames the body, and sets the date.
FRAMING = frozenset({b"connection", b"transfer-encoding"})


class Sender(Protocol):
    """The part of a connection that sending uses."""

    body_sent: int
    request: Any
    send: Callable[[dict[str, Any]], Awaitable[None]]

    def report(self, response: Any) -> None: ...
    def stream(self) -> None: ...


def plain(request: Any, status: HTTPStatus, text: Any = None) -> Response:
    response = Response(None, None)
    response.status = status
    response.body = text or response.status.phrase
    response.request = request
    return response


async def respond(connection: Sender, request: Any, response: Any) -> None:
    """Send a response; if it cannot be sent, log that and send a 500. Close a streamed body."""
    request.keep_alive, request.version = True, "1.1"  # the server decides
    given, stream = stream_of(response), None
    try:
        response, (head, body, stream, encoder, _) = serialized(request, response)
        await connection.send(start_of(head))
        if stream is not None and encoder is not None:
            await send_stream(connection, stream, encoder)
    finally:
        if given is not None or stream is not None:
            await close_streamed(given if stream is None else stream, given)
    await connection.send({"type": "http.response.body", "body": body})
    connection.body_sent += len(body)
    connection.report(response)


def serialized(request: Any, response: Any) -> tuple[Any, Serialized]:
    """Return a response, or the 500 for one that cannot be sent, with its parts."""
    try:
        return response, serialize_response(request, response, "")
    except Exception as error:  # noqa: BLE001 - the `str()` of a header may raise anything
        log_unsendable(request, error)
        response = plain(request, HTTPStatus.INTERNAL_SERVER_ERROR)
        return response, serialize_response(request, response, "")


def log_unsendable(request: Any, error: Exception) -> None:
    known = isinstance(error, InvalidResponse)
    where = readable(request.url)
    text = "The application gave a response that can't be sent to %s %s: %s"
    logger.error(text, request.method, where, error, exc_info=None if known else error)


def start_of(head: bytes) -> dict[str, Any]:
    """Return the message that starts a response with this head."""
    line, *fields = head[:-4].split(b"\r\n")
    status = int(line.split(b" ", 2)[1])
    return {"type": "http.response.start", "status": status, "headers": list(messages_of(fields))}


def messages_of(fields: list[bytes]) -> Iterator[tuple[bytes, bytes]]:
    """Yield the fields that the application decides, with names in lower case."""
    for field in fields:
        name, _, value = field.partition(b": ")
        lower = name.lower()
        if lower not in FRAMING:
            yield lower, value


async def send_stream(connection: Sender, stream: AsyncIterator[Any], encoder: Any) -> None:
    """Send the items of a streamed body, without the message that ends it."""
    if not isinstance(stream, FileBody):
        connection.stream()
    async for item in stream:
        data = as_bytes(item)
        if data:
            encoder.frame_chunk(len(data))  # checks the length that was announced
            message = {"type": "http.response.body", "body": data, "more_body": True}
            await connection.send(message)
            connection.body_sent += len(data)
    encoder.end()


async def close_unsent(sent: Any, *others: Any) -> None:
    """Close the streamed bodies of responses that are not sent; `sent` is the one that was."""
    closed = [stream_of(sent)]
    for stream in map(stream_of, others):
        if not any(stream is one for one in (None, *closed)):
            closed.append(stream)
            await close_stream(stream)
