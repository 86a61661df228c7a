"""`logger`: a line for each request."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from typing import Any, Final
from weakref import WeakKeyDictionary

from ..application import Roll
from ..errors import readable
from ..observe import report_exchanges
from .checks import check_access_format, check_handler, checked_level

__all__ = ["logger"]

EXAMPLE: Final = {
    "peer": "127.0.0.1",
    "method": "GET",
    "url": "/",
    "version": "1.1",
    "status": 200,
    "bytes": 2**40,
    "duration": 0.1,
}
"""The fields of an access log."""


def logger(
    app: Roll,
    level: int | str = logging.DEBUG,
    handler: logging.Handler | None = None,
    *,
    access_format: str | None = None,
) -> None:
    """Log each request, as `METHOD url`, on the logger `roll`, at INFO.

    The logger gets `level`, and `handler` from startup to shutdown. The default handler writes to
    stderr those lines that no other handler writes to the terminal. So each line appears once,
    also with several applications or with `logging.basicConfig`.

    With an `access_format`, a second line is logged after the response. It may have `%(peer)s`,
    `%(method)s`, `%(url)s`, `%(version)s`, `%(status)d`, `%(bytes)d` (of the body) and
    `%(duration)f` (seconds).

    Raises:
        ValueError: the level is unknown, `handler` is not a handler, or the format cannot be
            filled in.
    """
    check_handler("handler", handler)
    check_access_format("access_format", access_format, EXAMPLE)
    log = logging.getLogger("roll")
    log.setLevel(checked_level("level", level))
    handlers: list[logging.Handler] = []

    def add_handler() -> None:
        # Make the handler late: `sys.stderr` may have been replaced by then.
        handlers.append(handler or terminal_handler(log))
        uses[handlers[-1]] = uses.get(handlers[-1], 0) + 1
        log.addHandler(handlers[-1])

    @app.listen("shutdown")
    def remove_handler() -> None:
        while handlers:
            leave(log, handlers.pop())

    app.at_startup(add_handler)
    listeners = app.hooks.setdefault("headers", [])
    if log_request not in listeners:
        # This listener is the first one, so that no other can end the chain before it.
        listeners.insert(0, log_request)
    if access_format is not None:
        log_accesses(app, access_format)


def log_request(request: Any) -> None:
    logging.getLogger("roll").info("%s %s", request.method, readable(request.url))


# The number of applications that use a handler. It is global, as loggers are.
uses: WeakKeyDictionary[logging.Handler, int] = WeakKeyDictionary()


def leave(log: logging.Logger, handler: logging.Handler) -> None:
    """Remove a handler from a logger, unless another application uses it."""
    uses[handler] -= 1
    if not uses[handler]:
        log.removeHandler(handler)


def terminal_handler(log: logging.Logger) -> logging.Handler:
    """Return the terminal handler of a logger; make one if there is none."""
    found = (one for one in log.handlers if isinstance(one, TerminalHandler))
    return next(found, None) or TerminalHandler()


class TerminalHandler(logging.StreamHandler[Any]):
    """A handler that writes to stderr the records that no other writes to the terminal."""

    def emit(self, record: logging.LogRecord) -> None:
        others = handlers_of(logging.getLogger(record.name))
        if not any(writes_on_terminal(one) for one in others if one is not self):
            super().emit(record)


def handlers_of(log: logging.Logger | None) -> Iterator[logging.Handler]:
    """Yield the handlers that get the records of a logger."""
    while log is not None:
        yield from log.handlers
        log = log.parent if log.propagate else None


def writes_on_terminal(handler: logging.Handler) -> bool:
    stream = getattr(handler, "stream", None)
    streams = (sys.stderr, sys.stdout, sys.__stderr__, sys.__stdout__)
    return stream is not None and any(stream is one for one in streams)


def log_accesses(app: Roll, access_format: str) -> None:
    log = logging.getLogger("roll")

    def report(request: Any, response: Any, length: int, duration: float) -> None:
        fields = {
            "peer": request.client[0] if request.client else "-",
            "method": request.method,
            "url": readable(request.url),
            "version": request.version,
            "status": response.status.value,
            "bytes": length,
            "duration": duration,
        }
        log.info(access_format, fields)

    report_exchanges(app, report)
