"""Calls of an application's observers, such as `on_answered`: none of them can harm an answer."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable
from typing import Any

from ..cancellation import EXITS

__all__ = ["report"]

logger = logging.getLogger("roll_http")


def report(observer: Callable[..., Any], *arguments: Any) -> None:
    """Call an observer, and log what it raises; an async one is an error, as nothing awaits it."""
    try:
        result = observer(*arguments)
        if result is not None:
            _refuse_async(observer, result)
    except EXITS:
        raise
    except BaseException:
        logger.exception("%s failed", _name_of(observer))


def _refuse_async(observer: Callable[..., Any], result: Any) -> None:
    if inspect.isawaitable(result):
        if inspect.iscoroutine(result):
            result.close()  # otherwise Python warns as well, and this error is clearer
        raise TypeError(f"{_name_of(observer)} is called, not awaited: make it a plain function")


def _name_of(observer: Callable[..., Any]) -> str:
    return getattr(observer, "__qualname__", repr(observer))
