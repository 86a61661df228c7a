"""Checks of the functions that an application gives."""

from __future__ import annotations

import inspect
from functools import partial
from typing import Any

__all__ = ["is_plain"]


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
