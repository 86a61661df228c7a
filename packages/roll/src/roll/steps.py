"""A way to wait for the next item of an async iterator and to do other work meanwhile.

A task for each item, or `asyncio.timeout`, costs several microseconds per item, and stopping to
wait means cancelling the iterator. Here a task can stop waiting and resume later, and the
iterator does not notice.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from contextvars import Context
from types import coroutine
from typing import Any

__all__ = ["Steps"]


class Steps:
    """The steps of an async iterator, each of which yields an item.

    A task that runs a step awaits this object instead of the future that the step awaits. For
    that, the object has the methods that a task calls on a future (see "Extending" in asyncio's
    documentation). A second future, woken by the first one, would take one more iteration of the
    event loop: 1 us more per item.
    """

    __slots__ = (
        "_asyncio_future_blocking",
        "_context",
        "_error",
        "_future",
        "_items",
        "_on_done",
        "_step",
        "_watched",
        "item",
    )

    def __init__(self, items: AsyncIterator[Any]) -> None:
        self._items = items
        self._step: Any = None  # the running step
        self._future: asyncio.Future[Any] | None = None  # the future that the step awaits
        self._watched: asyncio.Future[Any] | None = None  # the future that calls `_wake`
        self._error: BaseException | None = None  # the exception to raise in the step
        self._asyncio_future_blocking = False
        self._on_done: Callable[[Steps], object] | None = None  # wakes the task
        self._context: Context | None = None
        self.item: Any = None
        """The last item."""

    @property
    def begun(self) -> bool:
        """Whether a step is running."""
        return self._step is not None

    def run(self) -> Generator[Any, None, bool]:
        """Run to the next item and return True; return False if `leave` was called before that.

        The exceptions of the iterator are raised here. A cancellation of the task is passed to
        the iterator.
        """
        # One long function, because each call of another one costs 0.1 us per event.
        while True:
            future = self._future
            if future is None:
                try:
                    future = self._go_on()
                except StopIteration as end:
                    self._step = None
                    self.item = end.value
                    return True
                except BaseException:
                    self._step = None
                    raise
                if getattr(future, "_asyncio_future_blocking", None):
                    future._asyncio_future_blocking = False  # noqa: SLF001 - as a task does
                    self._future = future
                else:  # None (wait for one iteration), or a value that the task will refuse
                    yield from self._turn(future)
                    continue
            elif future.done():
                self._future = None
                continue
            self._asyncio_future_blocking = True
            try:
                yield self
            except BaseException as error:  # noqa: BLE001 - it is raised in the iterator
                self._error = error
                self._future = None
            else:
                if not (future.done() or self._error):
                    return False
                self._future = None

    def _go_on(self) -> Any:
        if self._step is None:
            step = self._items.__anext__()
            # Coroutines and the steps of generators have `send`: no wrapper saves 0.2 us.
            self._step = step if hasattr(step, "send") else awaited(step)
        if self._error is None:
            return self._step.send(None)
        error, self._error = self._error, None
        try:
            return self._step.throw(error)
        finally:
            del error  # otherwise this frame refers to the error, which refers to this frame

    def _turn(self, waited: Any) -> Generator[Any, None, None]:
        try:
            yield waited
        except BaseException as error:  # noqa: BLE001 - it is raised in the iterator
            self._error = error

    def leave(self) -> None:
        """Make `run` return False if the iterator is waiting."""
        if self._on_done is not None:
            loop = asyncio.get_running_loop()
            loop.call_soon(self._wake, None, context=self._context)

    def interrupt(self) -> None:
        """Cancel the running step, if any: the next `run` raises `CancelledError` in it."""
        if self._step is not None and not self.cancel():
            self._error = asyncio.CancelledError()

    @coroutine
    def end(self) -> Generator[Any, None, None]:
        """Cancel the running step, if any, and run it to its end."""
        self.interrupt()
        while self._step is not None:
            yield from self.run()

    # The methods of a future that a task calls.

    get_loop = staticmethod(asyncio.get_running_loop)

    def add_done_callback(
        self, wake: Callable[[Steps], object], *, context: Context | None = None
    ) -> None:
        """Call `wake` when the step can continue, or when `leave` is called."""
        self._on_done, self._context = wake, context
        future = self._future
        if future is not None and future is not self._watched:
            self._watched = future
            future.add_done_callback(self._wake, context=context)

    def cancel(self, msg: Any = None) -> bool:
        """Cancel the future that the step awaits; return whether there was one to cancel."""
        return self._future is not None and self._future.cancel(msg)

    def result(self) -> None:
        """Return None, because `run` reads the result of the real future."""

    def _wake(self, _: object) -> None:
        wake, self._on_done = self._on_done, None
        if wake is not None:
            wake(self)


async def awaited(awaitable: Awaitable[Any]) -> Any:
    return await awaitable
