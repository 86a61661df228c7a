"""`options`: every OPTIONS request is welcome."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..application import Roll

__all__ = ["options"]


def options(app: Roll) -> None:
    """Answer any OPTIONS request with 200, whatever its path."""

    @app.listen("headers")
    def answer_options(request: Any) -> bool:
        return bool(request.method == "OPTIONS")
