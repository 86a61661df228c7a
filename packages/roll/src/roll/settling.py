"""The last steps of a response: open its file, check the request's conditions, compress it."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any, Protocol

from roll_http import HttpError

from .conditional import answer_conditions
from .errors import ends_task, fill, forget_lifetime
from .late import Late
from .sent_file import SentFile

__all__ = ["open_file", "settle"]


class AnswersErrors(Protocol):
    """The part of an application that answers errors about files."""

    def on_error(self, request: Any, response: Any, error: BaseException) -> Awaitable[None]:
        """Set the response from an error."""
        ...


async def open_file(app: AnswersErrors, request: Any, response: Any) -> None:
    """Open the file of a response, if its body is a file.

    If the file cannot be opened, the application answers the error. Its error page may be a file
    too. If that file cannot be opened either, the response is the error in plain text.
    """
    if not isinstance(response.body, SentFile):
        return
    try:
        await response.body.answer(request, response)
    except BaseException as error:
        if ends_task(error, request):
            raise
        forget_lifetime(response.headers)
        await app.on_error(request, response, error)
        if isinstance(response.body, SentFile):
            await open_page(request, response)


async def open_page(request: Any, response: Any) -> None:
    try:
        await response.body.answer(request, response)
    except (HttpError, OSError) as error:
        fill(response, HttpError(response.status, context=error))


async def settle(app: AnswersErrors, request: Any, response: Any) -> None:
    """Do the work that `request.late` lists; the application no longer sees the response."""
    late: Late = request.late
    if late.file is not None:
        late.file.take_back(response, typed=isinstance(response.body, SentFile))
        late.file = None  # this closes a file that is not sent
    await open_file(app, request, response)  # a listener may have set a file
    if late.conditional:
        await answer_conditions(request, response)
    for transform in late.transforms:
        await transform(request, response)
