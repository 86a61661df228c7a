"""What is left to do for a request once its handler, or all listeners, have had the response.

A request to which nothing of that applies pays for looks at `request.late`, which is None.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from roll_http import HttpError

from .conditional import answer_conditions
from .errors import ends_task, fill
from .sent_file import SentFile

__all__ = ["Late", "late_of", "open_file", "settle", "unsettled"]

Transform = Callable[[Any, Any], Awaitable[object]]
"""Called with the request and the response."""


class AnswersErrors(Protocol):
    """What is asked of an application whose files may be missing."""

    def on_error(self, request: Any, response: Any, error: BaseException) -> Awaitable[None]:
        """Set the response from an error."""
        ...


class Late:
    """What is left to do: each part is set by who wants it."""

    __slots__ = ("conditional", "transforms", "unsettled", "uploads")

    def __init__(self) -> None:
        self.unsettled = False
        """Whether there is a response to be settled: any of the next two, or a file to open."""
        self.conditional = False
        """Whether the conditions of the request are looked at (RFC 9110 13)."""
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


async def open_file(app: AnswersErrors, request: Any, response: Any) -> None:
    """Open the file that a response is to send, if it is to send one.

    An error is answered; its page may be a file, too. If that cannot be opened either, the answer
    is the error in plain text.
    """
    if not isinstance(response.body, SentFile):
        return
    try:
        await response.body.answer(request, response)
    except BaseException as error:
        if ends_task(error):
            raise
        await app.on_error(request, response, error)
        if isinstance(response.body, SentFile):
            await open_page(request, response)


async def open_page(request: Any, response: Any) -> None:
    try:
        await response.body.answer(request, response)
    except (HttpError, OSError) as error:
        fill(response, HttpError(response.status, context=error))


async def settle(app: AnswersErrors, request: Any, response: Any) -> None:
    """Do what is left to do: nothing sees the response after that."""
    await open_file(app, request, response)  # a listener may have set it
    late: Late = request.late
    if late.conditional:
        await answer_conditions(request, response)
    for transform in late.transforms:
        await transform(request, response)
