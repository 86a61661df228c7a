"""Responses as bytes (RFC 9110, RFC 9112). No I/O."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Any

from ..request import Request
from ..response import Response
from ..syntax import has_forbidden, is_token, list_members
from .body_encoders import Chunked, Delimiting, InvalidResponse, Measured, UntilClose

__all__ = ["plain_response", "render", "render_common"]

_STATUS_LINES = {status: f"HTTP/1.1 {status.value} {status.phrase}\r\n" for status in HTTPStatus}

# Looked up once: through its class, a member costs 0.15 us on Python 3.11.
_OK = HTTPStatus.OK
_MULTIPLE_CHOICES = HTTPStatus.MULTIPLE_CHOICES
_RESET_CONTENT = HTTPStatus.RESET_CONTENT

# RFC 9110 6.4.1 and 15.3.6.
_BODILESS = frozenset({HTTPStatus.NO_CONTENT, _RESET_CONTENT, HTTPStatus.NOT_MODIFIED})
_SPECIAL_STATUSES = frozenset(status for status in HTTPStatus if status < _OK) | _BODILESS
_SPECIAL_METHODS = frozenset({"HEAD", "CONNECT"})

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


Rendered = tuple[bytes, bytes, AsyncIterator[Any] | None, Delimiting | None]


def render_common(request: Request, response: Response, date: str) -> Rendered | None:
    """What `render` gives, in half its time, for responses that are as most are; None for others.

    They have a body of bytes or text, and no field that frames it; the connection goes on.
    """
    line = _COMMON_LINES.get(response._status)  # noqa: SLF001 - a property takes 0.1 us
    if line is None or not request.keep_alive or request.version != "1.1":
        return None
    body = response.body
    if type(body) is str:
        body = body.encode()
    if type(body) is not bytes or request.method in _SPECIAL_METHODS:
        return None
    for name, text in response.headers.items():
        if _kinds.get(name) is not _PLAIN or type(text) is not str or not text.isprintable():
            return None
        line += f"{name}: {text}\r\n"
    if response._cookies:  # noqa: SLF001
        line += _cookie_lines(response)
    return f"{line}Content-Length: {len(body)}\r\n{date}\r\n".encode(), body, None, None


def render(request: Request, response: Response, date: str) -> Rendered:
    """The head of a response, its body, or the stream that gives it and how it is delimited.

    `date` is the line of the `Date` field. `request.keep_alive` is set to False when the
    connection is to be closed after this response.
    Raises `InvalidResponse` and `ValueError` for what can't be sent.
    """
    body = response.body
    if type(body) is not bytes:
        body = as_body(body)
    fields = _read_fields(response) if response.headers else _NO_FIELDS
    if fields.close:
        request.keep_alive = False
    stream = delimiting = None
    if isinstance(body, bytes):
        framing, body = _frame_bytes(request, response, fields, body)
    else:
        stream, body = body, b""
        framing, delimiting = _frame_stream(request, response, fields)
    status = _STATUS_LINES[response.status]
    cookies = _cookie_lines(response) if response.has_cookies else ""
    if fields.date:
        date = ""
    connection = _connection_line(request)
    head = f"{status}{fields.lines}{cookies}{framing}{date}{connection}\r\n".encode()
    return head, body, stream, delimiting


def _connection_line(request: Request) -> str:
    if not request.keep_alive:
        return "Connection: close\r\n"
    return "" if request.version == "1.1" else "Connection: keep-alive\r\n"


def plain_response(status: int, reason: str, date: str) -> bytes:
    """A whole response that ends its connection, for what never reached the application."""
    body = f"{reason}\n".encode()
    line = _STATUS_LINES[HTTPStatus(status)]
    return (
        f"{line}Content-Type: text/plain; charset=utf-8\r\nContent-Length: {len(body)}\r\n"
        f"{date}Connection: close\r\n\r\n"
    ).encode() + body


def as_body(body: Any) -> bytes | AsyncIterator[Any]:
    """What a handler gave as a body: its bytes, or the iterator that gives them."""
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
    """Bytes of anything: as they are, or as `str()` gives them, in UTF-8."""
    if isinstance(item, bytes):
        return item
    if isinstance(item, bytearray | memoryview):
        return bytes(item)
    return str(item).encode()


class _Fields:
    """The header lines of a response, and what some of them decide."""

    __slots__ = ("close", "date", "length", "lines")

    def __init__(self) -> None:
        self.lines = ""
        self.length: int | None = None
        self.close = False
        self.date = False

    def take(self, kind: int, name: str, text: str) -> str:
        """A field that frames the message; gives the line to be sent for it."""
        if kind == _LENGTH:
            self.length = _content_length(text)
        elif kind == _CONNECTION:
            return self._take_connection(name, text)
        elif kind == _DATE:
            self.date = True
            return f"{name}: {text}\r\n"
        return ""

    def _take_connection(self, name: str, text: str) -> str:
        options = list(list_members(text))
        self.close = "close" in options
        others = ", ".join(option for option in options if option not in {"close", "keep-alive"})
        return f"{name}: {others}\r\n" if others else ""


_NO_FIELDS = _Fields()


def _read_fields(response: Response) -> _Fields:
    fields = _Fields()
    lines = ""
    for name, value in response.headers.items():
        kind = _kinds.get(name)
        if kind is None:
            kind = _learn(name)
        text = value if type(value) is str else str(value)
        if not text.isprintable():
            _check_value(name, text)
        lines += fields.take(kind, name, text) if kind else f"{name}: {text}\r\n"
    fields.lines = lines
    return fields


def _cookie_lines(response: Response) -> str:
    lines = ""
    for value in response.cookies.output():
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
    request: Request, response: Response, fields: _Fields, body: bytes
) -> tuple[str, bytes]:
    """The line that frames a body of bytes, and what is sent of it."""
    length = len(body)
    if fields.length is not None and fields.length != length:
        length = _check_length(request, response, fields.length, body)
    if response.status in _SPECIAL_STATUSES or request.method in _SPECIAL_METHODS:
        return _frame_special(request, response, length, body)
    return f"Content-Length: {length}\r\n", body


def _check_length(request: Request, response: Response, announced: int, body: bytes) -> int:
    """A handler's Content-Length that is not its body's: right only where none is sent."""
    if _has_no_body(request, response) or (request.method == "HEAD" and not body):
        return announced
    raise InvalidResponse(f"The body has {len(body)} bytes, its Content-Length says {announced}")


def _frame_special(
    request: Request, response: Response, length: int, body: bytes
) -> tuple[str, bytes]:
    if response.status == _RESET_CONTENT:
        return "Content-Length: 0\r\n", b""
    if _has_no_body(request, response):
        return "", b""
    return f"Content-Length: {length}\r\n", b"" if request.method == "HEAD" else body


def _frame_stream(
    request: Request, response: Response, fields: _Fields
) -> tuple[str, Delimiting | None]:
    """The line that frames a stream, and how it is sent; None when its response has no body."""
    if response.status == _RESET_CONTENT:
        return "Content-Length: 0\r\n", None
    if _has_no_body(request, response):
        return "", None
    sent = request.method != "HEAD"
    if fields.length is not None:
        return f"Content-Length: {fields.length}\r\n", Measured(fields.length) if sent else None
    if request.version == "1.0":
        request.keep_alive = False
        return "", UntilClose() if sent else None
    return "Transfer-Encoding: chunked\r\n", Chunked() if sent else None


def _has_no_body(request: Request, response: Response) -> bool:
    """RFC 9110 6.4.1, and 9.3.6 for a tunnel that opens."""
    status = response.status
    if status < _OK:
        raise InvalidResponse(f"{status.value} is no final status (RFC 9110 15.2)")
    if request.method == "CONNECT" and status < _MULTIPLE_CHOICES:
        return True
    return status in _BODILESS
