"""What becomes of an exception: a response that is safe to show, an event, a line in the log."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from roll_http import ClientDisconnected, HttpError

if TYPE_CHECKING:
    from .application import Roll

__all__ = ["answer_error", "log_error"]

logger = logging.getLogger("roll")


async def answer_error(app: Roll, request: Any, response: Any, error: Exception) -> None:
    """Set `response` from `error`, and send the event `error`; raises nothing."""
    if isinstance(error, ClientDisconnected):
        # Nobody is there to be answered, and nobody is to blame.
        response.status = HTTPStatus.BAD_REQUEST
        return
    shown = error if isinstance(error, HttpError) else hidden(app, request, error)
    try:
        text = fill(response, shown)
        if "error" in app.hooks:
            await app.hook("error", request, response, shown)
    except Exception as failure:  # noqa: BLE001 - an error in an error listener is answered too
        text = fill(response, hidden(app, request, failure))
    if response.body is text:
        label(response)


def hidden(app: Roll, request: Any, error: Exception) -> HttpError:
    """Return a 500 that shows nothing of `error` but has it as its context."""
    log_error(app, f"{request.method} {request.path}", error)
    shown = HttpError(HTTPStatus.INTERNAL_SERVER_ERROR)
    shown.__context__ = error
    return shown


def log_error(app: Roll, where: str, error: BaseException) -> None:
    if app.log_errors:
        logger.error("Unexpected exception: %s", where, exc_info=error)


def fill(response: Any, error: HttpError) -> object:
    """Set the status, the body and the headers of `response`; return the body."""
    response.status = error.status
    message = response.status.phrase if error.message is None else error.message
    response.body = message if isinstance(message, bytes) else str(message)
    if response.headers:
        # A length that the handler had set is not the one of this body.
        for name in [name for name in response.headers if name.lower() == "content-length"]:
            del response.headers[name]
    headers = getattr(error, "headers", None)
    if headers:
        response.headers.update(headers)
    return response.body


def label(response: Any) -> None:
    """Say that the text of an error is plain: what it repeats is never to be read as HTML."""
    if isinstance(response.body, str) and "content-type" not in map(str.lower, response.headers):
        response.headers["Content-Type"] = "text/plain; charset=utf-8"
