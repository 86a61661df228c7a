"""The last steps of a response: its file is opened, conditions are looked at, it is compressed."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any, Protocol

from roll_http import HttpError

from .conditional import answer_conditions
from .errors import ends_task, fill
from .late import Late
from .sent_file import SentFile

__all__ = ["open_file", "settle"]


class AnswersErrors(Protocol):
    """What is asked of an application whose files may be missing."""

    def on_error(self, request: Any, response: Any, error: BaseException) -> Awaitable[None]:
        """Set the response from an error."""
        ...


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
        if ends_task(error, request):
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
    late: Late = request.late
    if late.file is not None:
        late.file.take_back(response, typed=isinstance(response.body, SentFile))
        late.file = None  # which closes a file that is not sent
    await open_file(app, request, response)  # a listener may have set it
    if late.conditional:
        await answer_conditions(request, response)
    for transform in late.transforms:
        await transform(request, response)
