"""The items of an async iterator, for a task that may do something else while it waits for one.

With a task for each item, or `asyncio.timeout`, an item costs several microseconds, and to leave
means to cancel. Here the iterator goes on waiting, as if nothing had happened.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from contextvars import Context
from types import coroutine
from typing import Any

__all__ = ["Steps"]


class Steps:
    """The steps of an async iterator, each of which gives an item.

    A task that runs a step waits for this object, in place of the future that the step waits for:
    so it has the methods of a future that a task calls (see "Extending" in asyncio's
    documentation). To wait for a second future, which the first one wakes, would take another turn
    of the loop: 1 us more an item.
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
        self._step: Any = None  # the step that has not ended
        self._future: asyncio.Future[Any] | None = None  # what it waits for
        self._watched: asyncio.Future[Any] | None = None  # the future that wakes us
        self._error: BaseException | None = None  # to be raised in it
        self._asyncio_future_blocking = False
        self._on_done: Callable[[Steps], object] | None = None  # wakes the task
        self._context: Context | None = None
        self.item: Any = None
        """The last item."""

    @property
    def begun(self) -> bool:
        """Whether there is a step that has not ended."""
        return self._step is not None

    def run(self) -> Generator[Any, None, bool]:
        """Run to the next item, and return True; False if `leave` was called before.

        Raises what the iterator raises. A cancellation of the task reaches the iterator.
        """
        # One function, not several: an event costs 0.1 us more for each.
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
                else:  # None for one turn of the loop, or what the task will complain of
                    yield from self._turn(future)
                    continue
            elif future.done():
                self._future = None
                continue
            self._asyncio_future_blocking = True
            try:
                yield self
            except BaseException as error:  # noqa: BLE001 - it is the iterator's
                self._error = error
                self._future = None
            else:
                if not (future.done() or self._error):
                    return False
                self._future = None

    def _go_on(self) -> Any:
        if self._step is None:
            step = self._items.__anext__()
            # Coroutines and the steps of generators have `send`: 0.2 us less than to wrap them.
            self._step = step if hasattr(step, "send") else awaited(step)
        if self._error is None:
            return self._step.send(None)
        error, self._error = self._error, None
        return self._step.throw(error)

    def _turn(self, waited: Any) -> Generator[Any, None, None]:
        try:
            yield waited
        except BaseException as error:  # noqa: BLE001 - it is the iterator's
            self._error = error

    def leave(self) -> None:
        """Have `run` return False, if the iterator waits for something."""
        if self._on_done is not None:
            loop = asyncio.get_running_loop()
            loop.call_soon(self._wake, None, context=self._context)

    def interrupt(self) -> None:
        """Cancel the step, if there is one: the next `run` raises `CancelledError` in it."""
        if self._step is not None and not self.cancel():
            self._error = asyncio.CancelledError()

    @coroutine
    def end(self) -> Generator[Any, None, None]:
        """Cancel the step, if there is one, and run it to its end."""
        self.interrupt()
        while self._step is not None:
            yield from self.run()

    # What a task calls of a future.

    get_loop = staticmethod(asyncio.get_running_loop)

    def add_done_callback(
        self, wake: Callable[[Steps], object], *, context: Context | None = None
    ) -> None:
        """Have `wake` called when the step may go on, or is left."""
        self._on_done, self._context = wake, context
        future = self._future
        if future is not None and future is not self._watched:
            self._watched = future
            future.add_done_callback(self._wake, context=context)

    def cancel(self, msg: Any = None) -> bool:
        """Cancel what the step waits for, as its task is cancelled; return whether it does."""
        return self._future is not None and self._future.cancel(msg)

    def result(self) -> None:
        """Return nothing: `run` looks at the future."""

    def _wake(self, _: object) -> None:
        wake, self._on_done = self._on_done, None
        if wake is not None:
            wake(self)


async def awaited(awaitable: Awaitable[Any]) -> Any:
    return await awaitable
