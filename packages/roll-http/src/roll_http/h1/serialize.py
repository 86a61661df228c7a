"""Responses to bytes (RFC 9110, RFC 9112). No I/O.

What is serialized is given by values: a status, headers, a body. The classes of an application
are not known here.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from http import HTTPStatus
from typing import Any, NamedTuple

from ..shown import shown
from .body_encoders import (
    BodyEncoder,
    ChunkedEncoder,
    CloseDelimitedEncoder,
    ContentLengthEncoder,
    InvalidResponse,
)
from .response_body import read_body
from .response_fields import NO_FIELDS, PLAIN, Fields, check_value, kinds, read_fields
from .statuses import OtherStatus

__all__ = [
    "BODILESS_METHODS",
    "Serialized",
    "plain_response",
    "serialize",
    "serialize_common",
]

_STATUS_LINES: dict[int, str] = {
    status: f"HTTP/1.1 {status.value} {status.phrase}\r\n" for status in HTTPStatus
}

# Looked up once: through its class, a member costs 0.15 us on Python 3.11.
_OK = HTTPStatus.OK
_MULTIPLE_CHOICES = HTTPStatus.MULTIPLE_CHOICES
_RESET_CONTENT = HTTPStatus.RESET_CONTENT

# RFC 9110 6.4.1 and 15.3.6.
_BODILESS = frozenset({HTTPStatus.NO_CONTENT, _RESET_CONTENT, HTTPStatus.NOT_MODIFIED})
_SPECIAL_STATUSES = frozenset(status for status in HTTPStatus if status < _OK) | _BODILESS

BODILESS_METHODS = frozenset({"HEAD", "CONNECT"})
"""The methods whose responses may have no body (RFC 9110 9.3.2, 9.3.6)."""

_COMMON_LINES = {code: _STATUS_LINES[code] for code in HTTPStatus if code not in _SPECIAL_STATUSES}


class Serialized(NamedTuple):
    """A response as bytes."""

    head: bytes
    body: bytes
    """The body; empty when `stream` gives it, or when the response has none."""
    stream: AsyncIterator[Any] | None
    encoder: BodyEncoder | None
    """What frames the chunks of `stream`; None when they are not to be sent."""
    keep_alive: bool
    """Whether the connection stays open after this response."""


def serialize_common(
    status: HTTPStatus, headers: Mapping[str, Any], cookies: Iterable[str], body: bytes, last: str
) -> bytes | None:
    """Return the head of a common response, in half the time of `serialize`; None for others.

    A common response answers an HTTP/1.1 request on a connection that stays open. Its method is
    neither HEAD nor CONNECT, and it has no field that frames it or has an unusual case. `last` has
    the lines to add.
    """
    line = _COMMON_LINES.get(status)
    if line is None:
        return None
    for name, text in headers.items():
        if kinds.get(name) is not PLAIN:
            return None
        if not text.isprintable() if type(text) is str else type(text) is not int:
            return None
        line += f"{name}: {text}\r\n"
    if cookies:
        line += _cookie_lines(cookies)
    return f"{line}Content-Length: {len(body)}\r\n{last}\r\n".encode()


def serialize(
    method: str,
    version: str,
    keep_alive: bool,
    status: HTTPStatus,
    headers: Mapping[str, Any],
    cookies: Iterable[str],
    body: Any,
    date: str,
    *,
    add_content_type: bool = True,
) -> Serialized:
    """Return the bytes of a response to a request of `method` and `version`.

    `keep_alive` says whether the connection may go on, `cookies` are the values of `Set-Cookie`
    lines, `date` is the line of the `Date` field. With `add_content_type`, a body that has no
    `Content-Type` gets one.
    Raises `InvalidResponse` and `ValueError` for what can't be sent.
    """
    line = _status_line(status)
    body, stream, content_type = read_body(body)
    fields = read_fields(headers) if headers else NO_FIELDS
    if fields.typed or not add_content_type or not _has_content(method, status, body, stream):
        content_type = ""
    keep_alive = keep_alive and not fields.close
    encoder = None
    if stream is None:
        framing, body = _frame_bytes(method, status, fields, body)
    else:
        framing, encoder = _frame_stream(method, version, status, fields)
        if isinstance(encoder, CloseDelimitedEncoder):
            keep_alive = False
        if method == "HEAD":
            encoder = None
    lines = f"{line}{fields.lines}{_cookie_lines(cookies)}{framing}"
    date = content_type if fields.date else date + content_type
    text = f"{lines}{date}{_connection_line(version, keep_alive, fields.connection)}\r\n"
    # A gateway passes on fields that are not UTF-8: their bytes are escaped.
    head = text.encode(errors="surrogateescape")
    return Serialized(head, body, stream, encoder, keep_alive)


def _status_line(status: Any) -> str:
    line = _STATUS_LINES.get(status) if isinstance(status, int) else None
    if type(status) is OtherStatus:
        line = f"HTTP/1.1 {status.value} \r\n"
    if line is None:
        raise InvalidResponse(
            f"{shown(status)} is not an HTTP status: give a registered one, such as 200"
        )
    return line


def _connection_line(version: str, keep_alive: bool, options: list[str]) -> str:
    if not keep_alive:
        options = [*options, "close"]
    elif version == "1.0":
        options = [*options, "keep-alive"]
    return f"Connection: {', '.join(options)}\r\n" if options else ""


def plain_response(status: int, reason: str, date: str) -> bytes:
    """Return a whole response that ends its connection, to what never reached the application."""
    body = f"{reason}\n".encode()
    line = _STATUS_LINES[HTTPStatus(status)]
    return (
        f"{line}Content-Type: text/plain; charset=utf-8\r\nContent-Length: {len(body)}\r\n"
        f"{date}Connection: close\r\n\r\n"
    ).encode() + body


def _cookie_lines(cookies: Iterable[str]) -> str:
    lines = ""
    for value in cookies:
        if not value.isprintable():
            check_value("Set-Cookie", value)
        lines += f"Set-Cookie: {value}\r\n"
    return lines


def _frame_bytes(
    method: str, status: HTTPStatus, fields: Fields, body: bytes
) -> tuple[str, bytes]:
    """Return the line that frames a body of bytes, and what is sent of it."""
    length = len(body)
    if fields.length is not None and fields.length != length:
        length = _check_length(method, status, fields.length, body)
    if status in _SPECIAL_STATUSES or method in BODILESS_METHODS:
        return _frame_special(method, status, length, body)
    return f"Content-Length: {length}\r\n", body


def _check_length(method: str, status: HTTPStatus, announced: int, body: bytes) -> int:
    """Check a handler's Content-Length that is not its body's: right only where none is sent."""
    if _has_no_body(method, status) or (method == "HEAD" and not body):
        return announced
    raise InvalidResponse(f"The body has {len(body)} bytes, its Content-Length says {announced}")


def _frame_special(method: str, status: HTTPStatus, length: int, body: bytes) -> tuple[str, bytes]:
    if status == _RESET_CONTENT:
        return "Content-Length: 0\r\n", b""
    if _has_no_body(method, status):
        return "", b""
    return f"Content-Length: {length}\r\n", b"" if method == "HEAD" else body


def _frame_stream(
    method: str, version: str, status: HTTPStatus, fields: Fields
) -> tuple[str, BodyEncoder | None]:
    """Return the line that frames a stream, and its encoder; None for a response without body."""
    if status == _RESET_CONTENT:
        return "Content-Length: 0\r\n", None
    if _has_no_body(method, status):
        return "", None
    if fields.length is not None:
        return f"Content-Length: {fields.length}\r\n", ContentLengthEncoder(fields.length)
    if version == "1.0":
        return "", CloseDelimitedEncoder()
    return "Transfer-Encoding: chunked\r\n", ChunkedEncoder()


def _has_no_body(method: str, status: HTTPStatus) -> bool:
    """RFC 9110 6.4.1, and 9.3.6 for a tunnel that opens."""
    if status < _OK:
        raise InvalidResponse(f"{status.value} is not a final status (RFC 9110 15.2)")
    if method == "CONNECT" and status < _MULTIPLE_CHOICES:
        return True
    return status in _BODILESS


def _has_content(method: str, status: HTTPStatus, body: bytes, stream: object) -> bool:
    """Tell whether the response has a body, or would have one if it did not answer a HEAD."""
    if not body and stream is None:
        return False
    return status != _RESET_CONTENT and not _has_no_body(method, status)
