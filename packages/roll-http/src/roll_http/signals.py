"""Serving until a signal asks for the end."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import threading
from collections.abc import AsyncIterator

from .server import Server

__all__ = ["serve_until_signalled"]


async def serve_until_signalled(server: Server) -> None:
    """Serve until SIGINT or SIGTERM, then shut down gracefully.

    SIGQUIT, or a SIGINT behind either of them, cancels the requests that still run. A repeated
    SIGTERM changes nothing. SIGTERM stays ignored until the loop is closed, so that it does not
    interrupt the application's own shutdown, which follows.
    Only the main thread gets signals: in another thread, serve until this task is cancelled.
    """
    async with _signals(signal.SIGINT, signal.SIGTERM, signal.SIGQUIT) as queue:
        first = await queue.get()
        stopping = asyncio.ensure_future(server.stop(0 if first is signal.SIGQUIT else None))
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
async def _signals(*signals: signal.Signals) -> AsyncIterator[asyncio.Queue[signal.Signals]]:
    """Put the signals that arrive into a queue, instead of their default action.

    After the first one, SIGTERM stays ignored until the loop is closed. Outside of the main
    thread, the queue stays empty.
    """
    loop = asyncio.get_running_loop()
    queue: asyncio.Queue[signal.Signals] = asyncio.Queue()
    received = False

    def receive(number: signal.Signals) -> None:
        nonlocal received
        received = True
        queue.put_nowait(number)

    if threading.current_thread() is not threading.main_thread():
        signals = ()
    for number in signals:
        loop.add_signal_handler(number, receive, number)
    try:
        yield queue
    finally:
        for number in signals:
            if received and number is signal.SIGTERM:
                loop.add_signal_handler(number, _ignore)
            else:
                loop.remove_signal_handler(number)


def _ignore() -> None:
    """Ignore a signal."""
