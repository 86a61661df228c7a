"""A request over ASGI: the cycle of the application, then its response."""

from __future__ import annotations

import asyncio
import logging
from http import HTTPStatus
from typing import Any, Final

from roll_http import ClientDisconnected, HttpError

from ..errors import readable
from .connection import ASGIConnection, Body
from .head import head_of, is_length
from .sending import close_unsent, plain, respond

__all__ = ["answered", "serve_http"]

NO_LENGTH: Final = "The Content-Length is not a number of bytes"

logger = logging.getLogger("roll")


async def serve_http(app: Any, scope: Any, receive: Any, send: Any) -> None:
    """Answer one request."""
    connection = ASGIConnection(app, scope, receive, send)
    head = head_of(scope)
    request = connection.request = app.Request(app, connection)
    request.set_head(head)
    if head.length or head.chunked:
        connection.body = Body(None if head.chunked else head.length, connection)
        request.attach_body(connection.body)
    made = response = connection.response = app.Response(app, connection)
    response.request = request
    sent = None
    try:
        if is_length(head.headers.get("CONTENT-LENGTH", "")):
            response = await answered(app, request, response)
        else:
            response = plain(request, HTTPStatus.BAD_REQUEST, NO_LENGTH)
        if connection.responded is None:
            sent = response
            await respond(connection, request, response)
    except asyncio.CancelledError:
        if not (connection.gone and uncancelled()):
            raise
    except (ClientDisconnected, OSError):
        pass  # there is no client to answer
    finally:
        try:
            if sent is not made and connection.responded is None:
                await close_unsent(sent, made, response)
        finally:
            connection.report(response)
            connection.end()


def uncancelled() -> bool:
    """Tell whether the task was cancelled only because its client has disconnected."""
    task = asyncio.current_task()
    return task is not None and task.uncancel() == 0


async def answered(app: Any, request: Any, response: Any) -> Any:
    """Return the response of the application, or a 500 if an override of its cycle raises."""
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
