"""Startup and shutdown: the two events, and the event loop that serves between them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from inspect import isawaitable
from typing import Any, Final, TypeVar, cast
from weakref import WeakSet

from roll_http import Limits

from .advice import described
from .answered import watch
from .callables import refuse_unrun
from .errors import ends_task, log_error
from .events import Events, Listener
from .lifespans import Lifespans
from .server import AppServer
from .stop_notice import StopNotice
from .tasks import Tasks, check_coroutine

__all__ = ["Lifecycle"]

G = TypeVar("G", bound=Callable[..., AsyncIterator[Any]])
L = TypeVar("L", bound=Listener)
T = TypeVar("T")

CLEANUP_SECONDS: Final = 5.0
"""Seconds beyond the graceful timeout for what cleans up: the tasks may have used the others."""


class Lifecycle(Events):
    """An application that is started and shut down."""

    limits: Limits
    log_errors: bool

    def __init__(self) -> None:
        super().__init__()
        self.kept_tasks = Tasks(self)
        self.running_servers: WeakSet[AppServer] = WeakSet()
        self.stop_notice = StopNotice()
        self.answer_reports: list[Callable[[Any, Any, int], None]] = []
        """The functions called after each answer, on any server; see `report_exchanges`."""
        self._lifespans = Lifespans(self)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._serving: asyncio.AbstractEventLoop | None = None

    @property
    def loop(self) -> Any:
        """The event loop that was set, else the loop that serves, else the running loop.

        The serving loop is known from startup to shutdown, in any thread. None if there is none.
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

    def create_task(
        self, coroutine: Coroutine[Any, Any, T], name: str | None = None
    ) -> asyncio.Task[T]:
        """Run a coroutine as a task that the application keeps and ends; return the task.

        A failure is logged, and sent as the event `task_error(task, error)`. A graceful shutdown
        waits for the task, within the graceful timeout, and then cancels it.

        Raises:
            TypeError: the argument is not a coroutine.
            RuntimeError: the application does not run, so it could not end the task; or it runs
                in another thread.
        """
        try:
            check_coroutine(coroutine)
            self._check_running()
        except BaseException:
            if isinstance(coroutine, Coroutine):
                coroutine.close()  # otherwise Python warns that it was never awaited
            raise
        return self.kept_tasks.start(coroutine, name)

    def _check_running(self) -> None:
        if not self.kept_tasks.open:
            raise RuntimeError(
                "The application does not run: call `create_task` in handlers, listeners and"
                " tasks, between the events `startup` and `shutdown`"
            )
        if not runs_here(self._serving):
            raise RuntimeError(
                "The application runs in another thread or event loop: call"
                " `asyncio.run_coroutine_threadsafe(coroutine, app.loop)` instead"
            )

    def listen(self, name: str) -> Callable[[L], L]:
        if name == "answered" and runs_here(self._serving):
            # Report the requests of open connections too.
            for server in self.running_servers:
                for connection in server.connections:
                    watch(self, connection)
        return super().listen(name)

    listen.__doc__ = Events.listen.__doc__

    def lifespan(self, function: G | None = None) -> G:
        """Register a lifespan, an async generator function that yields once; return it.

        It is entered before the event `startup`, and left after the event `shutdown`. Several are
        left in reverse order. It gets the application if it has a parameter `app`. The value that
        it yields is ignored. An exception before the yield ends the startup; a later one is
        logged.

        Raises:
            ValueError: it is not an async generator function, has other parameters, or is
                registered after the application has started. The message says what to write.
        """
        self._lifespans.add(function)
        return cast("G", function)

    async def startup(self) -> None:
        """Enter the lifespans, and send the event `startup` to all its listeners.

        Listeners that are added meanwhile run too. If a listener raises, Roll sends `shutdown`,
        leaves the lifespans, and raises the exception again. If a lifespan raises, Roll leaves
        those entered before it, and sends no event.
        """
        await self._start_up()

    async def _start_up(self) -> None:
        self._serving = asyncio.get_running_loop()
        self.kept_tasks.begin()
        self.stop_notice.withdraw()
        try:
            await self._lifespans.enter()
        except BaseException:
            await self.kept_tasks.cancel()
            await self._close(self._cleaned_up_by())
            raise
        try:
            # The list may grow: a listener may call an extension, which listens too.
            for listener in self.hooks.get("startup", []):
                await call_listener(listener, "startup")
        except BaseException:
            await self.kept_tasks.cancel()  # the application never serves: do not wait for them
            await self._try("shutdown", self.shutdown)
            raise

    async def shutdown(self) -> None:
        """Let the tasks end, send the event `shutdown` to all its listeners, leave the lifespans.

        The tasks have the graceful timeout, less the time that the stopping server has used. Then
        they are cancelled. The listeners and the lifespans have 5 seconds more, then they are
        cancelled too. Exceptions are logged.
        """
        until = self._cleaned_up_by()
        self.stop_notice.give()  # a server of Roll has given it earlier
        try:
            await self._end_tasks()
            for listener in list(self.hooks.get("shutdown", ())):
                name = f"listener {described(listener)} of shutdown"
                await self._try(name, call_until, until, listener)
            await self._end_tasks()  # the tasks that the listeners have started
        finally:
            await self._close(until)

    def _cleaned_up_by(self) -> float:
        """Return the time of the loop at which what cleans up must have ended."""
        now = asyncio.get_running_loop().time()
        return now + self.limits.graceful_timeout + CLEANUP_SECONDS

    async def _close(self, until: float) -> None:
        self.kept_tasks.close()
        try:
            await self._lifespans.leave(until)
        finally:
            self._serving = None

    async def _end_tasks(self) -> None:
        await self.kept_tasks.end(self.limits.graceful_timeout)

    async def _try(self, name: str, call: Callable[..., Any], *args: Any) -> None:
        """Await a call; log its exception, unless that ends the task."""
        try:
            await call(*args)
        except BaseException as error:
            if ends_task(error):
                raise
            log_error(name, error)

    # Python's warning about a missing await shows these names.
    startup.__qualname__ = "Roll.startup"
    shutdown.__qualname__ = "Roll.shutdown"

    def at_startup(self, call: Callable[[], Any]) -> None:
        """Call a plain function at startup, or now if startup has begun."""
        if self._serving is None:
            self.listen("startup")(call)
        else:
            call()


def runs_here(loop: asyncio.AbstractEventLoop | None) -> bool:
    """Tell whether a loop runs in this thread."""
    try:
        return loop is asyncio.get_running_loop()
    except RuntimeError:
        return False


async def call_until(until: float, listener: Listener) -> None:
    """Call a listener of `shutdown`.

    Raises:
        TimeoutError: it has not ended at that time of the loop, and was cancelled.
    """
    try:
        async with asyncio.timeout_at(until) as limit:
            await call_listener(listener, "shutdown")
    except TimeoutError as error:
        if limit.expired():
            raise TimeoutError("It did not end in time, and was cancelled") from error
        raise


async def call_listener(listener: Listener, name: str) -> None:
    result = listener()
    if isawaitable(result):
        result = await result
    if result is not None:
        refuse_unrun(result, f"{described(listener)}, a listener of {name!r},")
