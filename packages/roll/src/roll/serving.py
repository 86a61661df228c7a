"""Serving an application in one process until a signal stops it."""

from __future__ import annotations

import asyncio
import signal
import socket
import ssl
from collections.abc import Callable
from typing import Any, Final

from roll_http import serve_until_signalled, throttle_accept_errors

from .interrupts import Interrupts
from .listening import Place
from .loops import new_event_loop
from .server import AppServer
from .stubborn import end_tasks

__all__ = ["run"]

# The exit code that shells expect of a process that SIGINT ended.
INTERRUPTED: Final = 130


def run(
    app: Any,
    place: Place,
    say: Callable[[str], Any],
    tls: ssl.SSLContext | None = None,
    *,
    ends_process: bool = False,
) -> None:
    """Serve `app` until Ctrl-C or SIGTERM, then shut down gracefully.

    Send `startup` before the sockets are bound, and `shutdown` after the last request. A signal
    while `startup` runs cancels it, and the lifespans that were entered are left. SIGQUIT and
    Ctrl-C also cancel a `shutdown` that runs. Call `say` with a line that names the URL, and with
    another one at the end. With `ends_process`, a repeated SIGTERM changes nothing until the
    process has ended, which its caller does at once.

    Raises:
        SystemExit: the server cannot listen at `place`; the message says why. Or a signal came
            before it could serve.
    """
    try:
        with asyncio.Runner(loop_factory=new_event_loop) as runner:
            try:
                runner.run(serve(app, place, say, tls))
            finally:
                runner.run(end_tasks())
                if ends_process:
                    runner.run(ignore_sigterm())
    except KeyboardInterrupt:
        # Ctrl-C came before or after the server ran: a traceback would not help.
        raise SystemExit(INTERRUPTED) from None


async def ignore_sigterm() -> None:
    """Ignore SIGTERM, which the running loop handles, also after the loop is closed.

    Closing a loop restores the default action of its signals: SIGTERM would end the process with
    another exit status than that of a graceful stop.
    """
    if not hasattr(signal, "pthread_sigmask"):  # Windows, where nothing sends SIGTERM
        return
    former = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    asyncio.get_running_loop().remove_signal_handler(signal.SIGTERM)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_SETMASK, former)


async def serve(
    app: Any, place: Place, say: Callable[[str], Any], tls: ssl.SSLContext | None
) -> None:
    loop = asyncio.get_running_loop()
    throttle_accept_errors(loop)
    with Interrupts(loop) as interrupts:
        await app.startup()
        try:
            interrupts.check()
            with place.listening() as sockets:
                server = AppServer(app, tls)
                await server.serve(sockets)
                # Print the URL after the signal handlers are set: whoever reads it may send a
                # signal at once.
                loop.call_soon(say, f"Rolling on {url(place, sockets[0], tls)}")
                await serve_until_signalled(server)
                say("Bye.")
        finally:
            interrupts.resume()
            await app.shutdown()


def url(place: Place, sock: socket.socket, tls: ssl.SSLContext | None) -> str:
    if sock.family not in {socket.AF_INET, socket.AF_INET6}:
        return f"unix:{sock.getsockname()}"
    host, port = sock.getsockname()[:2]
    if not place.fds:
        host = place.host or host  # an empty host means every address
    shown = f"[{host}]" if ":" in host else host
    return f"{'http' if tls is None else 'https'}://{shown}:{port}"
