"""The scope of a request: its data for an ASGI application."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import quote

from roll_http.raw_fields import lower_fields

__all__ = ["EXTENSIONS", "addresses", "http_scope", "websocket_scope"]

# The characters of a path that need no escape (RFC 3986 3.3).
PATH: Final = "/!$&'()*+,;=:@-._~"

EXTENSIONS: Final[dict[str, dict[str, Any]]] = {
    "http.response.pathsend": {},
    "http.response.trailers": {},
    "http.response.early_hint": {},
}
"""The extensions of ASGI 3 that the server supports."""

SECURE: Final = frozenset({"https", "wss"})


def http_scope(request: Any, prefix: str, state: dict[str, Any]) -> dict[str, Any]:
    """Return the scope of a request to an application that is mounted at `prefix`."""
    server, client, scheme = addresses(request.protocol)
    forwarded = getattr(request, "forwarded", None)
    path = request.path
    if forwarded is not None:
        client, scheme = request.client, request.scheme
        prefix, path = f"{forwarded.prefix or ''}{prefix}", f"{forwarded.prefix or ''}{path}"
    raw_path, _, query = request.url.partition(b"?")
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": request.version,
        "server": server,
        "client": client,
        "scheme": scheme,
        "method": request.method,
        "root_path": prefix,
        "path": path,
        "raw_path": raw_path if path is request.path and raw_path[:1] == b"/" else escaped(path),
        "query_string": query,
        "headers": fields_of(request, forwarded),
        "state": state.copy(),
        "extensions": EXTENSIONS.copy(),
    }


def websocket_scope(request: Any, prefix: str, state: dict[str, Any]) -> dict[str, Any]:
    """Return the scope of a websocket to an application that is mounted at `prefix`."""
    scope = http_scope(request, prefix, state)
    offered = request.headers.get("SEC-WEBSOCKET-PROTOCOL", "")
    names = (name.strip(" \t") for name in offered.split(","))
    del scope["method"]
    return scope | {
        "type": "websocket",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "scheme": "wss" if scope["scheme"] in SECURE else "ws",
        "subprotocols": [name for name in names if name],
        "extensions": {"websocket.http.response": {}},
    }


def fields_of(request: Any, forwarded: Any) -> list[tuple[bytes, bytes]]:
    """Return the fields as received, with the host of the request target (RFC 9112 3.2.2)."""
    block = request._block  # noqa: SLF001 - cheaper than `raw_headers`
    if block is None:  # a request that was not parsed
        return [(name.lower(), value) for name, value in request.raw_headers]
    fields: list[tuple[bytes, bytes]] = lower_fields(block)
    if forwarded is not None or request.url[:1] != b"/":
        host = request.host.encode()
        fields = [(name, host if name == b"host" else value) for name, value in fields]
    return fields


def addresses(connection: Any) -> tuple[Any, Any, str]:
    """Return the addresses of server and client, and the scheme; read once per connection."""
    found: tuple[Any, Any, str] | None = getattr(connection, "asgi_addresses", None)
    if found is None:
        found = connection.asgi_addresses = read_addresses(connection)
    return found


def read_addresses(connection: Any) -> tuple[Any, Any, str]:
    scheme = "https" if connection.secure else "http"
    if hasattr(connection, "scope"):  # another server, over ASGI
        return connection.scope.get("server"), connection.scope.get("client"), scheme
    name = connection.transport.get_extra_info("sockname")
    server = (name[0], name[1]) if isinstance(name, tuple) else (name, None) if name else None
    return server, connection.peer, scheme


def escaped(path: str) -> bytes:
    return quote(path, PATH).encode()
