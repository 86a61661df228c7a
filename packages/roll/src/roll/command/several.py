"""`roll run --workers N`: several processes, managed by gunicorn with Roll's worker."""

from __future__ import annotations

import argparse
import math
import os
from collections.abc import Sequence
from typing import Any, Final

from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter
from gunicorn.errors import AppImportError

from .loading import BrokenModule, LoadError
from .preparing import given_limits, load_application, place_of

__all__ = ["Gunicorn", "Master", "descriptors", "serve"]

SUCCESSOR: Final = "GUNICORN_PID"
"""An environment variable: gunicorn sets it when a new master replaces the old (SIGUSR2)."""


class Gunicorn(BaseApplication):  # type: ignore[misc] # gunicorn has no types
    """The settings and the application, for gunicorn's master and its workers.

    `fds` are the descriptors of the listening sockets.
    """

    keeps_limits = True
    """Whether the worker keeps the `keep_alive_timeout` of the application.

    Otherwise gunicorn's default would replace it. A setting of gunicorn cannot carry it, because
    that is a number of whole seconds.
    """

    def __init__(self, options: argparse.Namespace, fds: Sequence[int] = ()) -> None:
        self._options = options
        self._fds = fds
        super().__init__()

    def load_config(self) -> None:
        """Apply the options of the command line; read no configuration file."""
        for name, value in settings(self._options).items():
            self.cfg.set(name, value)
        if self._fds:
            self.cfg.set("bind", [f"fd://{number}" for number in self._fds])

    def load(self) -> Any:
        """Load the application in a worker; if that fails, the master stops."""
        try:
            return load_application(self._options)
        except BrokenModule as broken:
            raise AppImportError(broken.traceback) from None
        except LoadError as error:
            raise AppImportError(str(error)) from None

    def run(self) -> None:
        """Serve until a signal ends the master.

        Raises:
            SystemExit: the master has ended.
        """
        Master(self, inherited=bool(self._options.fd)).run()


class Master(Arbiter):  # type: ignore[misc] # gunicorn has no types
    """The master of gunicorn; the files of `inherited` Unix sockets belong to another process."""

    def __init__(self, app: Gunicorn, *, inherited: bool) -> None:
        self._inherited = inherited
        super().__init__(app)

    def handle_int(self) -> None:
        """End gracefully at the first Ctrl-C, as a single process does, and as at SIGTERM.

        At a second one in a terminal, which sends it to all processes, the workers end at once.
        gunicorn's own master would send them SIGQUIT at the first one.
        """
        self.handle_term()

    def stop(self, graceful: bool = True) -> None:
        """End the workers, and remove the files of Unix sockets that this process has made."""
        if self._inherited:
            self.systemd = True  # gunicorn keeps the files of systemd's sockets
        super().stop(graceful)


def serve(options: argparse.Namespace) -> None:
    """Serve until a signal ends gunicorn.

    Raises:
        SystemExit: gunicorn has ended, or the server cannot listen there.
    """
    Gunicorn(options, descriptors(options)).run()


def descriptors(options: argparse.Namespace) -> list[int]:
    """Return the descriptors of bound sockets.

    gunicorn tries five times to bind an address, and fails with a traceback if a descriptor is not
    a socket. So this binds the sockets, as for a single process.

    Raises:
        SystemExit: the server cannot listen there; the message says why.
    """
    if SUCCESSOR in os.environ:
        return []  # the old master passes its sockets on
    if options.fd:
        # Otherwise gunicorn would take the sockets of systemd a second time.
        os.environ.pop("LISTEN_PID", None)
    umask = os.umask(0)  # as in gunicorn: a proxy of another user can connect
    try:
        return [sock.detach() for sock in place_of(options).bind()]
    finally:
        os.umask(umask)


def settings(options: argparse.Namespace) -> dict[str, Any]:
    limits = given_limits(options)
    found = {
        "workers": options.workers,
        "worker_class": "roll.worker.Worker",
        "certfile": options.cert,
        "keyfile": options.key,
        "proc_name": options.application or "roll",
    }
    if "graceful_timeout" in limits:
        found["graceful_timeout"] = math.ceil(limits["graceful_timeout"])
    return found
