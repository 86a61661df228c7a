"""How an application has ended, as an awaitable: the native core gives it to Python's `answer`."""

from __future__ import annotations

from typing import NoReturn, TypeVar

__all__ = ["raised", "returned"]

T = TypeVar("T")


async def returned(result: T) -> T:
    """Return what the application has returned."""
    return result


async def raised(error: BaseException) -> NoReturn:
    """Raise what the application has raised."""
    raise error
