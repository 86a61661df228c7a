"""How the first step of a request has ended, as an awaitable: what the core gives to Python.

They are not coroutines: without memory to await one, Python would warn about it.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, NoReturn

__all__ = ["raised", "returned"]


class returned:  # noqa: N801 - called like a function
    """An awaitable that gives `result`."""

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
        raise self._error
