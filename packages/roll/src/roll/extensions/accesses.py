"""`access_log`: a line for each answered request."""

from __future__ import annotations

from ..application import Roll
from ..logs.batches import AccessLog
from ..logs.lines import format_of
from ..logs.signals import GUARD
from ..logs.targets import Target, is_path, opener_of
from .observing import observe

__all__ = ["access_log", "keep_open"]


def access_log(app: Roll, target: Target = None, format: str = "text") -> AccessLog:  # noqa: A002 - the usual name
    """Write a line for each request after its response was sent; return the log.

    `target` is a path, an open descriptor, or a stream: by default `sys.stdout`. `format` is
    `"text"`, the Common Log Format followed by the duration in seconds; `"json"`, an object per
    line; or a format. A format has names: `%(peer)s`, `%(time)s`, `%(method)s`, `%(url)s`,
    `%(path)s`, `%(query)s`, `%(version)s`, `%(status)d`, `%(bytes)d` (of the body), `%(duration)f`
    (seconds), `%(referer)s`, `%(agent)s`, and header fields as `%({Host}i)s` of the request and
    `%({Content-Type}o)s` of the response. Text of clients cannot end a line or a field.

    Lines are written in batches: after 100 ms or 64 KiB, at shutdown, and before a signal ends the
    process. The event loop never waits for the reader of the log. On SIGUSR1 and SIGHUP a path is
    opened again. Lines that cannot be written are lost; the logger `roll` reports this once.

    Raises:
        ValueError: `target` or `format` is invalid.
        OSError: the target cannot be opened; raised at startup.
    """
    log = AccessLog(format_of(format), opener_of(target))
    observe(app, log.add)
    keep_open(app, log, reopens=is_path(target))
    return log


def keep_open(app: Roll, log: AccessLog, *, reopens: bool) -> None:
    """Open a log at startup, close it at shutdown, and reopen it at the event `reopen_logs`."""

    def begin() -> None:
        log.open()
        GUARD.add(app, log, reopens=reopens)

    @app.listen("shutdown")
    def end() -> None:
        GUARD.remove(log)
        log.close()

    app.listen("reopen_logs")(log.reopen)
    app.at_startup(begin)
