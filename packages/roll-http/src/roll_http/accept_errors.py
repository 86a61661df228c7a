"""Fewer log lines when the process has no file descriptor left to accept a connection."""

from __future__ import annotations

import asyncio
from typing import Any

__all__ = ["throttle_accept_errors"]

# asyncio reports this when it can't accept because file descriptors or memory are used up.
ACCEPT_ERROR = "socket.accept() out of system resource"
# asyncio then schedules this call for a second later, once for each failure. Each of these calls
# fails if the server was closed meanwhile.
ACCEPT_AGAIN = "_start_serving"
INTERVAL = 1.0


def throttle_accept_errors(loop: asyncio.AbstractEventLoop) -> None:
    """Report once a second, not hundreds of times, that file descriptors are used up.

    All other errors go to the exception handler that was set before.
    """
    previous = loop.get_exception_handler()
    last_report = float("-inf")

    def handle(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        nonlocal last_report
        message = context.get("message", "")
        if ACCEPT_AGAIN in message:
            return
        if message == ACCEPT_ERROR:
            now = loop.time()
            if now - last_report < INTERVAL:
                return
            last_report = now
        if previous is None:
            loop.default_exception_handler(context)
        else:
            previous(loop, context)

    loop.set_exception_handler(handle)
