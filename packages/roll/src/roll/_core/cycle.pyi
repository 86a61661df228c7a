# The cycle of a common request, see `cycle.pyx`.

from typing import Any

from ..containers import Query
from .bases import ExchangeBase

__all__ = ["SOURCES", "ExchangeBase", "answer_now", "get_int", "get_query", "read_query"]

SOURCES: str

def answer_now(app: Any, request: Any, response: Any) -> Any: ...
def get_query(request: Any) -> Any: ...
def get_int(self: Any, key: Any, default: Any = ...) -> Any: ...
def read_query(text: Any) -> Query | None: ...
