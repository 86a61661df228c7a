"""Checks of the functions that an application gives."""

from __future__ import annotations

import inspect
from functools import partial
from typing import Any

__all__ = ["is_plain", "takes"]


def is_plain(call: Any) -> bool:
    """Return whether a call runs at once: not for coroutine functions and generator functions.

    A plain function that returns a coroutine is only recognised by its result.
    """
    while isinstance(call, partial):
        call = call.func
    called = (call, None if inspect.isclass(call) else getattr(call, "__call__", None))  # noqa: B004 - the method itself is wanted
    later = (
        inspect.iscoroutinefunction,
        inspect.isgeneratorfunction,
        inspect.isasyncgenfunction,
    )
    return callable(call) and not any(tell(each) for tell in later for each in called)


def takes(call: Any, number: int) -> bool:
    """Return whether a call takes this number of arguments.

    True if its signature can't be read, as that of some builtins.
    """
    # Before Python 3.13, `inspect` takes the first parameter of such a `__call__` for `self`.
    if isinstance(
        inspect.getattr_static(type(call), "__call__", None), staticmethod | classmethod
    ):
        call = call.__call__
    try:
        signature = inspect.signature(call, follow_wrapped=False)
    except (TypeError, ValueError):
        return True
    try:
        signature.bind(*range(number))
    except TypeError:
        return False
    return True
