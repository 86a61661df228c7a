"""`simple_server`: an application served from its own script."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from roll_http import Limits, Server, serve_until_signalled, throttle_accept_errors

from ..loops import new_event_loop

if TYPE_CHECKING:
    from ..application import Roll

__all__ = ["simple_server"]

# What shells see of a process that SIGINT has ended.
INTERRUPTED: Final = 130

HIGHEST_PORT: Final = 65535


def simple_server(
    app: Roll,
    port: int = 3579,
    host: str = "127.0.0.1",
    quiet: bool = False,
    *,
    limits: Limits | None = None,
) -> None:
    """Serve `app` until Ctrl-C or SIGTERM, then let the running requests end.

    The event `startup` is sent before it listens, `shutdown` when all is over. A port of 0 takes
    a free one. `limits` replace those of the application. Unless `quiet`, says on the standard
    output where it listens.

    Raises:
        ValueError: the port is none.
        SystemExit: it cannot listen there; says why.
    """
    port = checked_port(port)
    if limits is not None:
        app.limits = limits
    say = keep_quiet if quiet else announce
    try:
        with asyncio.Runner(loop_factory=new_event_loop) as runner:
            runner.run(serve(app, host, port, say))
    except KeyboardInterrupt:
        # Before or after it served: nobody wants to see where.
        raise SystemExit(INTERRUPTED) from None


def checked_port(port: Any) -> int:
    """Return a port as a number; environment variables give it as text."""
    text = str(port)
    digits = len(text) <= len(str(HIGHEST_PORT)) and text.isascii() and text.isdigit()
    if not digits or int(text) > HIGHEST_PORT:
        raise ValueError(f"`port` is a number from 0 to {HIGHEST_PORT}, not {port!r}")
    return int(text)


def keep_quiet(_: str) -> None:
    """Say nothing."""


def announce(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


async def serve(app: Roll, host: str, port: int, say: Callable[[str], Any]) -> None:
    loop = asyncio.get_running_loop()
    throttle_accept_errors(loop)
    await app.startup()
    try:
        server = Server(app.factory, app.limits)
        await listen(server, host, port)
        # Said once signals are waited for: who reads it may send one at once.
        loop.call_soon(say, f"Rolling on {address(host, server)}")
        await serve_until_signalled(server)
        say("Bye.")
    finally:
        await app.shutdown()


async def listen(server: Server, host: str, port: int) -> None:
    try:
        await server.listen(host, port)
    except OSError as error:
        raise SystemExit(f"Cannot listen on {host}:{port}: {error.strerror or error}") from None


def address(host: str, server: Server) -> str:
    port = server.sockets[0].getsockname()[1]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
