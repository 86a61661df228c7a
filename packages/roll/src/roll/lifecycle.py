"""From startup to shutdown: the two events, and the loop that serves in between."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from inspect import isawaitable
from typing import Any

from .advice import described
from .callables import refuse_unrun
from .errors import ends_task, log_error
from .events import Events, Listener

__all__ = ["Lifecycle"]


class Lifecycle(Events):
    """An application that is started and shut down."""

    def __init__(self) -> None:
        super().__init__()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._serving: asyncio.AbstractEventLoop | None = None

    @property
    def loop(self) -> asyncio.AbstractEventLoop | None:
        """The loop that was set; else the one that serves, from startup to shutdown.

        The latter from any thread. By default the running one, None where none runs.
        """
        if self._loop is not None:
            return self._loop
        if self._serving is not None and not self._serving.is_closed():
            return self._serving
        try:
            return asyncio.get_running_loop()
        except RuntimeError:
            return None

    @loop.setter
    def loop(self, loop: asyncio.AbstractEventLoop | None) -> None:
        self._loop = loop

    async def startup(self) -> None:
        """Send the event `startup`, to all its listeners, also those added meanwhile.

        When one raises, `shutdown` is sent to end what has started, and the exception goes on.
        """
        await self._start_up()

    async def _start_up(self) -> None:
        self._serving = asyncio.get_running_loop()
        try:
            # The list may grow: a listener may call an extension, which listens too.
            for listener in self.hooks.get("startup", []):
                await call_listener(listener, "startup")
        except BaseException:
            await self._try("shutdown", self.shutdown)
            raise

    async def shutdown(self) -> None:
        """Send the event `shutdown`, to all its listeners; exceptions are logged."""
        try:
            for listener in list(self.hooks.get("shutdown", ())):
                name = f"listener {described(listener)} of shutdown"
                await self._try(name, call_listener, listener, "shutdown")
        finally:
            self._serving = None

    async def _try(self, name: str, call: Callable[..., Any], *args: Any) -> None:
        """Await a call; what it raises is logged, unless it ends the task."""
        try:
            await call(*args)
        except BaseException as error:
            if ends_task(error):
                raise
            log_error(name, error)

    # Python's warning shows these names to whoever forgot the await.
    startup.__qualname__ = "Roll.startup"
    shutdown.__qualname__ = "Roll.shutdown"

    def at_startup(self, call: Callable[[], Any]) -> None:
        """Have a plain function called at startup, or at once where that is under way or over."""
        if self._serving is None:
            self.listen("startup")(call)
        else:
            call()


async def call_listener(listener: Listener, name: str) -> None:
    result = listener()
    if isawaitable(result):
        result = await result
    if result is not None:
        refuse_unrun(result, f"{described(listener)}, a listener of {name!r},")
