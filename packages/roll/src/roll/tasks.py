"""Background work that an application waits for at shutdown: tasks, and functions of `after`."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Callable, Coroutine
from inspect import isawaitable
from typing import Any, Final, Protocol, TypeVar

from roll_http.cancellation import EXITS
from roll_http.shown import shown

from .advice import described as described_call
from .callables import refuse_unrun
from .errors import ends_task, log_error, notify

__all__ = ["KeepsTasks", "Task", "Tasks", "check_coroutine", "failure_of"]

logger = logging.getLogger("roll")

LAST_SECOND: Final = 1.0
"""The seconds that Roll waits for cancelled tasks to clean up."""

T = TypeVar("T")
Work = Coroutine[Any, Any, T]
Task = asyncio.Task[Any]


class KeepsTasks(Protocol):
    """An application that keeps tasks."""

    log_errors: bool
    hooks: dict[str, Any]

    def hook(self, name: str, /, *args: Any) -> Any:
        """Send an event; await the result."""
        ...


class Tasks:
    """The tasks of an application, from their start until they have ended."""

    def __init__(self, app: KeepsTasks) -> None:
        self._app = app
        self._running: set[Task] = set()
        self.open = False
        """Whether the application runs, and so will end new tasks."""
        self._deadline: float | None = None
        """The end of the graceful timeout, in the loop's time; None unless a stop has begun."""

    def start(self, coroutine: Work[T], name: str | None = None) -> asyncio.Task[T]:
        """Run a coroutine as a task that is kept; a failure is reported."""
        task = asyncio.get_running_loop().create_task(coroutine, name=name)
        self.keep(task)
        return task

    def keep(self, task: Task) -> None:
        """Keep a task that already runs."""
        self._running.add(task)
        task.add_done_callback(self._take_end)

    def run_all(self, functions: list[Callable[[], Any]]) -> Task:
        """Call functions in order, in a new task; the others run even if one fails.

        The list is empty at the end: a request whose functions refer to it would stay in memory
        until the next garbage collection. Each function is plain or async, and called without
        arguments. The task has the name of the first.
        """
        work: Any = self._run_all(functions)
        work.__qualname__ = ""  # so that logs show the name of the user's function only
        return self.start(work, f"after: {name_of(functions[0])}")

    async def _run_all(self, functions: list[Callable[[], Any]]) -> None:
        while functions:
            function = functions.pop(0)
            try:
                await run(function)
            except BaseException as error:
                if ends_task(error):
                    raise
                what = f"{described_call(function)}, called after an answer"
                self._report(asyncio.current_task(), error, what)

    def _take_end(self, task: Task) -> None:
        self._running.discard(task)
        error = failure_of(task)
        try:
            if error is not None:
                self._report(task, error)
        finally:
            # Its traceback may refer to this frame: a cycle would keep what the task used.
            del error

    def _report(self, task: Task | None, error: BaseException, what: str = "") -> None:
        if self._app.log_errors:
            log_error(what or f"task {described(task)}", error)
        if "task_error" in self._app.hooks:
            self.start(notify(self._app, "task_error", task, error))

    # The end.

    def begin(self) -> None:
        """Take tasks, until `close`."""
        self.open = True
        self._deadline = None

    def close(self) -> None:
        """Refuse new tasks: the application would not wait for them."""
        self.open = False

    def expect_end(self, seconds: float) -> None:
        """Start the graceful timeout, unless it has already started."""
        if self._deadline is None:
            self._deadline = asyncio.get_running_loop().time() + seconds

    async def end(self, seconds: float) -> None:
        """Wait for all tasks, those that they start included; then cancel what is left.

        `seconds` count from the beginning of the stop, which is now if none has begun.
        """
        self.expect_end(seconds)
        while (left := self._left()) > 0 and (tasks := self._others()):
            await asyncio.wait(tasks, timeout=left)
        await self.cancel()

    async def cancel(self) -> None:
        """Cancel all tasks, and wait at most a second for their cleanup."""
        loop = asyncio.get_running_loop()
        self._deadline = loop.time()
        if not self._running:
            return
        await asyncio.sleep(0)  # let new tasks start: some end in their first step
        until = loop.time() + LAST_SECOND
        for task in self._others():
            logger.warning(
                "The task %s is cancelled, because it has not ended in time", described(task)
            )
        while (tasks := self._others()) and (left := until - loop.time()) > 0:
            for task in tasks:
                if not task.cancelling():
                    task.cancel()
            await asyncio.wait(tasks, timeout=left)
        self._abandon()

    def _abandon(self) -> None:
        for task in self._others():
            logger.error("The task %s still runs, though it was cancelled", described(task))
            self._running.discard(task)

    def _left(self) -> float:
        assert self._deadline is not None  # `end` has set it
        return self._deadline - asyncio.get_running_loop().time()

    def _others(self) -> set[Task]:
        """Return the tasks of the running loop, except the current task."""
        here, current = asyncio.get_running_loop(), asyncio.current_task()
        return {task for task in self._running if task.get_loop() is here and task is not current}


def name_of(function: Callable[[], Any]) -> str:
    """Return a short name, because `described_call` would cost 8 us for each answer."""
    function = getattr(function, "func", function)  # of a partial
    return getattr(function, "__qualname__", None) or type(function).__qualname__


async def run(function: Callable[[], Any]) -> None:
    result = function()
    if isawaitable(result):
        result = await result
    refuse_unrun(result, f"{shown(function)}, a function to run after an answer,")


def failure_of(task: Task) -> BaseException | None:
    """Return the exception of a task; None if it was cancelled or the program is ending.

    The traceback must not have a frame of here: it would refer to the caller, which has the error
    in a variable. Such a cycle keeps a request that the task uses until the next collection.
    """
    if task.cancelled():
        return None if task.cancelling() else cancellation_of(task)
    error = task.exception()
    return None if isinstance(error, EXITS) else error


def cancellation_of(task: Task) -> BaseException | None:
    found = None
    try:
        task.result()
    except asyncio.CancelledError as error:
        error.__traceback__ = error.__traceback__ and error.__traceback__.tb_next
        found = error
    return found


def described(task: Task | None) -> str:
    """Return the name of a task, and that of its function."""
    assert task is not None  # a running coroutine has a task
    function = getattr(task.get_coro(), "__qualname__", "")
    return f"{task.get_name()!r} ({function})" if function else repr(task.get_name())


def check_coroutine(coroutine: Any) -> None:
    """Raise a `TypeError` unless the argument is a coroutine; the message says what to write."""
    # Not `asyncio.iscoroutine`, which is also true for generators on Python 3.11.
    if isinstance(coroutine, Coroutine):
        return
    if inspect.iscoroutinefunction(coroutine):
        name = getattr(coroutine, "__name__", "function")
        raise TypeError(f"`create_task` takes a coroutine: write `create_task({name}(...))`")
    raise TypeError(f"`create_task` takes a coroutine, not {shown(coroutine)}")
