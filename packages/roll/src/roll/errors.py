"""Handling of exceptions: a safe response, the event `error`, and a line in the log."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Container, Mapping
from contextvars import ContextVar
from http import HTTPStatus
from typing import Any, Final, Protocol

from roll_http import ClientDisconnected, HttpError
from roll_http.cancellation import is_cancelled, is_closed
from roll_http.connection.closing import close_stream, stream_of

from .callables import refuse_awaitable
from .media_types import media_type

__all__ = [
    "UNEXPECTED",
    "SendsErrors",
    "Unexpected",
    "answer_error",
    "drop",
    "ends_task",
    "fill",
    "forget_lifetime",
    "give_up",
    "log_error",
    "notify",
    "readable",
    "set_fields",
    "take_note",
    "what",
]

logger = logging.getLogger("roll")

UNEXPECTED: Final[ContextVar[list[BaseException] | None]] = ContextVar("UNEXPECTED", default=None)
"""The list in which test clients keep the unexpected exceptions of a connection."""

# Fields that describe the handler's own body (RFC 9110 8). The type is not in the list, because it
# may also be the type of the error's message.
OF_ANOTHER_BODY: Final = frozenset(
    {"content-encoding", "content-length", "content-range", "etag", "last-modified"}
)


LIFETIMES: Final = frozenset(
    {"cache-control", "cdn-cache-control", "expires", "surrogate-control"}
)
"""The fields that tell how long caches keep a response (RFC 9111 5, RFC 9213)."""


# Browsers show these types as text, or do not show them.
HARMLESS: Final = r"text/plain|application/(?:[^/+]+\+)?json"


class SendsEvents(Protocol):
    """An application that sends events."""

    def hook(self, name: str, /, *args: Any) -> Any:
        """Send an event; await the result."""
        ...


class KeepsTasks(Protocol):
    """What waits at the stop for tasks that nothing else awaits."""

    def keep(self, task: Any) -> None:
        """Keep a task that already runs."""
        ...


class SendsErrors(SendsEvents, Protocol):
    """An application whose errors are answered."""

    log_errors: bool
    hooks: dict[str, Any]

    @property
    def kept_tasks(self) -> KeepsTasks:
        """The tasks that the application keeps."""
        ...


class Unexpected(HttpError):
    """The 500 for an exception other than an `HttpError`, which is its `__context__`.

    Its `message` is the text of the exception, for listeners. `fill` never sends it.
    """

    def __init__(self, error: BaseException) -> None:
        super().__init__(HTTPStatus.INTERNAL_SERVER_ERROR, text_of(error))
        self.__context__ = error


def text_of(error: BaseException) -> str | None:
    """Return the text of any exception; None if its `__str__` fails."""
    try:
        return str(error)
    except Exception:  # noqa: BLE001 - the `__str__` of a foreign class may raise anything
        return None


async def answer_error(
    app: SendsErrors, request: Any, response: Any, error: BaseException
) -> None:
    """Set `response` from `error`, and send the event `error`.

    Raises only exceptions that end the task.
    """
    if isinstance(error, ClientDisconnected):
        # The client is gone, and the application made no mistake.
        response.status = HTTPStatus.BAD_REQUEST
        return
    shown = error if isinstance(error, HttpError) else Unexpected(error)
    if shown is not error:
        take_note(error)
        if app.log_errors:
            log_error(what(request), error)
    close_replaced(app, response)
    try:
        fill(response, shown)
        if "error" in app.hooks:
            await app.hook("error", request, response, shown)
    except BaseException as failure:
        if ends_task(failure, request):
            raise
        take_note(failure)
        log_error(what(request), failure)  # always log it: no event reports it
        close_replaced(app, response)
        fill(response, Unexpected(failure))
    label(response, request.path)


def answer_at_once(app: SendsErrors, request: Any, response: Any, error: HttpError) -> bool:
    """Set `response` from `error` as `answer_error` does.

    Return False if `error` has listeners, or if the response has a stream to close. Raises the
    exceptions that `answer_error` logs.
    """
    if "error" in app.hooks or stream_of(response) is not None:
        return False
    fill(response, error)
    label(response, request.path)
    return True


def close_replaced(app: SendsErrors, response: Any) -> None:
    """Close the streamed body of a response that an error replaces: nobody else knows it.

    The answer does not wait for that: it may take as long as a dead server behind a proxy.
    """
    stream = stream_of(response)
    if stream is not None:
        app.kept_tasks.keep(asyncio.ensure_future(close_stream(stream)))


def ends_task(error: BaseException, request: Any = None) -> bool:
    """Tell whether an exception ends the task or the program; else it must be answered.

    A task goes on if it only awaited something cancelled, or if its task group has failed, or if
    the application has raised a `GeneratorExit` while it answered `request`.
    """
    if isinstance(error, GeneratorExit):
        exchange = getattr(getattr(request, "protocol", None), "exchange", None)
        return exchange is None or is_closed(exchange.task)
    if isinstance(error, KeyboardInterrupt | SystemExit):
        return True
    return not isinstance(error, Exception) and is_cancelled()


def give_up(request: Any, response: Any) -> None:
    """Set the status of a response whose task is cancelled: it is only shown in logs."""
    gone = getattr(request.protocol, "gone", False)
    response.status = HTTPStatus.BAD_REQUEST if gone else HTTPStatus.SERVICE_UNAVAILABLE


def what(request: Any) -> str:
    return f"{request.method} {readable(request.url)}"


def readable(url: bytes) -> str:
    """Return a request target as text that cannot forge a line of the log."""
    return url.decode("ascii", "backslashreplace")


def take_note(error: BaseException) -> None:
    """Keep an unexpected exception for the test that caused it."""
    seen = UNEXPECTED.get()
    if seen is not None:
        seen.append(error)


def log_error(where: str, error: BaseException) -> None:
    logger.error("Unexpected exception: %s", where, exc_info=error)


async def notify(app: SendsEvents, event: str, *args: Any) -> None:
    """Send an event; log an exception of its listeners."""
    try:
        await app.hook(event, *args)
    except BaseException as error:
        if ends_task(error, *args[:1]):
            raise
        log_error(f"listener of {event}", error)


def fill(response: Any, error: HttpError) -> None:
    """Set the status, the body and the headers of `response`."""
    response.status = error.status
    hidden = isinstance(error, Unexpected)
    message = (not hidden and error.message) or response.status.phrase
    response.body = message if isinstance(message, str | bytes) else text_of_message(message)
    if response.headers:
        drop(response.headers, OF_ANOTHER_BODY)
        forget_type(response)
    headers = getattr(error, "headers", None)
    if headers:
        set_fields(response.headers, headers)


def forget_type(response: Any) -> None:
    """Remove the type that the handler set for its own body, unless it is harmless.

    The message of an error may repeat what a client has sent: as HTML, it would run the client's
    scripts. Text without a `<` is not markup, so its type stays. An error sets its own type in
    `headers`, or a listener sets it.
    """
    body = response.body
    has_markup = (b"<" if isinstance(body, bytes) else "<") in body
    for name in [name for name in response.headers if name.lower() == "content-type"]:
        kind = media_type(str(response.headers[name]))
        if not kind or (has_markup and not re.fullmatch(HARMLESS, kind)):
            del response.headers[name]


def text_of_message(message: object) -> str:
    refuse_awaitable(message, "The message of an `HttpError`")
    return str(message)


def set_fields(headers: dict[str, Any], fields: Mapping[str, Any]) -> None:
    """Set header fields; replace fields of the same names in any case of letters."""
    if headers:
        drop(headers, {name.lower() for name in fields})
    headers.update(fields)


def drop(headers: dict[str, Any], names: Container[str]) -> None:
    """Remove the fields of these names, given in lower case, in all their spellings."""
    for name in [name for name in headers if name.lower() in names]:
        del headers[name]


def forget_lifetime(headers: dict[str, Any]) -> None:
    """Remove the fields that let caches keep the content that an error replaces (RFC 9111 3).

    A cache would answer later requests with the error. `no-store` stays.
    """
    for name in [name for name in headers if name.lower() in LIFETIMES]:
        if "no-store" not in str(headers[name]).lower():
            del headers[name]


def label(response: Any, path: str) -> None:
    """Send the text of an error as `text/plain`, unless its type is set.

    Text that repeats markup of the request's path is always `text/plain`, so that browsers never
    run it as HTML (XSS). Text without a `<` is not markup, so its type stays.
    """
    headers, body = response.headers, response.body
    if not isinstance(body, str):
        return
    if headers and "<" in body and body in path:
        drop(headers, {"content-type"})
    if not headers or "content-type" not in map(str.lower, headers):
        headers["Content-Type"] = "text/plain; charset=utf-8"
