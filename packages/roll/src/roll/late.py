"""What is left to do for a request once its handler, or all listeners, have had the response.

A request to which nothing of that applies pays for looks at `request.late`, which is None.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

__all__ = ["Late", "late_of", "unsettled"]

Transform = Callable[[Any, Any], Awaitable[object]]
"""Called with the request and the response."""


class Late:
    """What is left to do: each part is set by who wants it."""

    __slots__ = ("conditional", "file", "transforms", "unsettled", "uploads")

    def __init__(self) -> None:
        self.unsettled = False
        """Whether there is a response to be settled: any of the next three, or a file to open."""
        self.conditional = False
        """Whether the conditions of the request are looked at (RFC 9110 13)."""
        self.file: Any = None
        """What an open file has made of the response, a `FileAnswer`."""
        self.transforms: list[Transform] = []
        """What changes the response last, in this order."""
        self.uploads: Any = None
        """The files that were read from the body of the request, to be closed at its end."""


def late_of(request: Any) -> Late:
    """Return what is left to do for a request."""
    if request.late is None:
        request.late = Late()
    late: Late = request.late
    return late


def unsettled(request: Any) -> Late:
    """Return what is left to do with the response to a request, to be added to."""
    late = late_of(request)
    late.unsettled = True
    return late
