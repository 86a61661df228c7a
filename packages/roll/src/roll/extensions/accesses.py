"""`access_log`: a line for each request, once it has been answered."""

from __future__ import annotations

from ..application import Roll
from ..logs.batches import AccessLog
from ..logs.lines import format_of
from ..logs.signals import GUARD
from ..logs.targets import Target, is_path, opener_of
from .observing import observe

__all__ = ["access_log", "keep_open"]


def access_log(app: Roll, target: Target = None, format: str = "text") -> AccessLog:  # noqa: A002 - the word of the matter
    """Write a line for each request, once its answer has gone; return the log.

    `target` is a path, an open descriptor, or a stream: by default `sys.stdout`. `format` is
    `"text"`, the Common Log Format with the seconds it took behind it; `"json"`, an object a line;
    or a format with `%(peer)s`, `%(time)s`, `%(method)s`, `%(url)s`, `%(path)s`, `%(query)s`,
    `%(version)s`, `%(status)d`, `%(bytes)d` (of the body), `%(duration)f` (seconds),
    `%(referer)s`, `%(agent)s`, and header fields as `%({Host}i)s` of the request and
    `%({Content-Type}o)s` of the response. What clients send can end no line, and no field.

    Lines are written in batches, after 100 ms or 64 KiB, at shutdown, and before the process dies
    of a signal. The event loop never waits for who reads them. SIGUSR1 and SIGHUP have a path
    opened anew. What cannot be written is lost, which is told once on the logger `roll`.

    Raises:
        ValueError: `target` or `format` is none.
        OSError: at startup, the target cannot be opened.
    """
    log = AccessLog(format_of(format), opener_of(target))
    observe(app, log.add)
    keep_open(app, log, reopens=is_path(target))
    return log


def keep_open(app: Roll, log: AccessLog, *, reopens: bool) -> None:
    """Open a log at startup, close it at shutdown, and open it anew when that is asked for."""

    def begin() -> None:
        log.open()
        GUARD.add(app, log, reopens=reopens)

    @app.listen("shutdown")
    def end() -> None:
        GUARD.remove(log)
        log.close()

    app.listen("reopen_logs")(log.reopen)
    app.at_startup(begin)
