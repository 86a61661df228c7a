"""The upgrade of a request to a websocket: its handshake, events and handler."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from http import HTTPStatus
from inspect import isawaitable
from typing import Any, Final, Protocol

from roll_http import HttpError, each_field

from .arguments import Arguments
from .errors import ends_task, log_error, notify, readable, take_note
from .results import ResultAdvice
from .stop_notice import StopNotice
from .views import Endpoint, Refused

__all__ = ["TakesWebsockets", "close_unless_upgraded", "converse", "fields_of"]


NO_SWITCH: Final = "The server has no websockets: its HttpProtocol has no `switch`"


class TakesWebsockets(Protocol):
    """The part of an application that websocket routes need."""

    log_errors: bool
    result_advice: ResultAdvice
    stop_notice: StopNotice
    WebsocketProtocol: Callable[..., Any]

    def hook(self, name: str, /, *args: Any) -> Any:
        """Send an event; the result is awaitable."""
        ...


async def converse(
    app: TakesWebsockets,
    endpoint: Endpoint,
    request: Any,
    response: Any,
    arguments: Arguments | None,
) -> Any:
    """Accept the upgrade and run the handler until the connection has ended.

    `arguments` makes the arguments of the handler; None if they are the placeholders as they are.

    Raises:
        HttpError: the handshake is refused, or the connection does not support websockets.
            Nothing has been sent yet.
    """
    # A protocol of ASGI has its own websocket class.
    make = getattr(request.protocol, "websocket", app.WebsocketProtocol)
    ws = make(request)
    codec = getattr(app, "JSON", None)
    if codec is not None:
        ws.JSON = codec
    # Report a lost connection to HTTP too, for `disconnected` and `cancel_on_disconnect`.
    ws.on_lost = getattr(request.protocol, "eof_received", None)
    # If the upgrade fails, the connection must close: frames may follow the handshake, and they
    # must not be parsed as requests.
    request.keep_alive = False
    head = handshake(ws, endpoint, response)
    switch_of(request.protocol)(ws, head)
    try:
        await ws.run(session(app, endpoint, request, ws, arguments))
    except BaseException as error:
        if ends_task(error, request):
            raise
        await report(app, "websocket_error", request, ws, error)
    finally:
        await notify(app, "websocket_disconnect", request, ws)
        report_end(request, response, ws)
    return response


def switch_of(connection: Any) -> Callable[[Any, bytes], Any]:
    """Return the method `switch` of a connection, which hands it over to a websocket.

    Raises:
        HttpError: 501, because the connection class does not support websockets.
    """
    switch: Callable[[Any, bytes], Any] | None = getattr(connection, "switch", None)
    if switch is None:
        raise HttpError(HTTPStatus.NOT_IMPLEMENTED, NO_SWITCH)
    return switch


def report_end(request: Any, response: Any, ws: Any) -> None:
    """Report the end of a websocket as an answer, because the HTTP side does not see it."""
    response.status = HTTPStatus.SWITCHING_PROTOCOLS
    report = getattr(request.protocol, "on_answered", None)
    if report is not None:
        report(request, response, getattr(ws, "bytes_sent", 0))


def close_unless_upgraded(request: Any) -> None:
    """Close the connection after the answer to a websocket handshake that was not upgraded.

    A listener may have answered, or the method or path may not belong to a websocket route.
    """
    names = request.upgrade.lower().split(",")
    if "websocket" in map(str.strip, names):
        request.keep_alive = False


def handshake(ws: Any, endpoint: Endpoint, response: Any) -> bytes:
    from roll_websocket import HandshakeError  # noqa: PLC0415 - see `deferred`

    try:
        head: bytes = ws.handshake(fields_of(response), **(endpoint.websocket or {}))
    except HandshakeError as error:
        raise Refused(error.status, error.message, dict(error.headers)) from error
    return head


def fields_of(response: Any, others: Iterable[tuple[str, str]] = ()) -> list[tuple[str, str]]:
    """Return the fields of a handshake: those of a response, `others`, and the cookies.

    The values go out as UTF-8, as with any other answer: each character stands for a byte.
    """
    fields = [*each_field(response.headers), *others]
    fields += [("Set-Cookie", cookie) for cookie in response.cookie_lines]
    return [
        (name, text.encode(errors="surrogateescape").decode("latin-1")) for name, text in fields
    ]


async def session(
    app: TakesWebsockets, endpoint: Endpoint, request: Any, ws: Any, arguments: Arguments | None
) -> None:
    for name, value in endpoint.settings:
        setattr(request, name, value)
    await app.hook("websocket_connect", request, ws)
    route = request.route
    given = route.vars if arguments is None else arguments.of(route.vars)
    handler = route.payload[endpoint.method]
    result = handler(request, ws, **given)
    if isawaitable(result):
        result = await result
    if result is not None:
        app.result_advice.look_at(handler, result, (request, ws), "write `await ws.send(...)`")
    if app.stop_notice.given:
        await go_away(ws)


async def go_away(ws: Any) -> None:
    """Close with 1001: the notice of the stop has ended the handler, and the client may return."""
    shutdown = getattr(ws, "shutdown", None)
    if shutdown is not None:
        shutdown()
        await asyncio.sleep(0)  # that of ASGI closes in a task


async def report(
    app: TakesWebsockets, event: str, request: Any, ws: Any, error: BaseException
) -> None:
    take_note(error)
    if app.log_errors:
        log_error(f"websocket {readable(request.url)}", error)
    await notify(app, event, request, ws, error)
