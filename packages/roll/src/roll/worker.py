"""The worker for gunicorn: `gunicorn mypackage.core:app --worker-class roll.worker.Worker`."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import ssl
import sys
import traceback
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from gunicorn import sock
from gunicorn.arbiter import Arbiter
from gunicorn.errors import AppImportError
from gunicorn.glogging import Logger
from gunicorn.workers.base import Worker as BaseWorker

from roll_http import throttle_accept_errors

from .alone import alone
from .application import Roll
from .extensions.accesses import keep_open
from .extensions.trusting import TrustsProxies
from .failure import failed
from .hosting import is_application
from .hurrying import Hurry
from .logs.batches import AccessLog
from .logs.descriptor import LineFile
from .logs.formats import check_widths
from .logs.gunicorn import gunicorn_format, log_access
from .logs.signals import send_reopen
from .loops import new_event_loop
from .observe import report_exchanges, when_answered
from .server import AppServer
from .stubborn import end_tasks

__all__ = ["Worker"]

HEARTBEAT: Final = 1.0
"""Seconds between two heartbeats to the master, which expects one within its `--timeout`."""

SPARE: Final = 0.5
"""Seconds of the graceful timeout that are left for `shutdown`, before the master kills."""

RETRY: Final = 1.0
"""Seconds before the master can replace a worker that failed to start."""

FAREWELL: Final = 1.0
"""Seconds before the stop in which responses ask clients to close their connections.

So no request of a proxy is lost while workers are replaced.
"""

ENDING: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)
"""The signals that ask a worker to stop."""

ACCESS_LOGS: Final = ("accesslog", "logconfig", "logconfig_dict", "logconfig_json", "syslog")
"""The settings that can make gunicorn's own logger write access logs."""


class Worker(BaseWorker):  # type: ignore[misc] # gunicorn has no types
    """A gunicorn worker that serves a Roll application on every socket that gunicorn bound."""

    def load_wsgi(self) -> None:
        """Load the application; with `--reload`, serve the traceback of one that fails to load.

        Raises:
            AppImportError: it is not an application of Roll or ASGI, or the format of the access
                log cannot be used; the master stops for either.
        """
        self._check_format()
        try:
            self.wsgi = self.app.wsgi()
        except AppImportError:
            raise
        except Exception as error:
            if not self.cfg.reload:
                raise
            self.log.exception("The application failed to load")
            for path in files_of(error):
                self.reloader.add_extra_file(path)
            self.wsgi = failed("".join(traceback.format_exception(error)))
        if not isinstance(self.wsgi, Roll) and is_application(self.wsgi):
            self.wsgi = alone(self.wsgi)
        if not isinstance(self.wsgi, Roll):
            name = getattr(self.app, "app_uri", self.wsgi)
            kind = type(self.wsgi).__qualname__
            raise AppImportError(
                f"{name!r} is of type {kind}, not an application of Roll or ASGI: if it returns"
                " one, write () behind its name"
            )

    def _check_format(self) -> None:
        try:
            check_widths("--access-logformat", self.cfg.access_log_format)
        except ValueError as error:
            raise AppImportError(str(error)) from None

    def run(self) -> None:
        """Serve until the master asks the worker to stop."""
        with asyncio.Runner(loop_factory=new_event_loop) as runner:
            try:
                runner.run(self._serve(self.wsgi))
            finally:
                runner.run(end_tasks())
            ignore_ending(runner.get_loop())

    async def _serve(self, app: Any) -> None:
        self._leave = asyncio.Event()
        self._leave_now = asyncio.Event()
        self._told = False  # whether a signal has asked to stop
        self._hurry = Hurry()
        self._take_signals()
        configure(app, self.cfg, self.log, getattr(self.app, "keeps_limits", False))
        heartbeat = asyncio.ensure_future(self._beat())
        started = False
        with self._hurry.cancels():
            tls = await self._start_up(app)
            started = True
        try:
            if started:
                await self._serve_until_told(app, tls)
        finally:
            heartbeat.cancel()

    async def _serve_until_told(self, app: Any, tls: ssl.SSLContext | None) -> None:
        try:
            await self._serve_sockets(app, tls)
        finally:
            with self._hurry.cancels():
                await app.shutdown()

    async def _start_up(self, app: Any) -> ssl.SSLContext | None:
        """Load the TLS settings and start the application; return the TLS context, if any.

        Exit the process if one of them fails.
        """
        try:
            tls = tls_context(self.cfg)
            await app.startup()
        except Exception:
            self.log.exception("The application failed to start")
            # If a first worker fails, tell the master to give up. A later worker fails alone,
            # because others may still serve.
            if self.age <= self.cfg.workers:
                sys.exit(Arbiter.WORKER_BOOT_ERROR)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._leave.wait(), RETRY)
            sys.exit(1)
        return tls

    async def _serve_sockets(self, app: Any, tls: ssl.SSLContext | None) -> None:
        server = AppServer(app, tls, lambda: self._connect(app))
        await server.serve([bound.sock for bound in self.sockets])
        await self._leave.wait()
        await self._stop(server)

    async def _drain_and_stop(self, server: AppServer) -> None:
        seconds = max(0, self.cfg.graceful_timeout - SPARE)
        farewell = min(FAREWELL, seconds / 2)
        await server.drain(farewell)
        await server.stop(seconds - farewell)

    async def _stop(self, server: AppServer) -> None:
        stopping = asyncio.ensure_future(self._drain_and_stop(server))
        hurry = asyncio.ensure_future(self._leave_now.wait())
        await asyncio.wait({stopping, hurry}, return_when=asyncio.FIRST_COMPLETED)
        hurry.cancel()
        if self._leave_now.is_set():
            stopping.cancel()
            with suppress(asyncio.CancelledError):
                await stopping
            await server.stop_now()
        else:
            await stopping

    def _connect(self, app: Any) -> Any:
        protocol = app.factory()
        if self.max_requests < sys.maxsize:
            when_answered(protocol, self._count)
        return protocol

    def _count(self, request: Any, response: Any, length: int) -> None:
        self.nr += 1
        if self.nr == self.max_requests:
            self.log.info("Autorestarting worker after current request.")
            self._leave.set()

    # Signals of the master and of the terminal.

    def _take_signals(self) -> None:
        loop = asyncio.get_running_loop()
        throttle_accept_errors(loop)
        # Behind a SIGINT that arrives together with it: at a Ctrl-C, the master sends a SIGTERM.
        # The system may call the handlers in the other order.
        loop.add_signal_handler(signal.SIGTERM, loop.call_soon, self._leave_gracefully)
        loop.add_signal_handler(signal.SIGINT, self._interrupt)
        loop.add_signal_handler(signal.SIGQUIT, self._quit)
        loop.add_signal_handler(signal.SIGUSR1, self._reopen_logs)

    def _reopen_logs(self) -> None:
        self.log.reopen_files()
        send_reopen(self.wsgi)

    def _leave_gracefully(self) -> None:
        """Stop gracefully; further calls change nothing, because gunicorn signals twice."""
        self._told = True
        self._leave.set()

    def _interrupt(self) -> None:
        """Stop gracefully; at the second Ctrl-C in a terminal, stop at once."""
        if self._told:
            self._stop_now()
        else:
            self._hurry.note()
        self._leave_gracefully()

    def _quit(self) -> None:
        self.cfg.worker_int(self)
        self._stop_now()
        self._leave_gracefully()

    def _stop_now(self) -> None:
        """Cancel the running requests, or `startup` or `shutdown` if that runs."""
        self._leave_now.set()
        self._hurry.cancel()

    async def _beat(self) -> None:
        """Send heartbeats to the master; stop if the master is gone or the code has changed."""
        while True:
            self.notify()
            if not self.alive or self.ppid != os.getppid():
                self._leave.set()
            await asyncio.sleep(HEARTBEAT)


