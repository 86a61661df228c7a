# The native core, see `native.pyx`. Its classes have the types of those in Python.

from collections.abc import Callable
from typing import Any

from ..limits import Limits
from .bases import ConnectionBase, RequestBase, ResponseBase

__all__ = [
    "SOURCES",
    "ConnectionBase",
    "RequestBase",
    "ResponseBase",
    "cookie_line",
    "encode_json",
    "get_cookies",
    "get_json",
    "get_response_cookies",
    "lower_fields",
    "parse",
    "read_cookies",
    "serialize",
    "serialize_common",
    "set_cookie",
    "set_json",
    "watch_states",
]

SOURCES: str

def parse(
    data: bytes, limits: Limits
) -> tuple[str, bytes, str, str, dict[str, str], bytes, int, int] | None: ...
def serialize(response: Any, date: str) -> bytes | None: ...
def serialize_common(
    request: Any, response: Any, date: str
) -> tuple[bytes, bytes, None, None, bool] | None: ...
def lower_fields(block: bytes) -> list[tuple[bytes, bytes]]: ...
def encode_json(value: Any) -> bytes | None: ...
def set_json(response: Any, value: Any) -> None: ...
def watch_states(enter: Callable[[Any, int], None] | None) -> None: ...
def cookie_line(cookie: Any) -> str | None: ...
def get_cookies(request: Any) -> Any: ...
def get_json(request: Any) -> Any: ...
def get_response_cookies(response: Any) -> Any: ...
def set_cookie(*arguments: Any, **named: Any) -> None: ...
def read_cookies(block: bytes) -> Any: ...
