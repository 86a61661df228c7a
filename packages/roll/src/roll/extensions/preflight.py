"""`options`: every OPTIONS request is welcome."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..lookup import answer_any_target

if TYPE_CHECKING:
    from ..application import Roll

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
