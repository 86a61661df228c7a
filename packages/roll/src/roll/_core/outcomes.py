"""How a handler has ended, as an awaitable: what the native cycle gives to the one in Python."""

from __future__ import annotations

from typing import NoReturn, TypeVar

__all__ = ["raised", "returned"]

T = TypeVar("T")


async def returned(result: T) -> T:
    """Return what the handler has returned."""
    return result


async def raised(error: BaseException) -> NoReturn:
    """Raise what the handler has raised."""
    raise error
