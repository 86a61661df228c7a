"""The check of the page that opens a websocket over ASGI."""

from __future__ import annotations

import re
from typing import Any

from roll_websocket import HandshakeError

__all__ = ["check_origin"]


def check_origin(origin: str | None, allowed: Any) -> None:
    """Raise HandshakeError if the origin of the page may not connect."""
    # A request without Origin does not come from a browser (RFC 6455 4.2.1).
    if allowed is None or origin is None:
        return
    known = [allowed] if isinstance(allowed, str) else allowed
    if not any(is_origin(origin, one) for one in known):
        raise HandshakeError(403, f"Bad WebSocket handshake: invalid Origin header: {origin}.")


def is_origin(origin: str, known: Any) -> bool:
    if isinstance(known, re.Pattern):
        return known.fullmatch(origin) is not None
    return bool(known == origin)
