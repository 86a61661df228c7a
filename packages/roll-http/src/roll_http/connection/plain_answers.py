"""Plain answers for applications that raised an error or returned an invalid response."""

from __future__ import annotations

import contextlib
import logging
from http import HTTPStatus
from typing import Any, Protocol

from ..errors import HttpError
from ..h1.body_encoders import InvalidResponse
from ..h1.head import Head
from ..h1.serialize import Serialized, serialize
from ..request import Request
from ..response import Response
from .registry import ConnectionRegistry

__all__ = [
    "answer_to",
    "failed",
    "log_cancelled",
    "log_failure",
    "missing",
    "serialize_plain",
    "unsendable",
]

logger = logging.getLogger("roll_http")


class Connection(Protocol):
    """The interface of a connection that a plain answer uses."""

    app: Any
    must_close: bool
    request: Any
    registry: ConnectionRegistry

    def open_body(self, request: Request, head: Head) -> None: ...


def answer_to(connection: Connection, head: Head, error: BaseException) -> Response:
    """Return the answer to the error that is being handled: an `HttpError`'s own, or a 500."""
    if isinstance(error, HttpError):
        with contextlib.suppress(Exception):  # a subclass without a status, a message without text
            return _plain(connection, head, error.status, _text_of(error.message))
    return failed(connection, head, "raised")


def _text_of(message: Any) -> str | bytes:
    is_bytes = isinstance(message, bytes | bytearray | memoryview)
    return bytes(message) if is_bytes else str(message)


def failed(connection: Connection, head: Head, what: str) -> Response:
    """Log the error that is being handled, and return a 500 without its text."""
    log_failure(head, what)
    return _plain(connection, head)


def log_failure(head: Head, what: str) -> None:
    """Log the error that is being handled."""
    # Read the head: the attributes of the request may be what failed.
    logger.exception("The application %s for %s %r", what, head.method, head.target)


def log_cancelled(head: Head) -> None:
    """Log a request whose task was cancelled, although its client waits for the response."""
    what = "The task of %s %r was cancelled: its connection is reset"
    logger.exception(what, head.method, head.target)


def missing(connection: Connection, head: Head) -> Response:
    """Log that there is no response, and return a 500, the last one of its connection."""
    logger.error("The application gave no response to %s %r", head.method, head.target)
    connection.must_close = True
    return _plain(connection, head)


def unsendable(connection: Connection, head: Head, error: BaseException) -> Response:
    """Log what is wrong with a response, and return a 500 to be sent in its place."""
    # The text of an `InvalidResponse` is enough: a traceback would not help.
    traceback = None if isinstance(error, InvalidResponse) else error
    logger.error(
        "The application gave a response that can't be sent to %s %r: %s",
        head.method,
        head.target,
        _described(error),
        exc_info=traceback,
    )
    return _plain(connection, head)


def _described(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # noqa: BLE001 - the class is an application's own
        return type(error).__name__


def _plain(
    connection: Connection,
    head: Head,
    status: HTTPStatus = HTTPStatus.INTERNAL_SERVER_ERROR,
    text: str | bytes = "",
) -> Response:
    """Return a plain text response, by default a 500 with its phrase."""
    if connection.request is None:
        _make_request(connection, head)
    # Not the application's own class: that may be what failed.
    response = Response(connection.app, connection)
    response.request = connection.request
    response.status = status
    response.headers["Content-Type"] = "text/plain; charset=utf-8"
    response.body = text or response.status.phrase
    return response


def _make_request(connection: Connection, head: Head) -> None:
    """Make a plain request to answer, because the application's own class failed."""
    request = connection.request = Request(connection.app, connection)
    request.set_head(head)
    if head.length or head.chunked:
        connection.open_body(request, head)


def serialize_plain(connection: Connection, head: Head, response: Response) -> Serialized:
    """Return a plain response as bytes, the last ones of its connection."""
    version = "1.1"
    with contextlib.suppress(Exception):  # the request's own class may be what failed
        version = connection.request.version
        connection.request.keep_alive = False
    date = connection.registry.date
    body, headers = response.body, response.headers
    return serialize(head.method, version, False, response.status, headers, (), body, date)
