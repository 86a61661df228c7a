"""The entry point of an ASGI server: one call per scope (ASGI 3.0)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from .http import serve_http
from .lifespan import serve_lifespan

__all__ = ["Receive", "Scope", "Send", "serve_scope"]

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


async def serve_scope(app: Any, scope: Scope, receive: Receive, send: Send) -> None:
    """Serve a scope of an ASGI server: a request, a websocket or the lifespan.

    Raises:
        ValueError: the type of the scope is unknown, as ASGI demands.
    """
    kind = scope["type"]
    if kind == "http":
        await serve_http(app, scope, receive, send)
    elif kind == "websocket":
        from .handshake import serve_websocket  # noqa: PLC0415 - see `roll.deferred`

        await serve_websocket(app, scope, receive, send)
    elif kind == "lifespan":
        await serve_lifespan(app, receive, send)
    else:
        raise ValueError(f"Roll knows the scopes http, websocket and lifespan, not {kind!r}")
