"""`logger`: a line for each request."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from ..errors import readable
from ..observe import report_exchanges

if TYPE_CHECKING:
    from ..application import Roll

__all__ = ["logger"]


def logger(
    app: Roll,
    level: int = logging.DEBUG,
    handler: logging.Handler | None = None,
    *,
    access_format: str | None = None,
) -> None:
    """Log each request, as `METHOD url`, on the logger `roll`, at INFO.

    The logger has `level`, and from startup to shutdown `handler`, by default one that writes on
    stderr. With an `access_format` there is a second line once the request has been answered, in
    which `%(peer)s`, `%(method)s`, `%(url)s`, `%(version)s`, `%(status)d`, `%(bytes)d` (of the
    body) and `%(duration)f` (seconds) are filled in.
    """
    log = logging.getLogger("roll")
    log.setLevel(level)
    # Made when it is needed: stderr may be another one by then.
    handlers: list[logging.Handler] = []

    @app.listen("startup")
    def add_handler() -> None:
        handlers.append(handler or logging.StreamHandler())
        log.addHandler(handlers[-1])

    @app.listen("shutdown")
    def remove_handler() -> None:
        while handlers:
            log.removeHandler(handlers.pop())

    def log_request(request: Any) -> None:
        log.info("%s %s", request.method, readable(request.url))

    # First of all listeners: none can end the chain before it.
    app.hooks.setdefault("headers", []).insert(0, log_request)
    if access_format is not None:
        log_accesses(app, access_format)


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
