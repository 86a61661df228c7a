"""Lifespans: resources that stay open from startup to shutdown, such as a database pool."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator
from contextvars import Context, copy_context
from typing import Any, Final

from .advice import described
from .callables import functions_of, is_async
from .errors import log_error
from .tasks import failure_of

__all__ = ["Lifespans"]

Function = Callable[..., AsyncGenerator[Any, None]]

SPELLING: Final = (
    "write an async generator function, with one `yield` between what is done at the start and"
    " what is done at the end: `@app.lifespan`, `async def name(): ...`, `yield`"
)

NOT_SET: Final = object()

LAST_SECOND: Final = 1.0
"""Seconds for a lifespan that is left when no time is left, and for one that is cancelled."""

logger = logging.getLogger("roll")


class Lifespans:
    """The lifespans of an application: entered in order, left in reverse order."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self._functions: list[Function] = []
        self._entered: list[Lifespan] | None = None

    def add(self, function: Any) -> None:
        """Register an async generator function.

        Raises:
            ValueError: it is another kind of function, has parameters other than `app`, or comes
                after the start.
        """
        check_function(function)
        if self._entered is not None:
            raise ValueError(
                f"{described(function)} comes too late: lifespans are entered before the event"
                " `startup`, so register them before the application starts"
            )
        self._functions.append(function)

    async def enter(self) -> None:
        """Enter all lifespans once; call `leave` afterwards, also after a failure.

        The exception of a lifespan is raised here.

        Raises:
            ValueError: a lifespan does not yield.
        """
        if self._entered is not None:
            return
        self._entered = []
        for function in self._functions:
            lifespan = Lifespan(function, self._app)
            await lifespan.enter()
            self._entered.append(lifespan)

    async def leave(self, until: float) -> None:
        """Leave all entered lifespans; log their exceptions.

        `until` is the time of the loop at which those are cancelled that have not ended. The
        others still get a moment then.
        """
        entered, self._entered = self._entered or [], None
        for lifespan in reversed(entered):
            await lifespan.leave(until)


class Lifespan:
    """A lifespan in its own task.

    The task that starts an application and the task that ends it can differ, as in tests. But
    the task that enters a task group or a timeout must also leave it.
    """

    def __init__(self, function: Function, app: Any) -> None:
        self._name = f"lifespan {described(function)}"
        self._generator = call(function, app)
        self._entered: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._leaves = asyncio.Event()
        self._context = copy_context()

    async def enter(self) -> None:
        """Run the lifespan up to its `yield`; raise its exception."""
        self._task = asyncio.get_running_loop().create_task(self._run(), context=self._context)
        await self._wait({self._task, self._entered})
        if not self._entered.done():
            self._task.result()
        adopt_variables(self._context)
        self._task.add_done_callback(self._take_end)

    async def leave(self, until: float) -> None:
        """Run the lifespan to its end, but cancel it at a time of the loop; log its exceptions."""
        self._leaves.set()
        left = until - asyncio.get_running_loop().time()
        await self._wait({self._task}, max(left, LAST_SECOND))  # `_take_end` logs an exception
        if not self._task.done():
            logger.error("The %s is cancelled, because it has not ended in time", self._name)
            self._task.cancel()
            await self._wait({self._task}, LAST_SECOND)

    async def _wait(
        self, futures: set[asyncio.Future[None]], seconds: float | None = None
    ) -> None:
        """Wait for the first of several futures; a cancellation here cancels the lifespan."""
        try:
            await asyncio.wait(futures, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            self._task.cancel()
            await asyncio.wait({self._task})
            raise

    async def _run(self) -> None:
        try:
            await anext(self._generator)
        except StopAsyncIteration:
            raise ValueError(f"The {self._name} has not yielded: {SPELLING}") from None
        self._entered.set_result(None)
        try:
            await self._leaves.wait()
        except BaseException as error:  # noqa: BLE001 - the lifespan decides what to do with it
            await self._throw(error)
        else:
            await self._finish()

    async def _finish(self) -> None:
        try:
            await anext(self._generator)
        except StopAsyncIteration:
            return
        await self._refuse_second()

    async def _throw(self, error: BaseException) -> None:
        """Raise the cancellation of the task at the `yield`, where a task group expects it."""
        try:
            await self._generator.athrow(error)
        except StopAsyncIteration:
            return
        await self._refuse_second()

    async def _refuse_second(self) -> None:
        await self._generator.aclose()
        raise ValueError(f"The {self._name} has yielded twice: {SPELLING}")

    def _take_end(self, task: asyncio.Task[None]) -> None:
        error = failure_of(task)
        if error is not None:
            early = "" if self._leaves.is_set() else ", before the application has ended"
            log_error(f"{self._name}{early}", error)


def adopt_variables(context: Context) -> None:
    """Copy the context variables that a task has set, so that handlers and listeners see them."""
    for variable, value in context.items():
        if variable.get(NOT_SET) is not value:
            variable.set(value)


def call(function: Function, app: Any) -> AsyncGenerator[Any, None]:
    """Call a lifespan function, with the application if it has a parameter `app`."""
    parameter = inspect.signature(function).parameters.get("app")
    if parameter is None:
        return function()
    return function(app) if parameter.kind is parameter.POSITIONAL_ONLY else function(app=app)


def check_function(function: Any) -> None:
    """Raise a `ValueError` unless `function` is a lifespan; the message says what to write."""
    what = fault_of(function)
    if what is not None:
        raise ValueError(f"{what}: {SPELLING}")
    for parameter in inspect.signature(function).parameters.values():
        if parameter.name != "app" and is_required(parameter):
            raise ValueError(
                f"{described(function)} wants {parameter.name!r}: a lifespan gets `app`, if it"
                " names it, and nothing else"
            )


def is_required(parameter: inspect.Parameter) -> bool:
    several = {parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD}
    return parameter.default is parameter.empty and parameter.kind not in several


def fault_of(function: Any) -> str | None:
    """Return why a function cannot be a lifespan; None if it can."""
    if function is None:
        return "`@app.lifespan` is written without parentheses"
    if isinstance(function, AsyncGenerator | Coroutine | Generator):
        if isinstance(function, Coroutine):
            function.close()  # otherwise Python warns that it was never awaited
        return f"`app.lifespan` takes the function itself, not what it gives, {function!r}"
    if not callable(function):
        return f"A lifespan is a function, not {function!r}"
    if any(map(inspect.isasyncgenfunction, functions_of(function))):
        return None
    if any(map(inspect.isasyncgenfunction, functions_of(getattr(function, "__wrapped__", None)))):
        return f"{described(function)} is no longer a lifespan under `@asynccontextmanager`"
    kind = "has no `yield`" if is_async(function) else "is not an `async def`"
    return f"{described(function)} is not a lifespan, because it {kind}"
