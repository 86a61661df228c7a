"""Errors about values that cannot be the body of a response; they name the handler."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from roll_http.h1.body_encoders import InvalidResponse
from roll_http.h1.response_body import read_body

from .advice import described

__all__ = ["fault_of"]

KNOWN: Final = (bytes, str, bytearray, memoryview)
"""Types that need no check. Streams need none either: a check could start or copy them."""


def fault_of(request: Any, response: Any) -> InvalidResponse | None:
    """Return an error that names the fault of a body and its handler; None for a valid body."""
    body = response.body
    if isinstance(body, KNOWN) or hasattr(body, "__aiter__") or hasattr(body, "__next__"):
        return None
    try:
        read_body(body)
    except InvalidResponse as error:
        return InvalidResponse(f"{error}. The handler is {handler_of(request)}")
    return None


def handler_of(request: Any) -> str:
    payload: Mapping[str, Any] = (request.route and request.route.payload) or {}
    handler = payload.get(request.method) or payload.get("GET")
    return "none: a listener answered" if handler is None else described(handler)
