"""Responses to bytes (RFC 9110, RFC 9112). No I/O.

What is serialized is given by values: a status, headers, a body. The classes of an application
are not known here.
"""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Iterable, Mapping
from http import HTTPStatus
from typing import Any, NamedTuple

from ..syntax import has_forbidden, is_token, list_members
from .body_encoders import (
    BodyEncoder,
    ChunkedEncoder,
    CloseDelimitedEncoder,
    ContentLengthEncoder,
    InvalidResponse,
)

__all__ = [
    "BODILESS_METHODS",
    "Serialized",
    "as_bytes",
    "plain_response",
    "serialize",
    "serialize_common",
]

_STATUS_LINES = {status: f"HTTP/1.1 {status.value} {status.phrase}\r\n" for status in HTTPStatus}

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

_PLAIN, _LENGTH, _CODING, _CONNECTION, _DATE = range(5)
_SPECIAL = {
    "content-length": _LENGTH,
    "transfer-encoding": _CODING,
    "connection": _CONNECTION,
    "date": _DATE,
}

# What each field name seen is to us. Names come from the application, so they are few; one that
# makes them up can't fill the memory all the same.
_kinds: dict[str, int] = {}
_MAX_KINDS = 1024


class Serialized(NamedTuple):
    """A response as bytes."""

    head: bytes
    body: bytes
    """The body; empty when `stream` gives it, or when the response has none."""
    stream: AsyncIterator[Any] | None
    encoder: BodyEncoder | None
    """What frames the chunks of `stream`; None when they are not to be sent."""
    keep_alive: bool
    """Whether the connection goes on behind this response."""


def serialize_common(
    status: HTTPStatus, headers: Mapping[str, Any], cookies: Iterable[str], body: bytes, date: str
) -> bytes | None:
    """Return what `serialize` makes of a common response, in half its time; None for others.

    A common response answers a GET or the like of HTTP/1.1 on a connection that goes on, and has
    no field that frames it.
    """
    line = _COMMON_LINES.get(status)
    if line is None:
        return None
    for name, text in headers.items():
        if _kinds.get(name) is not _PLAIN or type(text) is not str or not text.isprintable():
            return None
        line += f"{name}: {text}\r\n"
    if cookies:
        line += _cookie_lines(cookies)
    return f"{line}Content-Length: {len(body)}\r\n{date}\r\n".encode()


def serialize(
    method: str,
    version: str,
    keep_alive: bool,
    status: HTTPStatus,
    headers: Mapping[str, Any],
    cookies: Iterable[str],
    body: Any,
    date: str,
) -> Serialized:
    """Return the bytes of a response to a request of `method` and `version`.

    `keep_alive` says whether the connection may go on, `cookies` are the values of `Set-Cookie`
    lines, `date` is the line of the `Date` field.
    Raises `InvalidResponse` and `ValueError` for what can't be sent.
    """
    if type(body) is not bytes:
        body = as_body(body)
    fields = _read_fields(headers) if headers else _NO_FIELDS
    keep_alive = keep_alive and not fields.close
    stream = encoder = None
    if isinstance(body, bytes):
        framing, body = _frame_bytes(method, status, fields, body)
    else:
        stream, body = body, b""
        framing, encoder = _frame_stream(method, version, status, fields)
        if isinstance(encoder, CloseDelimitedEncoder):
            keep_alive = False
        if method == "HEAD":
            encoder = None
    lines = f"{_STATUS_LINES[status]}{fields.lines}{_cookie_lines(cookies)}{framing}"
    date = "" if fields.date else date
    head = f"{lines}{date}{_connection_line(version, keep_alive, fields.connection)}\r\n".encode()
    return Serialized(head, body, stream, encoder, keep_alive)


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


def as_body(body: Any) -> bytes | AsyncIterator[Any]:
    """Return the bytes of a body that a handler gave, or the iterator that gives them."""
    if isinstance(body, str):
        return body.encode()
    if isinstance(body, bytes):
        return body
    if hasattr(body, "__aiter__"):
        return body.__aiter__()  # type: ignore[no-any-return]  # an async iterator, by its contract
    if inspect.isasyncgenfunction(body):
        return body()  # type: ignore[no-any-return]  # calling such a function gives one
    return as_bytes(body)


def as_bytes(item: Any) -> bytes:
    """Return anything as bytes: as they are, or as `str()` gives them, in UTF-8."""
    if isinstance(item, bytes):
        return item
    if isinstance(item, bytearray | memoryview):
        return bytes(item)
    return str(item).encode()


class _Fields:
    """The header lines of a response, and what some of them decide."""

    __slots__ = ("close", "connection", "date", "length", "lines")

    def __init__(self) -> None:
        self.lines = ""
        self.length: int | None = None
        self.close = False
        self.connection: list[str] = []  # options beside close and keep-alive
        self.date = False

    def take(self, kind: int, name: str, text: str) -> str:
        """Take a field that frames the message; return the line to be sent for it."""
        if kind == _LENGTH:
            self.length = _content_length(text)
        elif kind == _CONNECTION:
            self._take_connection(text)
        elif kind == _DATE:
            self.date = True
            return f"{name}: {text}\r\n"
        return ""

    def _take_connection(self, text: str) -> None:
        options = list(list_members(text))
        self.close = "close" in options
        self.connection = [option for option in options if option not in {"close", "keep-alive"}]


_NO_FIELDS = _Fields()


def _read_fields(headers: Mapping[str, Any]) -> _Fields:
    fields = _Fields()
    lines = ""
    for name, value in headers.items():
        kind = _kinds.get(name)
        if kind is None:
            kind = _learn(name)
        text = value if type(value) is str else str(value)
        if not text.isprintable():
            _check_value(name, text)
        lines += fields.take(kind, name, text) if kind else f"{name}: {text}\r\n"
    fields.lines = lines
    return fields


def _cookie_lines(cookies: Iterable[str]) -> str:
    lines = ""
    for value in cookies:
        if not value.isprintable():
            _check_value("Set-Cookie", value)
        lines += f"Set-Cookie: {value}\r\n"
    return lines


def _learn(name: Any) -> int:
    if not isinstance(name, str) or not is_token(name):
        raise InvalidResponse(f"Header name {name!r} is not a token (RFC 9110 5.1)")
    if len(_kinds) >= _MAX_KINDS:
        _kinds.clear()
    kind = _kinds[name] = _SPECIAL.get(name.lower(), _PLAIN)
    return kind


def _check_value(name: str, text: str) -> None:
    if has_forbidden(text):
        raise InvalidResponse(f"Header {name} has a control character: {text!r} (RFC 9110 5.5)")


def _content_length(text: str) -> int:
    if not (text.isascii() and text.isdecimal()):
        raise InvalidResponse(f"Content-Length {text!r} is not a number of bytes")
    return int(text)


def _frame_bytes(
    method: str, status: HTTPStatus, fields: _Fields, body: bytes
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
    method: str, version: str, status: HTTPStatus, fields: _Fields
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
        raise InvalidResponse(f"{status.value} is no final status (RFC 9110 15.2)")
    if method == "CONNECT" and status < _MULTIPLE_CHOICES:
        return True
    return status in _BODILESS
