"""Early hints and trailers: fields that an application sends before and after a response."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from roll_http.shown import shown
from roll_http.syntax import has_forbidden, is_token

__all__ = ["early_hints", "trailer_lines"]

HINTS: Final = b"HTTP/1.1 103 Early Hints\r\n"

# Fields of framing and of the connection. A proxy may merge trailers into the head.
HEAD_ONLY: Final = frozenset(
    {b"connection", b"content-length", b"keep-alive", b"trailer", b"transfer-encoding", b"upgrade"}
)


def early_hints(connection: Any, request: Any, links: Iterable[Any]) -> None:
    """Send links that a browser may load before the response arrives (RFC 8297).

    Raises:
        ValueError: a link has a control character.
    """
    lines = lines_of((b"link", link) for link in links)
    if lines and request.version == "1.1" and hasattr(connection, "writer"):
        connection.writer.write(HINTS + lines + b"\r\n")


def trailer_lines(fields: Iterable[Any]) -> bytes:
    """Return trailers as lines, each with its CRLF.

    Raises:
        ValueError: one cannot be sent, or belongs into the head (RFC 9110 6.5.1).
    """
    pairs = [(bytes(name), bytes(value)) for name, value in fields]
    for name, _ in pairs:
        if name.lower() in HEAD_ONLY:
            raise ValueError(f"{shown(name)} cannot be sent as a trailer (RFC 9110 6.5.1)")
    return lines_of(pairs)


def lines_of(fields: Iterable[Any]) -> bytes:
    """Return fields as lines, each with a CRLF.

    Raises:
        ValueError: a field cannot be sent.
    """
    return b"".join([line_of(bytes(name), bytes(value)) for name, value in fields])


def line_of(name: bytes, value: bytes) -> bytes:
    if not is_token(name.decode("latin-1")) or has_forbidden(value.decode("latin-1")):
        raise ValueError(f"{shown(name)}: {shown(value)} cannot be sent as a field (RFC 9110 5)")
    return b"%b: %b\r\n" % (name, value)
