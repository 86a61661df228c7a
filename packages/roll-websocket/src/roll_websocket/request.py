"""The request of a connection of a Listener."""

from urllib.parse import unquote

from websockets.http11 import Request

__all__ = ["ListenerRequest"]


class ListenerRequest:
    """The HandshakeRequest that handlers of a Listener get."""

    def __init__(self, request: Request, client: tuple[str, int] | None) -> None:
        target, _, query_string = request.path.partition("?")
        self.method: str | None = request.method
        self.version = request.protocol.removeprefix("HTTP/")
        self.path = unquote(path_of(target))
        self.query_string = query_string
        self.client = client
        fields: dict[str, list[str]] = {}
        for name, value in request.headers.raw_items():
            fields.setdefault(name.upper(), []).append(value)
        self.headers = {name: ", ".join(values) for name, values in fields.items()}


def path_of(target: str) -> str:
    """Return the path of a target, which may be a whole URL (RFC 9112 3.2.2)."""
    if target.startswith("/"):
        return target
    _, _, rest = target.partition("://")
    return "/" + rest.partition("/")[2]
