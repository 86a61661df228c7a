"""`roll run --workers N`: several processes, run by gunicorn with the worker of Roll."""

from __future__ import annotations

import argparse
import math
from typing import Any

from gunicorn.app.base import BaseApplication
from gunicorn.errors import AppImportError

from .loading import BrokenModule, LoadError
from .preparing import given_limits, load_application

__all__ = ["Gunicorn", "serve"]


class Gunicorn(BaseApplication):  # type: ignore[misc] # gunicorn has no types
    """What gunicorn's master and its workers ask for: the settings, and the application."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._options = options
        super().__init__()

    def load_config(self) -> None:
        """Set what the command line says; no file of settings is read."""
        for name, value in settings(self._options).items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        """Load the application, in a worker; the master stops where it cannot be loaded."""
        try:
            app = load_application(self._options)
        except BrokenModule as broken:
            raise AppImportError(broken.traceback) from None
        except LoadError as error:
            raise AppImportError(str(error)) from None
        # Else gunicorn's own default would replace the limit of the application.
        self.cfg.set("keepalive", math.ceil(app.limits.keep_alive_timeout))
        return app


def serve(options: argparse.Namespace) -> None:
    """Serve until a signal ends gunicorn.

    Raises:
        SystemExit: gunicorn has ended.
    """
    Gunicorn(options).run()


def settings(options: argparse.Namespace) -> dict[str, Any]:
    limits = given_limits(options)
    found = {
        "bind": binds(options),
        "workers": options.workers,
        "worker_class": "roll.worker.Worker",
        "certfile": options.cert,
        "keyfile": options.key,
        "proc_name": options.application or "roll",
    }
    if "graceful_timeout" in limits:
        found["graceful_timeout"] = math.ceil(limits["graceful_timeout"])
    return found


def binds(options: argparse.Namespace) -> list[str]:
    if options.fd:
        return [f"fd://{number}" for number in options.fd]
    if options.unix is not None:
        return [f"unix:{options.unix}"]
    host = f"[{options.host}]" if ":" in options.host else options.host
    return [f"{host}:{options.port}"]
