"""`csrf`: protection from cross-site request forgery."""

from __future__ import annotations

from collections.abc import Collection
from http import HTTPStatus
from typing import Any, Final

from roll_http import HttpError

from ..application import Roll
from ..settings import is_list
from ..views import ENDPOINTS
from .checks import check_origins

__all__ = ["csrf"]

SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
"""The safe methods (RFC 9110 9.2.1)."""

OURS: Final = frozenset({"same-origin", "none"})
"""`Sec-Fetch-Site` of requests by our own pages or by the user (Fetch Metadata, 2.4)."""


def csrf(app: Roll, origins: str | Collection[str] = ()) -> None:
    """Answer 403 to requests by pages of other sites (cross-site request forgery).

    Browsers name the site that has sent a request in `Sec-Fetch-Site` or in `Origin`. Requests
    with an unsafe method, and websockets, are refused when another site sends them. No token is
    needed. Clients other than browsers send neither field, and are not refused.

    `origins` are other sites that are allowed, such as `"https://example.org"`. A route with the
    extra `csrf=False` is not checked. A proxy must pass on the `Host` of the client; the
    documentation shows the setting for nginx.

    Raises:
        ValueError: `origins` has something else than origins.
    """
    several = [origins] if isinstance(origins, str) else origins
    if not is_list(several):
        raise ValueError(f"`origins` is a list of origins, or one of them, not {origins!r}")
    check_origins("origins", several)
    allowed = frozenset(several)

    # This listener is the first one, so that no other can end the chain before it.
    app.hooks.setdefault("headers", []).insert(0, lambda request: check(request, allowed))


def check(request: Any, allowed: Collection[str]) -> None:
    if (request.method in SAFE and request.upgrade is None) or is_ours(request, allowed):
        return
    if extras_of(request).get("csrf") is not False:
        raise HttpError(HTTPStatus.FORBIDDEN, "A page of another site has sent this request")


def is_ours(request: Any, allowed: Collection[str]) -> bool:
    origin = request.headers.get("ORIGIN")
    if origin in allowed:
        return True
    site = request.headers.get("SEC-FETCH-SITE")
    if site is not None:
        return site in OURS
    # This is a browser from before 2023, or plain HTTP. Ignore the scheme: a proxy may end TLS.
    # The origin "null" has no host: it must not match a request without `Host`.
    return origin is None or (origin.partition("://")[2] or None) == request.host


def extras_of(request: Any) -> Any:
    payload = request.route.payload or {}
    endpoint = payload.get(ENDPOINTS.get(request.method, ""))
    return getattr(endpoint, "extras", None) or {}
