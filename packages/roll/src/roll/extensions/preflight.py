"""`options`: an answer to every OPTIONS request."""

from __future__ import annotations

from typing import Any

from ..application import Roll
from ..lookup import answer_any_target

__all__ = ["options"]


def options(app: Roll) -> None:
    """Answer OPTIONS with 200 for any path; the answer to `OPTIONS *` has `Allow`."""

    @app.listen("headers")
    def answer_options(request: Any, response: Any) -> bool:
        if request.method != "OPTIONS":
            return False
        if request.path == "*":
            answer_any_target(request, response)
        return True
