"""Checks of the callables that applications give to Roll: async or not, and their arguments."""

from __future__ import annotations

import inspect
from functools import lru_cache, partial
from typing import Any, Final

from roll_http.shown import shown

__all__ = [
    "functions_of",
    "is_async",
    "is_generator",
    "refuse_async",
    "refuse_awaitable",
    "refuse_class",
    "refuse_misfit",
    "refuse_unrun",
    "signature_of",
]


PASSING: Final = staticmethod | type(lru_cache(bool))
"""Objects of Python that pass all arguments on to a function, as its `staticmethod` in a class."""


def is_async(call: Any) -> bool:
    """Tell whether `call` is an `async def`, an async method or an object with such a `__call__`.

    A plain function that returns an awaitable is not found: only its result shows that.
    """
    return any(map(inspect.iscoroutinefunction, functions_of(call)))


def is_generator(call: Any) -> bool:
    """Tell whether `call` returns a generator, sync or async, whose body nothing would run."""
    return any(
        inspect.isasyncgenfunction(function) or is_plain_generator(function)
        for function in functions_of(call)
    )


def functions_of(call: Any) -> tuple[Any, Any]:
    """Return the function inside of partials, and its `__call__` (None for a class)."""
    while isinstance(call, partial | PASSING):
        call = call.func if isinstance(call, partial) else call.__wrapped__
    return call, None if inspect.isclass(call) else getattr(call, "__call__", None)  # noqa: B004 - the method itself is needed


def is_plain_generator(function: Any) -> bool:
    """Tell whether a function is a plain generator, not a generator that can be awaited."""
    flags = getattr(getattr(function, "__code__", None), "co_flags", 0)
    return flags & (inspect.CO_GENERATOR | inspect.CO_ITERABLE_COROUTINE) == inspect.CO_GENERATOR


def refuse_async(call: Any, what: str) -> None:
    """Raise a `ValueError` if `call` is async or a generator, because Roll does not await it.

    `what` is the subject of the message.
    """
    if is_async(call) or is_generator(call):
        raise ValueError(f"{what} is never awaited: {shown(call)} must be a plain function")


def signature_of(call: Any) -> inspect.Signature:
    """Return the signature of the callable itself, not of a function that it wraps.

    Raises:
        TypeError, ValueError: the signature cannot be read, as that of some builtins.
    """
    while isinstance(call, PASSING):
        call = call.__wrapped__
    # Before Python 3.13, `inspect` takes the first parameter of such a `__call__` for `self`.
    called = inspect.getattr_static(type(call), "__call__", None)
    if isinstance(called, staticmethod | classmethod):
        call = call.__call__
    return inspect.signature(call, follow_wrapped=False)


def refuse_misfit(call: Any, names: tuple[str, ...], what: str) -> None:
    """Raise a `ValueError` if `call` cannot be called with the arguments `names`, by position."""
    try:
        signature = signature_of(call)
    except (TypeError, ValueError):  # some builtins have no readable signature
        return
    try:
        signature.bind(*names)
    except TypeError as error:
        right = ", ".join(names)
        raise ValueError(
            f"{what} is called with ({right}), but {shown(call)} takes {signature}: {error}"
        ) from None


def refuse_class(call: Any, what: str) -> None:
    """Raise a `ValueError` if `call` makes objects, which nothing would use."""
    made = functions_of(call)[0]
    if isinstance(made, type):
        raise ValueError(f"{what} is a function: {made!r} is a class whose objects nothing uses")  # noqa: TRY004 - as every mistake in a route


def refuse_awaitable(result: Any, what: str) -> None:
    """Raise a `TypeError` if `result` is awaitable, because Roll does not await it."""
    if inspect.isawaitable(result):
        if inspect.iscoroutine(result):
            result.close()  # otherwise Python warns that it was never awaited
        raise TypeError(f"{what} is never awaited: {shown(result)}")


def refuse_unrun(result: Any, what: str) -> None:
    """Raise a `TypeError` if a call returned a coroutine or a generator, which never started.

    `what` describes the call in the message.
    """
    if inspect.iscoroutine(result):
        result.close()  # otherwise Python warns as well, and this error is clearer
        name = f"{result.__qualname__}()"
        raise TypeError(
            f"{what} returned a coroutine, {name}, which never started: `await` it first"
        )
    if inspect.isgenerator(result) or inspect.isasyncgen(result):
        raise TypeError(f"{what} returned a generator, which never started: {shown(result)}")
