"""One request: call the application, and send its response; at once if nothing has to wait.

Whether the connection stays open is decided here, in `may_go_on`.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Coroutine, Sequence
from http import HTTPStatus
from typing import Any, Final

from .._core import is_native
from ..cancellation import ENDING, EXITS, ends_task
from ..errors import ClientDisconnected
from ..h1.body_encoders import InvalidResponse
from ..h1.head import Head
from ..h1.response_body import BYTES_TYPE, TEXT_TYPE
from ..h1.serialize import BODILESS_METHODS, Serialized, serialize, serialize_common
from ..h1.state import SWITCHED
from ..request import Request
from ..response import Response
from .closing import close_stream, stream_of
from .exchange import Connection, end
from .observers import report
from .plain_answers import (
    answer_to,
    failed,
    log_cancelled,
    log_failure,
    missing,
    serialize_plain,
    unsendable,
)
from .writer import SLICE

__all__ = [
    "answer",
    "may_go_on",
    "send",
    "serialize_common_response",
    "serialize_in_python",
    "serialize_response",
]

NONE: Final[Sequence[Any]] = ()

# Stands for the request of an application whose response was sent before its first step ended.
_OVER: Final = object()


async def answer(  # noqa: C901, PLR0912 - each request would pay for a call more
    connection: Connection,
    head: Head,
    begun: Awaitable[Response] | None = None,
    request: Any = None,
) -> None:
    """Call the application, and send the response that it returns.

    `begun` is the call of the application that the native core has begun, with `request` and its
    response. The head then has only method and target.
    """
    response: Response | None
    # The parser may use `head` for the next request once this one has its response.
    method, target = head.method, head.target
    try:
        try:
            if begun is None:
                begun = _begin(connection, head)
                request = connection.request
            if request is None:  # the first step has sent the response
                request = _OVER
            response = await begun
        except BaseException as error:
            if request is not None and _is_over(connection, request):
                if ends_task(error):
                    raise
                log_failure(_head_of(method, target), "raised after its response")
                return None
            if ends_task(error, connection.exchange.task):
                if isinstance(error, asyncio.CancelledError):
                    await _give_up(connection, head)
                raise
            response = _answer_to(connection, head, error)
            if response is None:
                return await _end_unsent(connection)
        # A request that is over, looked at without a call: 0.05 us.
        if (
            connection.request is not request or connection.responded is request
        ) and request is not None:
            _is_over(connection, request)
            return None
        if connection.state == SWITCHED:
            return await _end_unsent(connection)
        if connection.opened is not None:
            _cut_opened(connection)
            return None
        sending = send(connection, head, response)
        if sending is not None:
            await sending
    except ENDING:
        _abort(connection)
        raise
    except Exception:  # noqa: BLE001 - an error of this package: the client must not wait for ever
        connection.fail()
        connection.request = connection.response = None
    return None


def _head_of(method: str, target: bytes) -> Head:
    head = Head()
    head.method, head.target = method, target
    return head


def _begin(connection: Connection, head: Head) -> Awaitable[Response]:
    """Make request and response, and call the application."""
    app = connection.app
    request = app.Request(app, connection)
    request.set_head(head)
    connection.request = request
    if head.length or head.chunked:
        connection.open_body(request, head)
    response = connection.response = app.Response(app, connection)
    response.request = request
    return app(request, response)


def _answer_to(connection: Connection, head: Head, error: BaseException) -> Response | None:
    """Return the answer to the error that is being handled; None if nothing is to be sent."""
    disconnected = isinstance(error, ClientDisconnected)
    if connection.state == SWITCHED:  # what the client has got of the other protocol is not whole
        if not disconnected:
            log_failure(head, "raised after the switch of its connection")
        if not connection.transport.is_closing():
            connection.abort()
        return None
    if disconnected and connection.gone:
        return None
    if isinstance(error, asyncio.CancelledError):
        return failed(connection, head, "cancelled its own task")
    return answer_to(connection, head, error)


def _is_over(connection: Connection, request: Any) -> bool:
    """Return whether the response was sent by `respond`, and the connection has gone on."""
    if connection.responded is request:
        connection.responded = None
        return True
    return connection.request is not request


async def _give_up(connection: Connection, head: Head) -> None:
    """End a request whose task was cancelled; log it, unless this package has cancelled it.

    This package cancels the task only if the client has gone, or if it aborts the connection.
    """
    if not (connection.gone or connection.transport.is_closing()):
        log_cancelled(head)
    unsent = stream_of(connection.response)
    if not _cut_opened(connection):
        _report_lost(connection)
    _abort(connection)
    await close_stream(unsent)


def _abort(connection: Connection) -> None:
    """Abort without a response: the task was cancelled, or the program ends."""
    connection.release()
    with contextlib.suppress(RuntimeError):  # a task may be destroyed after its loop
        connection.abort()


async def _end_unsent(connection: Connection) -> None:
    """End a request whose response is not sent, because the client does not wait for it."""
    unsent = stream_of(connection.response)
    if connection.state == SWITCHED:
        connection.release()
    elif not _cut_opened(connection):
        _report_lost(connection)
        connection.finish(False)
    await close_stream(unsent)


def _cut_opened(connection: Connection) -> bool:
    """Cut the `OpenResponse` that the application has left, if any; return whether there was one.

    It reports itself, with the bytes that were sent.
    """
    if connection.opened is None:
        return False
    connection.opened.cut()
    connection.responded = None  # otherwise request and connection keep each other
    return True


def _report_lost(connection: Connection) -> None:
    """Report a request that gets no answer, so that access logs show it."""
    response = connection.response
    if connection.on_answered is None or response is None or connection.state == SWITCHED:
        return
    report(connection.on_answered, connection.request, response, 0)


# Sending the response.


def send(
    connection: Connection, head: Head, response: Response | None
) -> Coroutine[Any, Any, None] | None:
    """Send the response; return a coroutine to await if it can't be sent at once."""
    request, made = connection.request, connection.response
    given: Any
    given = response = missing(connection, head) if response is None else response
    date = connection.registry.date
    try:
        request.method = head.method  # as received: the application may have changed it
        keep_alive = request.keep_alive = may_go_on(connection, request, response)
        common = serialize_common_response(request, response, date) if keep_alive else None
        serialized = common or serialize_response(request, response, date)
        request.keep_alive = serialized[4]
    except EXITS:
        raise
    except BaseException as error:  # noqa: BLE001 - a header's `str()` may raise anything
        if isinstance(error, AttributeError) and not isinstance(given, Response):
            error = InvalidResponse(f"it is a {type(given).__name__}, not a Response")
        response = unsendable(connection, head, error)
        serialized = serialize_plain(connection, head, response)
    if connection.reader.body is not None:
        connection.reader.body.answer_begins()
    start, body, stream, _, keep_alive = serialized
    unsent = NONE if response is made else _unsent(response, made, given)
    if stream is not None or len(body) > SLICE or unsent:
        return connection.exchange.send(head, Serialized(*serialized), response, unsent)
    connection.writer.write(start + body)
    if connection.on_answered is None:
        connection.finish(keep_alive)
    else:
        size = 0 if connection.writer.lost else len(body)
        end(connection, connection.request, response, size, keep_alive=keep_alive)
    return None


