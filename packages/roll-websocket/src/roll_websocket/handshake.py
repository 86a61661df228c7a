"""The opening handshake (RFC 6455 4.2): from a parsed request to the head of a 101 response."""

import re
from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Protocol

from websockets.datastructures import Headers
from websockets.exceptions import InvalidHandshake
from websockets.http11 import Request
from websockets.server import ServerProtocol

from roll_websocket.errors import HandshakeError
from roll_websocket.fields import VALUE, checked_field, pairs

__all__ = ["Fields", "HandshakeRequest", "Origins", "accept", "own_fields"]

Fields = Mapping[str, str] | Iterable[tuple[str, str]]
Origins = Sequence[str | re.Pattern[str]] | None

VERSION = "13"
UPGRADE = {"Upgrade": "websocket", "Connection": "Upgrade"}
EXTRA: dict[int, dict[str, str]] = {405: {"Allow": "GET"}, 426: UPGRADE}

# The most characters of offered extensions. Browsers send 50, and 64 KiB of offers took 38 ms.
MAX_OFFERS = 2048

# Fields that only the handshake sets, or that a 101 must not have (RFC 9110 8.6).
RESERVED = {"connection", "content-length", "date", "transfer-encoding", "upgrade"}
RESERVED_PREFIX = "sec-websocket-"

# `re` compiles it at the first handshake, and caches it.
HOST = r"(\[[0-9A-Fa-f:.]+\]|[0-9A-Za-z._~!$&'()*+;=%-]+)(:[0-9]*)?"


class HandshakeRequest(Protocol):
    """A request for a WebSocket, as an HTTP server has parsed it.

    A handshake needs `method`, `version` and `headers`; the others are for handlers.
    """

    @property
    def method(self) -> str | None:
        """The method, such as `"GET"`."""

    @property
    def version(self) -> str:
        """The version of HTTP, such as `"1.1"`."""

    @property
    def headers(self) -> Mapping[str, str]:
        """The fields: names in upper case, repeated ones joined by `", "`."""

    @property
    def path(self) -> str:
        """The path, percent-decoded, without the query string."""

    @property
    def query_string(self) -> str:
        """The query string, without its `?` and not decoded; empty when there is none."""

    @property
    def client(self) -> tuple[str, int] | None:
        """The address of the peer, host and port; None over a Unix socket."""


def accept(wire: ServerProtocol, request: HandshakeRequest, headers: Fields) -> bytes:
    """Return the head of the 101 response to `request`, with `headers` of the application.

    Raises HandshakeError if the request is refused, and ValueError for a field that cannot be
    sent.
    """
    own = own_fields(headers)
    check_request(request)
    response = wire.accept(translate(request))
    if response.status_code != HTTPStatus.SWITCHING_PROTOCOLS:
        raise refusal(response.status_code, wire.handshake_exc)
    for name, value in own:
        response.headers[name] = value
    return response.serialize()


def check_request(request: HandshakeRequest) -> None:
    """Refuse requests that the Sans-I/O layer does not check, or answers differently.

    The order is that of RFC 6455 4.2.1: the request as HTTP, the upgrade, its version.
    """
    if request.method != "GET":
        raise HandshakeError(405, "A WebSocket handshake is a GET request.", EXTRA[405])
    if request.version != "1.1":
        raise HandshakeError(505, "A WebSocket handshake needs HTTP/1.1.")
    check_message(request.headers)
    check_upgrade(request.headers)


def check_message(headers: Mapping[str, str]) -> None:
    """Refuse a bad Host, and a body: its bytes could be parsed as frames."""
    if re.fullmatch(HOST, headers.get("HOST", "")) is None:
        raise HandshakeError(400, "A request needs one valid Host.")
    if headers.get("CONTENT-LENGTH", "0") != "0" or "TRANSFER-ENCODING" in headers:
        raise HandshakeError(400, "A WebSocket handshake has no body.")


def check_upgrade(headers: Mapping[str, str]) -> None:
    """Refuse a request without an upgrade, another protocol, and another version."""
    upgrade = tokens(headers.get("UPGRADE", ""))
    if not any(upgrade) or "upgrade" not in tokens(headers.get("CONNECTION", "")):
        raise HandshakeError(426, "This is a WebSocket: ask for an upgrade.", UPGRADE)
    if "websocket" not in upgrade:
        raise HandshakeError(501, "The only upgrade here is to websocket.")
    if headers.get("SEC-WEBSOCKET-VERSION") != VERSION:
        known = {"Sec-WebSocket-Version": VERSION}
        raise HandshakeError(426, "The only WebSocket version here is 13.", UPGRADE | known)


def tokens(value: str) -> list[str]:
    """Return the tokens of a comma-separated field, in lower case."""
    return [token.strip().lower() for token in value.split(",")]


def translate(request: HandshakeRequest) -> Request:
    """Return the request as the layer expects it, with `websocket` as the only upgrade."""
    headers = Headers({"Connection": "Upgrade", "Upgrade": "websocket"})
    for name, value in request.headers.items():
        if name == "ORIGIN" or name.lower().startswith(RESERVED_PREFIX):
            if re.fullmatch(VALUE, value) is None:
                raise HandshakeError(
                    400, f"Bad WebSocket handshake: {name} has control characters."
                )
            headers[name] = value
    if len(headers.get("Sec-WebSocket-Extensions", "")) > MAX_OFFERS:
        raise HandshakeError(400, f"The offered extensions take over {MAX_OFFERS} characters.")
    return Request("/", headers)


def refusal(status: int, error: Exception | None) -> HandshakeError:
    """Return a HandshakeError for a refusal of the layer.

    The layer answers and logs an unexpected error as a 500, which must not show details.
    """
    known = isinstance(error, InvalidHandshake)
    message = f"Bad WebSocket handshake: {error}." if known else "Internal Server Error"
    return HandshakeError(status, message)


def own_fields(headers: object) -> list[tuple[str, str]]:
    """Drop fields that belong to the handshake. Raise ValueError for one that cannot be sent."""
    fields = [checked_field(name, value) for name, value in pairs(headers)]
    return [(name, value) for name, value in fields if not reserved(name)]


def reserved(name: str) -> bool:
    """Return whether only the handshake may set this field."""
    lower = name.lower()
    return lower in RESERVED or lower.startswith(RESERVED_PREFIX)
