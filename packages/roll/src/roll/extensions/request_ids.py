"""`request_ids`: the id of a request in the logs of all services that it passes through."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any, Final

from roll_http import Request as PlainRequest
from roll_http.shown import shown
from roll_http.syntax import is_token

from ..application import Roll
from ..errors import set_fields
from ..identity import ID
from .proxy_headers import ProxyHeaders
from .trusting import TrustsProxies

__all__ = ["RequestIds", "request_ids"]


def request_ids(
    app: Roll, trusted: Collection[str] | None = None, header: str = "X-Request-ID"
) -> None:
    """Give each request an id: the one that a trusted proxy sends in `header`, or a new one.

    `request.id` has the id. The JSON access log and the same header of the response have it too,
    also for a websocket. An id has 1 to 200 characters: letters, digits and `._~:+/=@-`. Any other
    id is replaced by a new one.

    `trusted` has the trusted proxies, as for `proxy_headers`. By default they are those of the
    extension `proxy_headers` if it is on, otherwise those of this machine; under gunicorn, those
    of `--forwarded-allow-ips`.

    Raises:
        ValueError: `trusted` has an invalid value, or `header` is not the name of a field, or is
            that of a field with another meaning, such as `ETag`.
    """
    check_header(header)
    ids = RequestIds(trusted, header)
    # This listener is the first one, so that the others log and refuse requests with an id.
    app.hooks.setdefault("headers", []).insert(0, ids)
    app.hooks.setdefault("response", []).insert(0, ids.send_back)
    app.at_startup(lambda: ids.adopt(app.hooks["headers"]))


FAMILIES: Final = (
    *("accept", "access-control-", "content-", "cross-origin-", "if-", "proxy-", "sec-"),
    *("x-accel-", "x-content-", "x-forwarded-", "x-sendfile", "want-"),
)
"""The beginnings of names of fields that have another meaning."""

TAKEN: Final = frozenset(
    """
    age allow alt-svc alt-used authentication-info authorization baggage cache-control
    cache-status clear-site-data connection cookie critical-ch date dav depth destination
    digest dnt early-data etag expect expires forwarded from host http2-settings keep-alive
    last-event-id last-modified link location max-forwards nel no-vary-search origin
    origin-agent-cluster overwrite permissions-policy ping-from ping-to pragma prefer
    preference-applied priority range referer referrer-policy refresh report-to
    reporting-endpoints repr-digest retry-after server server-timing service-worker
    service-worker-allowed set-cookie set-cookie2 set-login signature signature-input
    sourcemap speculation-rules strict-transport-security te timeout timing-allow-origin
    traceparent traceresponse tracestate trailer transfer-encoding upgrade
    upgrade-insecure-requests use-as-dictionary user-agent vary via warning www-authenticate
    x-dns-prefetch-control x-frame-options x-http-method-override
    x-permitted-cross-domain-policies x-real-ip x-requested-with x-robots-tag
    x-ua-compatible x-xss-protection
    """.split()  # noqa: SIM905 - shorter
)
"""The other fields of requests and responses that have another meaning (RFC 9110 18.4, Fetch)."""


def check_header(header: object) -> None:
    if not isinstance(header, str) or not is_token(header):
        raise ValueError(
            f"`header` is the name of a field, as 'X-Request-ID', not {shown(header)}"
        )
    if header.lower() in TAKEN or header.lower().startswith(FAMILIES):
        raise ValueError(
            f"`header` is the name of a field for ids, as 'X-Request-ID': {shown(header)} has"
            " another meaning"
        )


class RequestIds(TrustsProxies):
    """The listener of `headers`."""

    def __init__(self, trusted: Collection[str] | None, header: str) -> None:
        super().__init__(trusted)
        self._header = header
        self._key = header.upper()

    def adopt(self, listeners: Collection[Any]) -> None:
        """Trust the proxies of `proxy_headers`, unless the application has named others."""
        if self.by_default:
            known = [one.trusted for one in listeners if isinstance(one, ProxyHeaders)]
            self.trusted = known[0] if known else self.trusted

    def __call__(self, request: Any, response: Any) -> None:
        """Set the id of a request and of a 101, for which the event `response` is not sent."""
        self.take(request)
        if request.upgrade is not None:
            set_fields(response.headers, {self._header: request.id})

    def take(self, request: Any) -> None:
        """Set the id of a request to that of a trusted proxy, unless the request has an id."""
        given = request.headers.get(self._key, "")
        if request.known_id is None and re.fullmatch(ID, given) and self._trusts_peer(request):
            request.id = given

    def _trusts_peer(self, request: Any) -> bool:
        # The peer of the connection, not the client that `proxy_headers` sets.
        peer = PlainRequest.client.fget(request)  # type: ignore[attr-defined]  # a property
        return self.trusted.has(None if peer is None else peer[0])

    def send_back(self, request: Any, response: Any) -> None:
        """Send the id with a response; a listener of `response`."""
        self.take(request)  # in case an overridden `lookup` failed before any event
        set_fields(response.headers, {self._header: request.id})
