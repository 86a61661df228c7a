"""The lifespan of an ASGI application: it starts and ends with the application that hosts it."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import AsyncIterator, Awaitable
from contextlib import suppress
from typing import Any, Final

from roll_http.shown import shown

from .._core.outcomes import raised
from ..errors import log_error
from .host import Host

__all__ = ["lifespan_of"]

logger = logging.getLogger("roll")

ANSWERS: Final = tuple(
    f"lifespan.{step}.{result}"
    for step in ("startup", "shutdown")
    for result in ("complete", "failed")
)


async def lifespan_of(host: Host, app: Any) -> AsyncIterator[None]:
    """Start the application, and shut it down at the end.

    Raises:
        RuntimeError: the application reports that its startup has failed.
    """
    life = Life(host)
    await life.start()
    try:
        yield
    finally:
        with suppress(TimeoutError):
            await asyncio.wait_for(host.until_idle(), app.limits.graceful_timeout)
        await life.stop()


class Life:
    """The task in which an application handles the scope `lifespan`, and its messages."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._due: asyncio.Queue[str] = asyncio.Queue()
        self._answers: asyncio.Queue[Any] = asyncio.Queue()
        self._supported = True

    async def start(self) -> None:
        """Run the startup; an application without a lifespan skips it.

        Raises:
            RuntimeError: the startup has failed.
            TypeError: the application returned something that cannot be awaited.
        """
        self._task = asyncio.ensure_future(self._call())
        answer = await self._ask("lifespan.startup")
        if answer is None:
            self._supported = False
            # One that raises, `CancelledError` included, does not support lifespans.
            error = None if self._task.cancelled() else self._task.exception()
            logger.debug("%s does not support lifespans: %r", self._host, error)
        elif answer["type"] == "lifespan.startup.failed":
            await self._end()
            raise RuntimeError(f"{self._host} failed to start: {answer.get('message', '')}")

    def _call(self) -> Awaitable[None]:
        scope = {
            "type": "lifespan",
            "asgi": {"version": "3.0", "spec_version": "2.0"},
            "state": self._host.state,
        }
        try:
            called = self._host.application(scope, self._receive, self._send)
        except Exception as error:  # noqa: BLE001 - `start` looks at it, as if it were async
            return raised(error)
        if not inspect.isawaitable(called):
            raise TypeError(
                f"{self._host} returned {shown(called)}, which cannot be awaited: an ASGI 3"
                " application is an `async def`"
            )
        return called

    async def stop(self) -> None:
        """Run the shutdown; log a failure."""
        if not self._supported:
            return
        answer = await self._ask("lifespan.shutdown")
        if answer is not None and answer["type"] == "lifespan.shutdown.failed":
            logger.error("%s failed to shut down: %s", self._host, answer.get("message", ""))
        await self._end()

    async def _ask(self, kind: str) -> Any:
        """Send a message and return the answer; None if the application ends without one."""
        self._due.put_nowait(kind)
        answer = asyncio.ensure_future(self._answers.get())
        try:
            await asyncio.wait({answer, self._task}, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            answer.cancel()
            self._task.cancel()
            raise
        if not answer.done():
            answer.cancel()
            return None
        return answer.result()

    async def _receive(self) -> dict[str, Any]:
        return {"type": await self._due.get()}

    async def _send(self, message: Any) -> None:
        """Take an answer.

        Raises:
            RuntimeError: it is not a message of a lifespan.
        """
        kind = message.get("type") if isinstance(message, dict) else message
        if kind not in ANSWERS:
            raise RuntimeError(
                f"{self._host} has sent {shown(kind)}, which does not belong to a lifespan"
            )
        self._answers.put_nowait(message)

    async def _end(self) -> None:
        """Wait one turn of the loop for the end of the application; log its exception."""
        await asyncio.sleep(0)
        if not self._task.done():
            self._task.cancel()
            await asyncio.wait({self._task})
        if not self._task.cancelled() and (error := self._task.exception()) is not None:
            log_error(f"lifespan of {self._host}", error)
