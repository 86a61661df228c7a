# The cycle of a common request, see `cycle.pyx`.

from typing import Any

__all__ = ["SOURCES", "answer_now"]

SOURCES: str

def answer_now(app: Any, request: Any, response: Any) -> Any: ...
