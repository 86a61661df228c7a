"""Serving until a signal asks for the end."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import threading
from collections.abc import AsyncIterator, Callable
from typing import Any, Final

from .server import Server

__all__ = ["serve_until_signalled"]

ENDING: Final = ("SIGINT", "SIGTERM", "SIGQUIT", "SIGBREAK")
"""The signals that ask for the end. Windows lacks SIGQUIT, the others lack SIGBREAK."""


async def serve_until_signalled(server: Server) -> None:
    """Serve until SIGINT or SIGTERM, then shut down gracefully.

    SIGQUIT, or a SIGINT after either of them, cancels the requests that still run. A repeated
    SIGTERM changes nothing. SIGTERM stays ignored until the loop is closed, so that it does not
    interrupt the application's own shutdown, which follows.
    Only the main thread gets signals: in another thread, serve until this task is cancelled.
    """
    async with _signals() as queue:
        first = await queue.get()
        stopping = asyncio.ensure_future(server.stop(0 if first.name == "SIGQUIT" else None))
        hurry = asyncio.ensure_future(_wait_for_hurry(queue))
        await asyncio.wait({stopping, hurry}, return_when=asyncio.FIRST_COMPLETED)
        if not stopping.done():
            stopping.cancel()
            await server.stop_now()
        hurry.cancel()


async def _wait_for_hurry(queue: asyncio.Queue[signal.Signals]) -> None:
    while await queue.get() is signal.SIGTERM:
        pass


@contextlib.asynccontextmanager
async def _signals() -> AsyncIterator[asyncio.Queue[signal.Signals]]:
    """Put the signals that ask for the end into a queue, as they arrive.

    After the first one, SIGTERM stays ignored until the loop is closed. Outside of the main
    thread, the queue stays empty.
    """
    loop = asyncio.get_running_loop()
    queue: asyncio.Queue[signal.Signals] = asyncio.Queue()
    received = False

    def receive(number: signal.Signals) -> None:
        nonlocal received
        received = True
        if number is signal.SIGTERM:
            # Behind a SIGINT that arrives together with it, as from a process that passes a Ctrl-C
            # on as SIGTERM. The system may call the handlers in the other order.
            loop.call_soon(queue.put_nowait, number)
        else:
            queue.put_nowait(number)

    signals = [number for number in signal.Signals if number.name in ENDING]
    if threading.current_thread() is not threading.main_thread():
        signals = []
    restoring = {number: _handle(loop, number, receive, number) for number in signals}
    try:
        yield queue
    finally:
        for number, restore in restoring.items():
            if received and number is signal.SIGTERM:
                _handle(loop, number, _ignore)
            else:
                restore()


def _handle(
    loop: asyncio.AbstractEventLoop, number: signal.Signals, call: Callable[..., Any], *args: Any
) -> Callable[[], Any]:
    """Have the loop call a function on a signal; return what puts back the former handler."""
    former = signal.getsignal(number)
    try:
        loop.add_signal_handler(number, call, *args)
    except NotImplementedError:  # the loops of Windows
        signal.signal(number, lambda *_: loop.call_soon_threadsafe(call, *args))
        return lambda: signal.signal(number, former)

    def restore() -> None:
        loop.remove_signal_handler(number)
        if number is signal.SIGINT and callable(former):
            # That of `asyncio.run`, which cancels the main task. Python's own would end the loop
            # wherever it is: then tasks are cancelled in any order.
            signal.signal(number, former)

    return restore


def _ignore() -> None:
    """Ignore a signal."""
