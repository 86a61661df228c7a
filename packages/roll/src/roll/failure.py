"""An application in place of one that cannot be loaded or started."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from .application import Roll

__all__ = ["failed"]


def failed(text: str) -> Roll:
    """Return an application that answers each request with a 500 whose body is `text`."""
    app = Roll()
    body = text.encode(errors="backslashreplace")

    @app.listen("headers")
    def answer(response: Any) -> bool:
        response.status = HTTPStatus.INTERNAL_SERVER_ERROR
        response.headers["Content-Type"] = "text/plain; charset=utf-8"
        response.body = body
        return True

    return app
