"""The work that is left after the handler, or after the listeners of `response`.

Most requests have no such work: their `request.late` is None, which is quick to check.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

__all__ = ["Late", "late_of", "unsettled"]

Transform = Callable[[Any, Any], Awaitable[object]]
"""Called with the request and the response."""


class Late:
    """The work that is left for a request."""

    __slots__ = ("conditional", "file", "transforms", "unsettled", "uploads")

    def __init__(self) -> None:
        self.unsettled = False
        """Whether the response needs one of the next three, or has a file to open."""
        self.conditional = False
        """Whether Roll checks the conditions of the request (RFC 9110 13)."""
        self.file: Any = None
        """The `FileAnswer` of an open file; None without a file."""
        self.transforms: list[Transform] = []
        """The functions that change the response last, in this order."""
        self.uploads: Any = None
        """The files of the request's body, which are closed at its end."""


def late_of(request: Any) -> Late:
    """Return the `Late` of a request; create it if needed."""
    if request.late is None:
        request.late = Late()
    late: Late = request.late
    return late


def unsettled(request: Any) -> Late:
    """Return the `Late` of a request, and mark its response as unsettled."""
    late = late_of(request)
    late.unsettled = True
    return late
