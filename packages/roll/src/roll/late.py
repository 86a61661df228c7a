"""What is left to do with a response once its handler and all listeners have had it.

A request to which nothing of that applies pays for one look at `request.late`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from .conditional import answer_conditions

__all__ = ["Late", "late_of", "settle"]

Transform = Callable[[Any, Any], Awaitable[object]]
"""Called with the request and the response."""


class Late:
    """What is left to do: each part is set by who wants it."""

    __slots__ = ("conditional", "transforms")

    def __init__(self) -> None:
        self.conditional = False
        """Whether the conditions of the request are looked at (RFC 9110 13)."""
        self.transforms: list[Transform] = []
        """What changes the response last, in this order."""


def late_of(request: Any) -> Late:
    """Return what is left to do for a request, to be added to."""
    if request.late is None:
        request.late = Late()
    late: Late = request.late
    return late


async def settle(request: Any, response: Any) -> None:
    """Do what is left to do: nothing sees the response after that."""
    late: Late = request.late
    if late.conditional:
        await answer_conditions(request, response)
    for transform in late.transforms:
        await transform(request, response)
