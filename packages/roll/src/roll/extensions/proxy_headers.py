"""`proxy_headers`: the client, the scheme and the host that a trusted proxy sends."""

from __future__ import annotations

from collections.abc import Collection
from http import HTTPStatus
from typing import Any

from roll_http import HttpError

from ..application import Roll
from ..settings import is_list
from .forwarded import ALL_FIELDS, origin_of
from .trusting import TrustsProxies

__all__ = ["ProxyHeaders", "proxy_headers"]


def proxy_headers(
    app: Roll, trusted: Collection[str] | None = None, fields: Collection[str] = ALL_FIELDS
) -> None:
    """Read the client, scheme and host from `Forwarded` or the `X-Forwarded-` fields.

    `request.client`, `request.scheme`, `request.host` and `request.base_url` then have the values
    before the proxies. Fields are read from the right, as long as the addresses are `trusted`.
    `trusted` has addresses, networks such as `"10.0.0.0/8"`, `"unix"` for Unix sockets, or `"*"`.
    By default only proxies of this machine are trusted; under gunicorn, those of
    `--forwarded-allow-ips`.

    `fields` names the fields that the proxy always sets or removes: `"forwarded"`, and `"for"`,
    `"proto"`, `"host"`, `"port"`, `"prefix"` for the `X-Forwarded-` fields. Leave out fields that
    the proxy passes on unchanged. A malformed field is answered with 400, and so is `Forwarded`
    together with `X-Forwarded-` fields.

    Raises:
        ValueError: `trusted` or `fields` has an invalid value.
    """
    listener = ProxyHeaders(trusted, fields)
    # This listener is the first one, so that all others see the same origin.
    app.hooks.setdefault("headers", []).insert(0, listener)


class ProxyHeaders(TrustsProxies):
    """The listener of `headers`."""

    def __init__(self, trusted: Collection[str] | None, fields: Collection[str]) -> None:
        if not is_list(fields) or any(name not in ALL_FIELDS for name in fields):
            raise ValueError(f"`fields` has some of {', '.join(ALL_FIELDS)}, not {fields!r}")
        super().__init__(trusted)
        self._fields = frozenset(fields)

    def __call__(self, request: Any) -> None:
        """Set the origin of a request."""
        try:
            origin = origin_of(request.headers, request.client, self.trusted, self._fields)
        except ValueError as error:
            raise HttpError(HTTPStatus.BAD_REQUEST, str(error)) from None
        if origin is not None:
            request.forwarded = origin
            if origin.host is not None:
                request.headers["HOST"] = origin.host
