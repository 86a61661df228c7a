"""`simple_server`: serve an application from its own script."""

from __future__ import annotations

import os
import sys
from os import PathLike
from ssl import SSLContext

from roll_http import Limits

from ..application import Roll
from ..listening import Place, checked_port
from ..serving import run
from ..settings import check_flag, checked_limits

__all__ = ["simple_server"]


def simple_server(
    app: Roll,
    port: int = 3579,
    host: str = "127.0.0.1",
    quiet: bool = False,
    *,
    limits: Limits | None = None,
    ssl: SSLContext | None = None,
    unix: str | PathLike[str] | None = None,
    fd: int | None = None,
    reuse_port: bool = False,
) -> None:
    """Serve `app` until Ctrl-C or SIGTERM, then let the running requests finish.

    The event `startup` is sent before the server listens, and `shutdown` after all requests have
    ended. Port 0 takes a free port. An empty `host` means all addresses. `unix`, the path of a
    Unix socket, or `fd`, the open descriptor of a listening socket (as systemd passes it),
    replaces `host` and `port`. `reuse_port` lets several processes listen on one port. `ssl` is
    the context for TLS. `limits` replace those of the application. Unless `quiet` is set, the
    server prints its address to the standard output.

    Raises:
        ValueError: an option has the wrong type or value.
        SystemExit: the server cannot listen there; the message says why.
    """
    place = Place(
        host=host,
        port=checked_port(port),
        unix=unix,
        fds=() if fd is None else (fd,),
        reuse_port=reuse_port,
    )
    check_context(ssl)
    check_flag("quiet", quiet)
    if limits is not None:
        app.limits = checked_limits(limits)
    run(app, place, keep_quiet if quiet else announce, ssl)


def check_context(context: object) -> None:
    if context is not None and not isinstance(context, SSLContext):
        raise ValueError(f"`ssl` is an ssl.SSLContext, not {context!r}")


def keep_quiet(_: str) -> None:
    """Print nothing."""


def announce(line: str) -> None:
    """Write a line to the standard output; do nothing if its reader is gone."""
    try:
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()
    except BrokenPipeError:
        # Otherwise Python tries to write the line again at exit, and prints an error.
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stdout.fileno())
        os.close(null)
