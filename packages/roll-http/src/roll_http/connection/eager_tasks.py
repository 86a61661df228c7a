"""Tasks that begin at once: most handlers never wait, and end in the first step.

Python 3.12 has such tasks. For 3.11 they are made here, of what the page "Extending" of asyncio's
documentation gives to those who have tasks of their own. It spares a turn of the loop, and the
making of a task that nobody will wait for: 0.5 us a request on uvloop, 0.9 on asyncio's loop.
"""

from __future__ import annotations

import asyncio
import sys
from asyncio import _enter_task, _leave_task
from collections.abc import Coroutine, Generator
from contextvars import Context
from typing import Any

__all__ = ["start", "start_by_hand"]

Work = Coroutine[Any, Any, None]


@Coroutine.register
class _Rest:
    """What is left of a coroutine after its first step: all that a task asks of one."""

    __slots__ = ("_blocking", "_waited", "_work", "error")

    def __init__(self, work: Work) -> None:
        self._work: Any = work
        # What the first step waits for, until the next; None after a bare yield.
        self._waited: Any = None
        self._blocking: bool | None = None
        self.error: BaseException | None = None
        """What the first step ended with."""

    def wait_for(self, waited: Any) -> None:
        """Keep the future that the first step waits for.

        Until the task itself waits for it, others may too: its mark, which lets one wait after
        another begin, is put back.
        """
        self._waited = waited
        self._blocking = getattr(waited, "_asyncio_future_blocking", None)
        if self._blocking:
            waited._asyncio_future_blocking = False  # noqa: SLF001 - as `Extending` says

    def _take_waited(self) -> Any:
        waited, self._waited = self._waited, None
        if self._blocking:
            waited._asyncio_future_blocking = True  # noqa: SLF001
        return waited

    def send(self, value: Any) -> Any:
        """Wait for what the first step waits for; then go on."""
        if self.error is not None:
            raise self.error
        if self._waited is not None:
            return self._take_waited()
        if self._work.cr_frame is None:  # it ended
            raise StopIteration
        return self._work.send(value)

    def throw(self, error: Any, *details: Any) -> Any:
        """Go on with an error; one that is a cancellation goes first to what it waits for."""
        if self.error is not None:
            raise self.error
        if self._blocking and self._waited is not None and self._waited.cancel(*error.args[:1]):
            return self._take_waited()
        self._waited = None
        if self._work.cr_frame is None:
            raise error
        return self._work.throw(error, *details)

    def __getattr__(self, name: str) -> Any:
        # What shows a task, or its stack, looks at its coroutine.
        return getattr(self._work, name)


class _Begun(asyncio.Task[None]):
    """A task like any other, but that its first step was made before."""

    __slots__ = ("begun",)

    begun: Any
    """Its coroutine, loop and context; then what is left of the coroutine."""


class _Beginning(_Begun):
    """A task in its first step: nothing of it is set up until somebody looks at it."""

    __slots__ = ()

    def __getattribute__(self, name: str) -> Any:
        _set_up(self)
        return getattr(self, name)

    def __repr__(self) -> str:
        try:
            _set_up(self)
        except AttributeError:  # asyncio shows what it does not let begin
            return object.__repr__(self)
        return repr(self)

    def __await__(self) -> Generator[Any, Any, None]:
        _set_up(self)
        return self.__await__()

    __iter__ = __await__


_new = _Beginning.__new__


def _set_up(task: _Begun) -> _Rest:
    """Make a task in its first step one that asyncio knows; what is left of it."""
    begun: Any = object.__getattribute__(task, "begun")
    if type(task) is _Beginning:
        work, loop, context = begun
        task.begun = begun = _Rest(work)
        _become(task, begun, loop, context)
    rest: _Rest = begun
    return rest


def _become(task: _Begun, work: Work, loop: asyncio.AbstractEventLoop, context: Context) -> None:
    task.__class__ = _Begun  # of the same layout
    asyncio.Task.__init__(task, work, loop=loop, context=context)


def start_by_hand(
    work: Work, loop: asyncio.AbstractEventLoop, context: Context
) -> asyncio.Task[None]:
    """Make the first step of a coroutine, and a task of what is left, if anything is.

    Within another task, where asyncio can't have it, the first step is made a little later.
    """
    task = _new(_Beginning)
    try:
        _enter_task(loop, task)
    except RuntimeError:
        return asyncio.Task(work, loop=loop, context=context)
    task.begun = work, loop, context
    try:
        waited = context.run(work.send, None)
    except StopIteration:
        pass
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # noqa: BLE001 - the task's to show
        _set_up(task).error = error
    else:
        if waited is None and type(task) is _Beginning:
            _become(task, work, loop, context)  # as tasks go on after a bare yield
        else:
            _set_up(task).wait_for(waited)
    finally:
        _leave_task(loop, task)
    return task


if sys.version_info >= (3, 12):

    def start(work: Work, loop: asyncio.AbstractEventLoop, context: Context) -> asyncio.Task[None]:
        """Make the first step of a coroutine, and a task of it."""
        return asyncio.Task(work, loop=loop, context=context, eager_start=True)

else:
    start = start_by_hand
