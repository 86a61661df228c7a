"""One route for `/a` and `/a/`: what `strict_slashes=False` does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from .views import DEFAULTS, ENDPOINTS, page_of

__all__ = ["other_form"]

Match = tuple[Mapping[str, Any] | None, Mapping[str, str] | None]

# What may stand in a path unescaped (RFC 3986 3.3).
PATH_CHARACTERS = "/!$&'()*+,;=:@-._~"


def other_form(match: Callable[[str], Match], request: Any) -> Match:
    """Match the path with its last slash removed, or added.

    A GET or a HEAD of a page gets a redirection to the form that is registered; others, and
    websockets, are answered as if they had come there.
    """
    path = request.path[:-1] if request.path.endswith("/") else f"{request.path}/"
    payload, variables = match(path) if path else (None, None)
    # Two slashes, or what browsers take for them, would name a host.
    if payload is not None and not path.startswith(("//", "/\\")):
        payload = redirecting(payload)
    return payload, variables


def redirecting(payload: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a payload whose page, if it has one, is a redirection to the form it is found at."""
    pages = [method for method in ("GET", "HEAD") if page_of(payload, method) is not None]
    handlers = dict.fromkeys(pages, redirect_to_other_form)
    return {**payload, **handlers, **{ENDPOINTS[page]: DEFAULTS[page] for page in pages}}


def redirect_to_other_form(request: Any, response: Any, **_: str) -> None:
    path = request.path[:-1] if request.path.endswith("/") else f"{request.path}/"
    query = f"?{request.query_string}" if request.query_string else ""
    response.redirect = quote(path, PATH_CHARACTERS) + query, HTTPStatus.PERMANENT_REDIRECT
