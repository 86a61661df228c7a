"""One request: call the application, and send its response; at once if nothing has to wait.

Whether the connection stays open is decided here, in `_may_go_on`.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Coroutine
from http import HTTPStatus
from typing import Any

from ..cancellation import is_cancelled
from ..errors import ClientDisconnected, HttpError
from ..h1.body_encoders import InvalidResponse
from ..h1.head import Head, RequestError
from ..h1.response_body import BYTES_TYPE, TEXT_TYPE
from ..h1.serialize import BODILESS_METHODS, Serialized, serialize, serialize_common
from ..h1.state import SWITCHED
from ..request import Request
from ..response import Response
from .exchange import Connection, end
from .writer import SLICE

__all__ = ["answer", "serialize_common_response", "serialize_response"]

logger = logging.getLogger("roll_http")


async def answer(connection: Connection, head: Head) -> None:
    """Call the application, and send the response that it returns."""
    app = connection.app
    response: Response | None = None
    try:
        try:
            request = app.Request(app, connection)
            request.set_head(head)
            connection.request = request
            if head.length or head.chunked:
                connection.open_body(request, head)
            response = connection.response = app.Response(app, connection)
            response.request = request
            response = await app(request, response)
        except asyncio.CancelledError:
            if is_cancelled():
                _report_lost(connection, response)
                _give_up(connection)
                raise
            response = _failed(connection, head, "was cancelled by itself")
        except (KeyboardInterrupt, SystemExit, GeneratorExit):
            _give_up(connection)
            raise
        except BaseException as error:  # noqa: BLE001 - any error of an application is answered
            if connection.gone and isinstance(error, ClientDisconnected):
                _report_lost(connection, response)
                return connection.finish(False)
            response = _error_response(connection, head, error)
        if connection.state == SWITCHED:
            return connection.release()
        sending = _send(connection, head, response)
        if sending is not None:
            await sending
    except Exception:  # noqa: BLE001 - an error of this package: the client must not wait for ever
        connection.fail()
        connection.request = connection.response = None
    return None


def _give_up(connection: Connection) -> None:
    """Abort without a response: the task was cancelled, or the program ends."""
    connection.release()
    with contextlib.suppress(RuntimeError):  # a task may be destroyed after its loop
        connection.abort()


def _report_lost(connection: Connection, response: Response | None) -> None:
    """Report a request that nobody answers any more: access logs show it, too."""
    if connection.on_answered is None or response is None or connection.state == SWITCHED:
        return
    connection.on_answered(response.request, response, 0)


def _error_response(connection: Connection, head: Head, error: BaseException) -> Response:
    if isinstance(error, HttpError):
        with contextlib.suppress(AttributeError, ValueError):  # a subclass without a status
            return _plain(connection, error.status, error.message)
    return _failed(connection, head, "raised")


def _failed(connection: Connection, head: Head, what: str) -> Response:
    """Log the error that is being handled, and answer 500 without its text."""
    # Read the head: the attributes of the request may be what failed.
    logger.exception("The application %s for %s %r", what, head.method, head.target)
    return _plain(connection, HTTPStatus.INTERNAL_SERVER_ERROR)


def _unsendable(connection: Connection, head: Head, error: Exception) -> Response:
    """Log what is wrong with a response, and answer in its place."""
    # Of an error of ours the text says all: how it was found is nobody's business.
    traceback = None if isinstance(error, InvalidResponse) else error
    logger.error(
        "The application gave a response that can't be sent to %s %r: %s",
        head.method,
        head.target,
        error,
        exc_info=traceback,
    )
    return _plain(connection, HTTPStatus.INTERNAL_SERVER_ERROR)


def _plain(connection: Connection, status: HTTPStatus, text: Any = None) -> Response:
    """Return a plain text response, by default with the phrase of its status."""
    # Not the application's own class: that may be what failed.
    response = Response(connection.app, connection)
    response.request = connection.request
    response.status = status
    response.headers["Content-Type"] = "text/plain; charset=utf-8"
    response.body = text or response.status.phrase
    return response


# Sending the response.


def _send(
    connection: Connection, head: Head, response: Response | None
) -> Coroutine[Any, Any, None] | None:
    """Send the response; return a coroutine to await if it can't be sent at once."""
    request = connection.request
    if request is None or response is None:
        _refuse_nothing(connection, head)
        return None
    request.method = head.method  # the method as received: the application may have changed it
    date = connection.registry.date
    keep_alive = request.keep_alive = _may_go_on(connection, request, response)
    if connection.reader.body is not None:
        connection.reader.body.answer_begins()
    try:
        common = serialize_common_response(request, response, date) if keep_alive else None
        serialized = common or serialize_response(request, response, date)
    except Exception as error:  # noqa: BLE001 - a header's `str()` may raise anything
        response = _unsendable(connection, head, error)
        request.keep_alive = False
        serialized = serialize_response(request, response, date)
    start, body, stream, _, keep_alive = serialized
    request.keep_alive = keep_alive
    if stream is not None or len(body) > SLICE:
        return connection.exchange.send(Serialized(*serialized), request, response)
    connection.writer.write(start + body)
    if connection.on_answered is None:
        connection.finish(keep_alive)
    else:
        size = 0 if connection.writer.lost else len(body)
        end(connection, request, response, size, keep_alive=keep_alive)
    return None


def _refuse_nothing(connection: Connection, head: Head) -> None:
    if connection.request is not None:  # otherwise it could not be made, and that was logged
        logger.error("The application gave no response to %s %r", head.method, head.target)
    connection.refuse(RequestError(500, "Internal Server Error"))


def _may_go_on(connection: Connection, request: Request, response: Response) -> bool:
    """Decide whether the connection stays open after this response."""
    if connection.must_close or not request.keep_alive:
        return False
    body = connection.reader.body
    if body is None:
        return True
    if body.receiving:
        too_large = response.status is HTTPStatus.REQUEST_ENTITY_TOO_LARGE
        return body.worth_skipping and not too_large
    return not body.broken


def serialize_common_response(
    request: Request, response: Response, date: str
) -> tuple[bytes, bytes, None, None, bool] | None:
    """Return what `serialize_response` gives, for a common, short response; None for others.

    A plain tuple: to make a named one takes 0.2 us.
    """
    body = response.body
    if type(body) is str:
        body = body.encode()
    if type(body) is not bytes or len(body) > SLICE:
        return None
    if request.version != "1.1" or request.method in BODILESS_METHODS:
        return None
    status, headers = response._status, response.headers  # noqa: SLF001 - a property takes 0.1 us
    if body and "Content-Type" not in headers and response.add_content_type:
        date += BYTES_TYPE if body is response.body else TEXT_TYPE
    head = serialize_common(status, headers, response.cookie_lines, body, date)
    return None if head is None else (head, body, None, None, True)


def serialize_response(request: Request, response: Response, date: str) -> Serialized:
    """Return any response as bytes; raise `InvalidResponse` or `ValueError` for a bad one."""
    return serialize(
        request.method or "",
        request.version,
        request.keep_alive,
        response.status,
        response.headers,
        response.cookie_lines,
        response.body,
        date,
        add_content_type=response.add_content_type,
    )
