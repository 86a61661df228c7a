"""What becomes of an exception: a response that is safe to show, an event, a line in the log."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from roll_http import ClientDisconnected, HttpError

if TYPE_CHECKING:
    from .application import Roll

__all__ = ["Unexpected", "answer_error", "log_error"]

logger = logging.getLogger("roll")


class Unexpected(HttpError):
    """The 500 that an exception of any other kind became: its `__context__`."""

    def __init__(self, error: Exception) -> None:
        super().__init__(HTTPStatus.INTERNAL_SERVER_ERROR)
        self.__context__ = error


async def answer_error(app: Roll, request: Any, response: Any, error: Exception) -> None:
    """Set `response` from `error`, and send the event `error`; raises nothing."""
    if isinstance(error, ClientDisconnected):
        # Nobody is there to be answered, and nobody is to blame.
        response.status = HTTPStatus.BAD_REQUEST
        return
    shown = error if isinstance(error, HttpError) else hidden(app, request, error)
    try:
        fill(response, shown)
        if "error" in app.hooks:
            await app.hook("error", request, response, shown)
    except Exception as failure:  # noqa: BLE001 - an error in an error listener is answered too
        fill(response, hidden(app, request, failure))
    label(response)


def hidden(app: Roll, request: Any, error: Exception) -> Unexpected:
    """Log `error`, and return the 500 that shows nothing of it."""
    log_error(app, f"{request.method} {request.path}", error)
    return Unexpected(error)


def log_error(app: Roll, where: str, error: BaseException) -> None:
    if app.log_errors:
        logger.error("Unexpected exception: %s", where, exc_info=error)


def fill(response: Any, error: HttpError) -> None:
    """Set the status, the body and the headers of `response`."""
    response.status = error.status
    message = error.message
    if message is None:
        message = response.status.phrase
    response.body = message if isinstance(message, bytes) else str(message)
    if response.headers:
        # A length that the handler had set is not the one of this body.
        for name in [name for name in response.headers if name.lower() == "content-length"]:
            del response.headers[name]
    headers = getattr(error, "headers", None)
    if headers:
        response.headers.update(headers)


def label(response: Any) -> None:
    """Say that the text of an error is plain, unless its type is known.

    What it repeats of a request is never to be read as HTML, by whomever it was written.
    """
    headers = response.headers
    labelled = headers and "content-type" in map(str.lower, headers)
    if isinstance(response.body, str) and not labelled:
        headers["Content-Type"] = "text/plain; charset=utf-8"
