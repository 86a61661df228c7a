"""A request by ASGI: the cycle of the application, and its response as messages."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from http import HTTPStatus
from typing import Any

from roll_http import ClientDisconnected, FileBody, HttpError, Response
from roll_http.connection.answering import serialize_response
from roll_http.h1.body_encoders import InvalidResponse
from roll_http.h1.response_body import as_bytes

from ..errors import readable
from .connection import ASGIConnection, Body
from .head import head_of

__all__ = ["messages_of", "serve_http"]

logger = logging.getLogger("roll")

# The server frames the body, and dates the response.
FRAMING = frozenset({b"connection", b"transfer-encoding"})


async def serve_http(app: Any, scope: Any, receive: Any, send: Any) -> None:
    """Answer one request."""
    connection = ASGIConnection(app, scope, receive, send)
    head = head_of(scope)
    request = connection.request = app.Request(app, connection)
    request.set_head(head)
    if head.length or head.chunked:
        connection.body = Body(None if head.chunked else head.length, connection)
        request.attach_body(connection.body)
    response = connection.response = app.Response(app, connection)
    response.request = request
    try:
        response = await answered(app, request, response)
        if connection.responded is None:
            await respond(connection, request, response)
    except asyncio.CancelledError:
        if not (connection.gone and uncancelled()):
            raise
    except (ClientDisconnected, OSError):
        pass  # nobody is there to be answered
    finally:
        connection.report(response)
        connection.end()


def uncancelled() -> bool:
    """Tell whether the task was cancelled only because its client has gone."""
    task = asyncio.current_task()
    return task is not None and task.uncancel() == 0


async def answered(app: Any, request: Any, response: Any) -> Any:
    """Return the response of the application, whatever an override of its cycle raises."""
    try:
        found = await app(request, response)
    except HttpError as error:
        return plain(request, error.status, error.message)
    except ClientDisconnected:
        raise
    except Exception:
        logger.exception("The application raised for %s %s", request.method, readable(request.url))
        return plain(request, HTTPStatus.INTERNAL_SERVER_ERROR)
    return response if found is None else found


def plain(request: Any, status: HTTPStatus, text: Any = None) -> Response:
    response = Response(None, None)
    response.status = status
    response.body = text or response.status.phrase
    response.request = request
    return response


async def respond(connection: ASGIConnection, request: Any, response: Any) -> None:
    """Send a response; one that cannot be sent is logged, and a 500."""
    request.keep_alive, request.version = True, "1.1"  # the server's business
    try:
        serialized = serialize_response(request, response, "")
    except Exception as error:  # noqa: BLE001 - the `str()` of a header may raise anything
        log_unsendable(request, error)
        response = plain(request, HTTPStatus.INTERNAL_SERVER_ERROR)
        serialized = serialize_response(request, response, "")
    head, body, stream, encoder, _ = serialized
    await connection.send(start_of(head))
    if stream is None:
        await connection.send({"type": "http.response.body", "body": body})
        connection.body_sent = len(body)
    else:
        await send_stream(connection, stream, encoder)
    connection.report(response)


def log_unsendable(request: Any, error: Exception) -> None:
    known = isinstance(error, InvalidResponse)
    where = readable(request.url)
    text = "The application gave a response that can't be sent to %s %s: %s"
    logger.error(text, request.method, where, error, exc_info=None if known else error)


def start_of(head: bytes) -> dict[str, Any]:
    """Return the message that begins a response, from its head."""
    line, *fields = head[:-4].split(b"\r\n")
    status = int(line.split(b" ", 2)[1])
    return {"type": "http.response.start", "status": status, "headers": list(messages_of(fields))}


def messages_of(fields: list[bytes]) -> Iterator[tuple[bytes, bytes]]:
    """Yield the fields that are the application's, with their names in lower case."""
    for field in fields:
        name, _, value = field.partition(b": ")
        lower = name.lower()
        if lower not in FRAMING:
            yield lower, value


async def send_stream(
    connection: ASGIConnection, stream: AsyncIterator[Any], encoder: Any
) -> None:
    """Send a streamed body; nothing of it where there is no encoder."""
    try:
        if encoder is not None:
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
    finally:
        await close(stream)
    await connection.send({"type": "http.response.body", "body": b""})


async def close(stream: Any) -> None:
    if hasattr(stream, "aclose"):
        await stream.aclose()
