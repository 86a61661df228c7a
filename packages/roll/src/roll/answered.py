"""Work after a response was sent: the event `answered`, and the functions of `after`."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from functools import partial
from inspect import isawaitable
from typing import Any, Protocol, TypeVar

from roll_http.shown import shown

from .advice import described
from .callables import is_generator, refuse_unrun
from .errors import ends_task, log_error
from .events import Chain
from .observe import when_answered
from .tasks import Tasks

__all__ = ["RunsAfter", "TellsOfAnswers", "run_after", "watch"]

F = TypeVar("F", bound=Callable[[], Any])

Call = tuple[Callable[[], Any], Any]
"""The call of a listener, and the listener itself."""


class TellsOfAnswers(Protocol):
    """An application that gets reports of its answers."""

    hooks: dict[str, Any]
    kept_tasks: Tasks

    def chain(self, name: str) -> Chain:
        """Return the calls of an event's listeners."""
        ...


def watch(app: TellsOfAnswers, protocol: Any) -> None:
    """Report each answer of a connection to an application, from the current one on."""
    if getattr(protocol, "answers_to", None) is not app:
        protocol.answers_to = app
        when_answered(protocol, partial(tell, app))


def tell(app: TellsOfAnswers, request: Any, response: Any, _: int = 0) -> None:
    """Run the functions after an answer that was sent or lost, and send `answered`."""
    functions = getattr(request, "after_functions", None)
    if functions is not None:
        app.kept_tasks.run_all(functions)
    if "answered" in app.hooks:
        calls = [
            (partial(call, request, response), listener)
            for call, _, listener in app.chain("answered")
        ]
        begun, rest = call_until_one_waits(calls)
        if begun is not None:
            app.kept_tasks.start(finish(begun, rest))


def call_until_one_waits(calls: Sequence[Call]) -> tuple[Awaitable[Any] | None, Sequence[Call]]:
    """Call listeners up to the first async one; return its awaitable, and the rest of the calls.

    An exception of a listener is logged, and the other listeners still run.
    """
    for position, (call, listener) in enumerate(calls):
        try:
            result = call()
            if result is not None and not isawaitable(result):
                refuse_unrun(result, f"{described(listener)}, a listener of answered,")
        except BaseException as error:
            if not isinstance(error, GeneratorExit) and ends_task(error):
                raise
            log_failure(listener, error)
            continue
        if isawaitable(result):
            return result, calls[position:]
    return None, ()


async def finish(begun: Awaitable[Any] | None, rest: Sequence[Call]) -> None:
    """Await `begun`, the call of the first listener in `rest`; then run the others in order."""
    while begun is not None:
        try:
            await begun
        except BaseException as error:
            if ends_task(error):
                raise
            log_failure(rest[0][1], error)
        begun, rest = call_until_one_waits(rest[1:])


def log_failure(listener: Any, error: BaseException) -> None:
    log_error(f"listener {described(listener)} of answered", error)


class RunsAfter:
    """The part of a response that runs functions after the response was sent."""

    __slots__ = ()

    app: Any
    request: Any

    def after(self, function: F) -> F:
        """Call `function` after the response was sent or its connection was lost; return it.

        The function is plain or async, and gets no arguments. Several functions run one after
        another, in the order in which they were given. An exception is logged and sent as the
        event `task_error`, and the other functions still run. Graceful shutdown waits for these
        functions, as for the tasks of `app.create_task`.

        Raises:
            TypeError: the argument is not callable, or it is a coroutine or a generator function.
        """
        check_function(function)
        # A response that was created without a request is never sent.
        if self.request is not None and self.app is not None:
            run_after(self.app, self.request, self, function)
        return function


def run_after(
    app: TellsOfAnswers,
    request: Any,
    response: Any,
    function: Callable[[], Any],
    first: bool = False,
) -> None:
    """Call `function` after the answer to a request, as `after` does; `first` of all, or last."""
    if is_over(request):
        app.kept_tasks.run_all([function])
    elif (functions := getattr(request, "after_functions", None)) is not None:
        functions.insert(0 if first else len(functions), function)
    else:
        request.after_functions = [function]
        watch_request(app, request, response)


def watch_request(app: TellsOfAnswers, request: Any, response: Any) -> None:
    """Call `tell` when this request is answered."""
    if hasattr(type(request.protocol), "on_answered"):
        watch(app, request.protocol)
        return
    # This protocol does not report its answers, but the current task ends soon after the answer.
    with suppress(RuntimeError):  # the request was created without a running event loop
        task = asyncio.current_task()
        if task is not None:
            task.add_done_callback(lambda _: tell(app, request, response))


def is_over(request: Any) -> bool:
    """Tell whether a request was answered already, as far as its connection shows that."""
    return getattr(request.protocol, "request", request) is not request


def check_function(function: Any) -> None:
    if isinstance(function, Coroutine):
        function.close()  # otherwise Python warns that it was never awaited
        raise TypeError("`after` calls a function later: give the function itself, without ()")
    if not callable(function):
        raise TypeError(f"`after` takes a function to call later, not {shown(function)}")
    if is_generator(function):
        raise TypeError(f"{shown(function)} is a generator, which `after` cannot run")
