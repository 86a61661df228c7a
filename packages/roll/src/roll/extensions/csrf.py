"""`csrf`: pages of other sites change nothing."""

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
"""The methods that change nothing (RFC 9110 9.2.1)."""

OURS: Final = frozenset({"same-origin", "none"})
"""What `Sec-Fetch-Site` says of a request by our pages, or by the user (Fetch Metadata, 2.4)."""


def csrf(app: Roll, origins: str | Collection[str] = ()) -> None:
    """Answer 403 to what pages of other sites send: cross-site request forgery.

    Browsers say in `Sec-Fetch-Site`, or in `Origin`, which site has sent a request. Requests that
    change something, and websockets, are refused when it is another one. No token is needed.
    Clients other than browsers send neither field, and are not refused.

    `origins` are other sites that may, such as `"https://example.org"`. A route with the extra
    `csrf=False` is not checked. Behind a proxy, `Host` has to be that of the client, as nginx is
    told in the documentation.

    Raises:
        ValueError: `origins` are none.
    """
    several = [origins] if isinstance(origins, str) else origins
    if not is_list(several):
        raise ValueError(f"`origins` is a list of origins, or one of them, not {origins!r}")
    check_origins("origins", several)
    allowed = frozenset(several)

    # First of all listeners: none can end the chain before it.
    app.hooks.setdefault("headers", []).insert(0, lambda request: check(request, allowed))


def check(request: Any, allowed: Collection[str]) -> None:
    if (request.method in SAFE and request.upgrade is None) or is_ours(request, allowed):
        return
    if extras_of(request).get("csrf") is not False:
        raise HttpError(HTTPStatus.FORBIDDEN, "A page of another site has sent this request")


def is_ours(request: Any, allowed: Collection[str]) -> bool:
    origin = request.origin
    if origin in allowed:
        return True
    site = request.headers.get("SEC-FETCH-SITE")
    if site is not None:
        return site in OURS
    # The scheme may differ behind a proxy that ends TLS. A browser of before 2023, over HTTP.
    return not origin or origin.partition("://")[2] == request.host


def extras_of(request: Any) -> Any:
    payload = request.route.payload or {}
    endpoint = payload.get(ENDPOINTS.get(request.method, ""))
    return getattr(endpoint, "extras", None) or {}
