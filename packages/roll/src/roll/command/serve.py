"""`roll run`: serve an application in this process or in several."""

from __future__ import annotations

import argparse
import os
import sys
import traceback

from roll_http import Limits

from ..extensions.forwarded import Trusted
from ..extras import need
from ..failure import ELSEWHERE, failed
from ..serving import run
from .following import follow
from .loading import BrokenModule, LoadError
from .preparing import given_limits, is_local, load_application, place_of, say, tls_of

__all__ = ["call"]


def call(options: argparse.Namespace) -> int:
    """Serve until a signal ends it; return the exit code."""
    check(options)
    if options.reload and not options.reloaded:
        from .reloading import supervise  # noqa: PLC0415 - needs an extra

        return supervise(options)
    if options.workers > 1:
        need("gunicorn", "gunicorn", "--workers")
        from .several import serve  # noqa: PLC0415 - needs an extra

        serve(options)
    elif options.reloaded:
        serve_reloaded(options)
    else:
        run(load_application(options), place_of(options), say, tls_of(options), ends_process=True)
    return 0


def check(options: argparse.Namespace) -> None:
    """Raise a `ValueError` if options exclude each other, or a file cannot be used."""
    if options.key and not options.cert:
        raise ValueError("--key needs --cert, the certificate chain")
    if options.reload and options.workers > 1:
        raise ValueError("--reload is for development, with one process: leave --workers out")
    if options.workers > 1 and not hasattr(os, "fork"):
        raise ValueError("--workers needs gunicorn, which does not run on this system")
    if options.debug and not options.debug_anywhere and not is_local(options):
        raise ValueError(
            f"--debug shows source and secrets to whoever connects to {options.host}: serve on a"
            " loopback address, or say --debug-anywhere"
        )
    if options.forwarded_allow_ips is not None:
        Trusted(options.forwarded_allow_ips.split(","))
    Limits(**given_limits(options))
    place_of(options)
    tls_of(options)


def serve_reloaded(options: argparse.Namespace) -> None:
    """Serve an application in development; if it fails, serve its traceback."""
    if options.follow is not None:
        follow(options.follow)
    try:
        run(load_application(options), place_of(options), say, tls_of(options), ends_process=True)
    except BrokenModule as broken:
        serve_failure(options, broken.traceback)
    except LoadError as error:
        serve_failure(options, f"roll: {error}\n")
    except Exception:  # noqa: BLE001 - a listener of startup may raise anything
        serve_failure(options, traceback.format_exc())


def serve_failure(options: argparse.Namespace, text: str) -> None:
    """Show why the application failed, on the terminal and to local clients, until a signal."""
    sys.stderr.write(text)
    shown = text if is_local(options) else ELSEWHERE
    run(failed(shown, anywhere=False), place_of(options), say, tls_of(options), ends_process=True)
