"""One route for `/a` and `/a/`: what `strict_slashes=False` does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from .views import ENDPOINTS, Endpoint, endpoint_of_get

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
    if payload is None or not redirects(payload, path):
        return payload, variables
    redirection = Endpoint(redirect_to_other_form)
    keys = (ENDPOINTS["GET"], ENDPOINTS["HEAD"])
    return {**payload, **dict.fromkeys(keys, redirection)}, variables


def redirects(payload: Mapping[str, Any], path: str) -> bool:
    """Tell whether a GET is to be redirected: there is a page, and `path` names no host."""
    page = endpoint_of_get(payload) is not None or "HEAD" in payload
    return page and not path.startswith(("//", "/\\"))


def redirect_to_other_form(request: Any, response: Any, **_: str) -> None:
    path = request.path[:-1] if request.path.endswith("/") else f"{request.path}/"
    query = f"?{request.query_string}" if request.query_string else ""
    response.redirect = quote(path, PATH_CHARACTERS) + query, HTTPStatus.PERMANENT_REDIRECT