def _unsent(sent: Response, made: Any, given: Any) -> list[Any]:
    """Return the streams of unsent responses: of `app.Response`, and of the returned one."""
    kept = stream_of(sent)
    streams: list[Any] = []
    for response in (made, given):
        stream = None if response is sent else stream_of(response)
        if stream is not None and not any(stream is one for one in (kept, *streams)):
            streams.append(stream)
    return streams


def may_go_on(connection: Connection, request: Request, response: Response) -> bool:
    """Decide whether the connection stays open after this response."""
    if connection.must_close or not request.keep_alive:
        return False
    body = connection.reader.body
    if body is None:
        return True
    if body.receiving:
        too_large = response.status is HTTPStatus.REQUEST_ENTITY_TOO_LARGE
        return body.worth_skipping and not too_large
    return body.complete


def serialize_in_python(
    request: Request, response: Response, date: str
) -> tuple[bytes, bytes, None, None, bool] | None:
    """Return the result of `serialize_response` for a common, short response; None for others.

    The result is a plain tuple, because a named tuple costs 0.2 us.
    """
    body = response.body
    if type(body) is str:
        body = body.encode()
    if type(body) is not bytes or len(body) > SLICE:
        return None
    if request.version != "1.1" or request.method in BODILESS_METHODS or response._own_status:  # noqa: SLF001
        return None
    status, headers = response._status, response.headers  # noqa: SLF001 - a property takes 0.1 us
    if body and "Content-Type" not in headers and response.add_content_type:
        date += BYTES_TYPE if body is response.body else TEXT_TYPE
    head = serialize_common(status, headers, response.cookie_lines, body, date)
    return None if head is None else (head, body, None, None, True)


serialize_common_response = serialize_in_python
if is_native:
    from .._core import native

    serialize_common_response = native.serialize_common


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
