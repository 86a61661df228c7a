"""Awaitables for the outcome of a request's first step, which the core passes to Python.

They are not coroutines: if memory fails before the await, Python would warn about a coroutine.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, NoReturn

__all__ = ["raised", "returned"]


class returned:  # noqa: N801 - called like a function
    """An awaitable that returns `result`."""

    __slots__ = ("_result",)

    def __init__(self, result: Any) -> None:
        self._result = result

    def __await__(self) -> Generator[Any, Any, Any]:
        yield from ()
        return self._result


class raised:  # noqa: N801
    """An awaitable that raises `error`."""

    __slots__ = ("_error",)

    def __init__(self, error: BaseException) -> None:
        self._error = error

    def __await__(self) -> NoReturn:
        try:
            raise self._error
        finally:
            del self._error  # the error refers to this frame: a cycle of references
