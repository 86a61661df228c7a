"""A substitute for an application that cannot be loaded or started."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Final

from .application import Roll
from .local_hosts import is_asked_locally

__all__ = ["ELSEWHERE", "failed"]


ELSEWHERE: Final = "The application failed: see the terminal.\n"
"""The text for clients that may not see the cause."""


def failed(text: str, *, anywhere: bool = True) -> Roll:
    """Return an application that answers each request with a 500 whose body is `text`.

    If `anywhere` is false, requests whose `Host` is another machine get `ELSEWHERE` instead.
    """
    app = Roll()

    @app.listen("headers")
    def answer(request: Any, response: Any) -> bool:
        shown = text if anywhere or is_asked_locally(request) else ELSEWHERE
        response.status = HTTPStatus.INTERNAL_SERVER_ERROR
        response.headers["Content-Type"] = "text/plain; charset=utf-8"
        response.body = shown.encode(errors="backslashreplace")
        return True

    return app
