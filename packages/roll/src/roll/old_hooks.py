"""Methods that subclasses of the parts of Roll 0.13 could override; nothing calls them now.

The names of the connection are those of `roll_http.connection.gone`.
"""

from __future__ import annotations

from typing import Any, Final

from .containers import Form, Multipart, Query
from .request import Request

__all__ = ["OLD_HOOKS", "base_of", "refuse_old_hooks"]

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

OLD_HOOKS: Final[dict[str, dict[str, str]]] = {
    "Query": QUERY,
    "Form": QUERY,
    "Multipart": dict.fromkeys(
        ("on_data", "on_header", "on_headers_complete", "on_part_begin", "on_part_complete"),
        PARTS,
    ),
    "Request": {
        "_chunk": "override `__aiter__`",
        "_parse_multipart": "override `form` and `files`",
        "_parse_urlencoded": "override `form`",
        "queue": "`async for chunk in request` gives the body as it comes",
    },
    "WebsocketProtocol": SOCKET,
}
"""Part -> the replacement of each old name."""

BASES: Final = {"Query": Query, "Form": Form, "Multipart": Multipart, "Request": Request}


def base_of(part: str) -> type:
    """Return the class of Roll for a part of `OLD_HOOKS`."""
    if part != "WebsocketProtocol":
        return BASES[part]
    from roll_websocket import WSProtocol  # noqa: PLC0415 - see `deferred`

    return WSProtocol


def refuse_old_hooks(part: Any, name: str, where: str) -> None:
    """Raise a `ValueError` if a subclass of Roll's part defines a method that nothing calls."""
    if name not in OLD_HOOKS or not isinstance(part, type) or not issubclass(part, base_of(name)):
        return
    for hook, instead in OLD_HOOKS[name].items():
        if hasattr(part, hook):
            raise ValueError(
                f"{where} defines `{hook}`, which nothing calls since 0.14: {instead}"
            )
