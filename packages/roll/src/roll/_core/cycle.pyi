# The cycle of a common request, see `cycle.pyx`.

from typing import Any

from .bases import ExchangeBase

__all__ = ["SOURCES", "ExchangeBase", "answer_now"]

SOURCES: str

def answer_now(app: Any, request: Any, response: Any) -> Any: ...