def ignore_ending(loop: asyncio.AbstractEventLoop) -> None:
    """Ignore the signals that ask a worker to stop, after the worker has stopped.

    gunicorn sends some of them twice. A closing event loop restores their default action, so the
    second signal would end the process with an error.
    """
    for number in ENDING:
        loop.remove_signal_handler(number)
        signal.signal(number, signal.SIG_IGN)


def files_of(error: Exception) -> set[str]:
    """Return the files of the traceback of `error`; a change of one of them may repair it."""
    names = {frame.filename for frame in traceback.extract_tb(error.__traceback__)}
    if isinstance(error, SyntaxError) and error.filename is not None:
        names.add(error.filename)
    return {name for name in names if Path(name).is_file()}


def tls_context(cfg: Any) -> ssl.SSLContext | None:
    """Return the TLS context for gunicorn's settings; None without TLS.

    Raises:
        RuntimeError: this gunicorn is too old to create one.
    """
    if not cfg.is_ssl:
        return None
    if not hasattr(sock, "ssl_context"):
        raise RuntimeError("TLS needs gunicorn 21 or later")
    context: ssl.SSLContext = sock.ssl_context(cfg)
    return context


def configure(app: Any, cfg: Any, log: Any, keeps_limits: bool = False) -> None:
    """Apply gunicorn's settings to an application: keep-alive, trusted proxies, access log.

    With `keeps_limits`, the application keeps its own time for keep-alive.
    """
    if not keeps_limits:
        set_keep_alive(app, cfg.keepalive)
    for listener in app.hooks.get("headers", ()):
        if isinstance(listener, TrustsProxies):
            listener.trust(["unix", *cfg.forwarded_allow_ips])
    if (fast := fast_log(cfg, log)) is not None:
        report_exchanges(app, fast.add)
        keep_open(app, fast, reopens=False)  # on SIGUSR1, `_reopen_logs` reopens it
    # Other classes of loggers, such as that of statsd, get each exchange.
    elif type(log) is not Logger or any(getattr(cfg, name, None) for name in ACCESS_LOGS):
        report_exchanges(app, lambda *exchange: log_access(log, *exchange))


def set_keep_alive(app: Any, seconds: int) -> None:
    """Set the time for keep-alive; 0 closes each connection after its first response."""
    if seconds:
        app.limits = replace(app.limits, keep_alive_timeout=seconds)
    else:
        app.hooks.setdefault("response", []).insert(0, close_connection)


def fast_log(cfg: Any, log: Any) -> AccessLog | None:
    """Return an access log that writes the same lines as gunicorn's logger, but in batches.

    It is None if the result could differ: the logger has another class, other handlers, filters
    or formatters, or a format with environment variables.
    """
    handler = only_handler(log)
    form = gunicorn_format(cfg.access_log_format) if handler is not None else None
    if handler is None or form is None:
        return None
    return AccessLog(form, lambda: LineFile(lambda: os.dup(handler.stream.fileno())))


def only_handler(log: Any) -> Any:
    """Return the default handler of gunicorn's access log; None if anything was customised."""
    accesses = log.access_log
    if type(log) is not Logger or len(accesses.handlers) != 1 or accesses.propagate:
        return None
    (handler,) = accesses.handlers
    plain = getattr(handler.formatter, "_fmt", None) == Logger.access_fmt
    passes = handler.level <= logging.INFO and accesses.isEnabledFor(logging.INFO)
    filtered = accesses.filters or handler.filters
    own = type(handler) in {logging.StreamHandler, logging.FileHandler}
    return handler if own and plain and passes and not filtered else None


def close_connection(response: Any) -> None:
    response.headers["Connection"] = "close"
