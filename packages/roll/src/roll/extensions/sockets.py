"""`websockets_store`: the open websockets."""

from __future__ import annotations

from typing import Any

from ..application import Roll

__all__ = ["websockets_store"]


def websockets_store(app: Roll) -> None:
    """Keep the open websockets in `app["websockets"]`, a set."""
    app["websockets"] = set()

    @app.listen("websocket_connect")
    def add(ws: Any) -> None:
        app["websockets"].add(ws)

    @app.listen("websocket_disconnect")
    def discard(ws: Any) -> None:
        app["websockets"].discard(ws)
