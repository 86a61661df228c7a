"""`options`: every OPTIONS request is welcome."""

from __future__ import annotations

from typing import Any

from ..application import Roll
from ..lookup import answer_any_target

__all__ = ["options"]


def options(app: Roll) -> None:
    """Answer any OPTIONS request with 200, whatever its path; `OPTIONS *` with `Allow`, too."""

    @app.listen("headers")
    def answer_options(request: Any, response: Any) -> bool:
        if request.method != "OPTIONS":
            return False
        if request.path == "*":
            answer_any_target(request, response)
        return True
