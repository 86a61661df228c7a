"""Serving an application in one process until a signal stops it."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable
from typing import Any, Final

from roll_http import serve_until_signalled, throttle_accept_errors

from .listening import Place
from .loops import new_event_loop
from .server import AppServer
from .stubborn import end_tasks

__all__ = ["run"]

# The exit code that shells expect of a process that SIGINT ended.
INTERRUPTED: Final = 130


def run(
    app: Any, place: Place, say: Callable[[str], Any], tls: ssl.SSLContext | None = None
) -> None:
    """Serve `app` until Ctrl-C or SIGTERM, then shut down gracefully.

    Send `startup` before the sockets are bound, and `shutdown` after the last request. Call `say`
    with a line that names the URL, and with another one at the end.

    Raises:
        SystemExit: the server cannot listen at `place`; the message says why.
    """
    try:
        with asyncio.Runner(loop_factory=new_event_loop) as runner:
            try:
                runner.run(serve(app, place, say, tls))
            finally:
                runner.run(end_tasks())
    except KeyboardInterrupt:
        # Ctrl-C came before or after the server ran: a traceback would not help.
        raise SystemExit(INTERRUPTED) from None


async def serve(
    app: Any, place: Place, say: Callable[[str], Any], tls: ssl.SSLContext | None
) -> None:
    loop = asyncio.get_running_loop()
    throttle_accept_errors(loop)
    await app.startup()
    try:
        with place.listening() as sockets:
            server = AppServer(app, tls)
            await server.serve(sockets)
            # Print the URL after the signal handlers are set: whoever reads it may send a signal
            # at once.
            loop.call_soon(say, f"Rolling on {url(place, sockets[0], tls)}")
            await serve_until_signalled(server)
            say("Bye.")
    finally:
        await app.shutdown()


def url(place: Place, sock: socket.socket, tls: ssl.SSLContext | None) -> str:
    if sock.family not in {socket.AF_INET, socket.AF_INET6}:
        return f"unix:{sock.getsockname()}"
    host, port = sock.getsockname()[:2]
    if not place.fds:
        host = place.host or host  # an empty host means every address
    shown = f"[{host}]" if ":" in host else host
    return f"{'http' if tls is None else 'https'}://{shown}:{port}"
