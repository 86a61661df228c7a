"""The request of a connection of a Listener."""

import re
from urllib.parse import unquote

from websockets.http11 import Request

from roll_websocket.errors import HandshakeError
from roll_websocket.handshake import HOST

__all__ = ["ListenerRequest"]

# RFC 9112 3.2.1 and 3.2.2: visible ASCII, without a fragment. `re` compiles it at the first
# request, and caches it.
ORIGIN_FORM = r"/[!\"$-~]*"
ABSOLUTE = rf"(?i:https?|wss?)://({HOST})(?=[/?]|\Z)"


class ListenerRequest:
    """The HandshakeRequest that handlers of a Listener get.

    Raises HandshakeError for a malformed target.
    """

    def __init__(self, request: Request, client: tuple[str, int] | None) -> None:
        host, path, query_string = parts_of(request.path)
        self.method: str | None = request.method
        self.version = request.protocol.removeprefix("HTTP/")
        self.path = unquote(path)
        self.query_string = query_string
        self.client = client
        fields: dict[str, list[str]] = {}
        for name, value in request.headers.raw_items():
            fields.setdefault(name.upper(), []).append(value)
        self.headers = {name: ", ".join(values) for name, values in fields.items()}
        if host:  # then the field Host is ignored (RFC 9112 3.2.2)
            self.headers["HOST"] = host


def parts_of(target: str) -> tuple[str, str, str]:
    """Return the host (empty if there is none), the path and the query string of a target.

    Raises HandshakeError if the target is neither a path nor a whole URL (RFC 9112 3.2).
    """
    host = ""
    found = re.match(ABSOLUTE, target)
    if found is not None:
        host, target = found[1], target[found.end() :]
        target = target if target.startswith("/") else f"/{target}"
    if re.fullmatch(ORIGIN_FORM, target) is None:
        raise HandshakeError(400, "Bad request: its target is neither a path nor a URL.")
    path, _, query_string = target.partition("?")
    return host, path, query_string
