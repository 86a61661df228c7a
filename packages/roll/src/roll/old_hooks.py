"""What subclasses of Roll 0.13 overrode in its parts, and nothing calls any more.

The names of the connection are those of `roll_http.connection.gone`.
"""

from __future__ import annotations

from typing import Any, Final

from roll_websocket import WSProtocol

from .containers import Form, Multipart, Query
from .request import Request

__all__ = ["OLD_HOOKS", "refuse_old_hooks"]

WORDS: Final = "override `bool`"
PARTS: Final = "`roll_multipart.PushParser` has such events"
ROUTE: Final = "`app.route` takes `methods` and `protocol`"
FRAMES: Final = "override `recv` or `send`"

QUERY: Final = dict.fromkeys(("FALSE_STRINGS", "NONE_STRINGS", "TRUE_STRINGS"), WORDS)

SOCKET: Final = {
    **dict.fromkeys(("ALLOWED_METHODS", "NEEDS_UPGRADE"), ROUTE),
    **dict.fromkeys(("read_data_frame", "read_frame", "read_message", "transfer_data"), FRAMES),
    **dict.fromkeys(("write_close_frame", "write_frame", "write_frame_sync"), FRAMES),
    "connection_open": "listen to `websocket_connect`",
    "connection_closed_exc": "`recv` raises `ConnectionClosed`",
    "close_connection": "listen to `websocket_disconnect`",
    "fail_connection": "listen to `websocket_disconnect`",
    "keepalive_ping": "`app.route` takes `ping_interval` and `ping_timeout`",
}

OLD_HOOKS: Final[dict[str, tuple[type, dict[str, str]]]] = {
    "Query": (Query, QUERY),
    "Form": (Form, QUERY),
    "Multipart": (
        Multipart,
        dict.fromkeys(
            ("on_data", "on_header", "on_headers_complete", "on_part_begin", "on_part_complete"),
            PARTS,
        ),
    ),
    "Request": (
        Request,
        {
            "_chunk": "override `__aiter__`",
            "_parse_multipart": "override `form` and `files`",
            "_parse_urlencoded": "override `form`",
            "queue": "`async for chunk in request` gives the body as it comes",
        },
    ),
    "WebsocketProtocol": (WSProtocol, SOCKET),
}
"""Part -> its class, and what does now what each old name did."""


def refuse_old_hooks(part: Any, name: str, where: str) -> None:
    """Raise a `ValueError` when a subclass of ours defines what nothing calls."""
    base, hooks = OLD_HOOKS.get(name, (object, {}))
    if not isinstance(part, type) or not issubclass(part, base):
        return
    for hook, instead in hooks.items():
        if hasattr(part, hook):
            raise ValueError(
                f"{where} defines `{hook}`, which nothing calls since 0.14: {instead}"
            )
