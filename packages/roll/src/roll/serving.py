"""Serving an application in one process until a signal stops it."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import ssl
from collections.abc import Callable
from typing import Any, Final, Self

from roll_http import serve_until_signalled, throttle_accept_errors

from .listening import Place
from .loops import new_event_loop
from .server import AppServer
from .stubborn import end_tasks

__all__ = ["run"]

# The exit codes that shells expect of a process that SIGINT or SIGTERM ended.
INTERRUPTED: Final = 130
TERMINATED: Final = 143


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
    while `startup` runs cancels it: the lifespans that were entered are left. Call `say` with a
    line that names the URL, and with another one at the end. With `ends_process`, a repeated
    SIGTERM changes nothing until the process has ended, which its caller does at once.

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
    """Ignore SIGTERM, if the running loop handles it, also after the loop is closed.

    Closing a loop restores the default action of its signals: SIGTERM would end the process with
    another exit status than that of a graceful stop.
    """
    if not hasattr(signal, "pthread_sigmask"):  # Windows, where nothing sends SIGTERM
        return
    former = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    if asyncio.get_running_loop().remove_signal_handler(signal.SIGTERM):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_SETMASK, former)


async def serve(
    app: Any, place: Place, say: Callable[[str], Any], tls: ssl.SSLContext | None
) -> None:
    loop = asyncio.get_running_loop()
    throttle_accept_errors(loop)
    with Termination(loop) as termination:
        await app.startup()
        try:
            termination.check()
            with place.listening() as sockets:
                server = AppServer(app, tls)
                await server.serve(sockets)
                # Print the URL after the signal handlers are set: whoever reads it may send a
                # signal at once.
                loop.call_soon(say, f"Rolling on {url(place, sockets[0], tls)}")
                await serve_until_signalled(server)
                say("Bye.")
        finally:
            await app.shutdown()


class Termination:
    """A SIGTERM before the server handles the signals: it cancels the task, as a Ctrl-C does.

    It does nothing on Windows, or outside of the main thread.

    Raises:
        SystemExit: the signal has come, at the end of the `with` block or by `check`.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._task: Any = asyncio.current_task()
        self._received = False

    def __enter__(self) -> Self:
        with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
            self._loop.add_signal_handler(signal.SIGTERM, self._receive)
        return self

    def __exit__(self, *error: object) -> None:
        cancelled = isinstance(error[1], asyncio.CancelledError)
        if cancelled and self._received and not self._task.uncancel():
            raise SystemExit(TERMINATED) from None

    def _receive(self) -> None:
        if not self._received:  # a repeated SIGTERM changes nothing
            self._received = True
            self._task.cancel()

    def check(self) -> None:
        """Raise `SystemExit` if the signal has come, and the application has caught the error."""
        if self._received:
            raise SystemExit(TERMINATED)


def url(place: Place, sock: socket.socket, tls: ssl.SSLContext | None) -> str:
    if sock.family not in {socket.AF_INET, socket.AF_INET6}:
        return f"unix:{sock.getsockname()}"
    host, port = sock.getsockname()[:2]
    if not place.fds:
        host = place.host or host  # an empty host means every address
    shown = f"[{host}]" if ":" in host else host
    return f"{'http' if tls is None else 'https'}://{shown}:{port}"
