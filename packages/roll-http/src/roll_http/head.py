"""From the bytes of a request's head to its checked parts. No I/O.

A head is parsed whole: the connection keeps bytes until the empty line, so that however they were
cut, the result is the same; and what follows the head is untouched until the request is answered.
httptools reads the header lines; what it lets through is checked here.
"""

from __future__ import annotations

from functools import lru_cache

import httptools

from .limits import Limits
from .syntax import (
    OWS,
    decode_text,
    has_bare_lf,
    is_authority_form,
    is_host,
    is_request_line_start,
    list_members,
    match_absolute_form,
    match_request_line,
)

__all__ = ["BadRequest", "Head", "HeadParser"]

END = b"\r\n\r\n"
CRLF = b"\r\n"


class BadRequest(Exception):
    """Bytes that are no request for us: the `status` to answer and a short, plain reason.

    What follows them on the connection can't be trusted: it must be closed after the answer.
    """

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(status, reason)
        self.status = status
        self.reason = reason


class Head:
    """The checked head of one request."""

    __slots__ = (
        "chunked",
        "expects_continue",
        "headers",
        "keep_alive",
        "length",
        "method",
        "minor",
        "path",
        "target",
        "upgrade",
    )

    method: str
    target: bytes
    """The request target, as received."""
    path: bytes
    """The path and query of the target."""
    minor: int
    """The minor version: 0 for HTTP/1.0; any other speaks as 1."""
    headers: dict[str, str]
    length: int
    """The length of the body in bytes, when it is not chunked."""
    chunked: bool
    keep_alive: bool
    expects_continue: bool
    upgrade: str | None


@lru_cache(maxsize=1024)
def _field_name(raw: bytes) -> str:
    return raw.decode("ascii").upper()


class HeadParser:
    """Parses the heads of one connection, one after another."""

    __slots__ = ("_count", "_headers", "_limits", "_parser")

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._parser: httptools.HttpRequestParser | None = None
        self._headers: dict[str, str] = {}
        self._count = 0

    def parse(self, data: bytes, start: int) -> tuple[Head | None, int]:
        """The first head in `data` from `start` on, and where it ends; None if it is incomplete.

        Raises `BadRequest` as soon as the bytes can't become a request.
        """
        if data.startswith(CRLF, start):
            start = _skip_empty_lines(data, start)
        end = data.find(END, start) + len(END)
        if end < len(END):
            self._check_incomplete(data[start:])
            return None, start
        return self._parse_whole(data[start:end]), end

    def _parse_whole(self, raw: bytes) -> Head:
        line = match_request_line(raw)
        self._check_size(raw, line.end() if line else raw.find(CRLF))
        if line is None:
            raise BadRequest(400, "Malformed request line")
        method, target, major, minor = line.groups()
        if major != b"1":
            raise BadRequest(505, "Only HTTP/1.x is spoken here")
        head = Head()
        head.method = method.decode("ascii")
        head.target = target
        head.minor = minor[0] - 48
        head.headers = self._read_headers(raw)
        _frame(head)
        _locate(head)
        if head.length or head.chunked or head.upgrade or head.method == "CONNECT":
            self._parser = None  # it now waits for a body, or for an end, that it will not see
        return head

    def _read_headers(self, raw: bytes) -> dict[str, str]:
        headers: dict[str, str] = {}
        self._headers = headers
        self._count = 0
        if self._parser is None:
            self._parser = httptools.HttpRequestParser(self)
            # llhttp refuses HTTP/1.2, which RFC 9110 2.5 has us answer as 1.1.
            self._parser.set_dangerous_leniencies(lenient_version=True)
        try:
            self._parser.feed_data(raw)
        except httptools.HttpParserUpgrade:
            pass
        except httptools.HttpParserInvalidMethodError:
            raise BadRequest(501, "Unknown method") from None
        except httptools.HttpParserError as error:
            raise _refusal(error) from None
        if self._count > self._limits.headers:
            raise BadRequest(431, "Too many header fields")
        return headers

    def on_header(self, name: bytes, value: bytes) -> None:
        """Called by httptools for each header line."""
        self._count += 1
        key = _field_name(name)
        text = decode_text(value).rstrip(OWS)
        if key in self._headers:
            separator = "; " if key == "COOKIE" else ", "  # RFC 6265 5.4, RFC 9110 5.3
            text = f"{self._headers[key]}{separator}{text}"
        self._headers[key] = text

    def _check_size(self, raw: bytes, line: int) -> None:
        if line > self._limits.request_line:
            raise BadRequest(414, "Request line too long")
        if len(raw) > self._limits.head:
            raise BadRequest(431, "Header fields too large")

    def _check_incomplete(self, data: bytes) -> None:
        line = data.find(CRLF)
        self._check_size(data, len(data) if line < 0 else line)
        if has_bare_lf(data):
            raise BadRequest(400, "Bare LF in the head")
        if line >= 0:
            complete = match_request_line(data)
            if complete is None:
                raise BadRequest(400, "Malformed request line")
            if complete[3] != b"1":
                raise BadRequest(505, "Only HTTP/1.x is spoken here")
        elif data and not is_request_line_start(data):
            raise BadRequest(400, "Malformed request line")


def _skip_empty_lines(data: bytes, start: int) -> int:
    """RFC 9112 2.2: empty lines before a request line are ignored."""
    while data.startswith(CRLF, start):
        start += len(CRLF)
    return start


def _refusal(error: Exception) -> BadRequest:
    reason = str(error)
    if "nvalid `Transfer-Encoding`" in reason:  # as llhttp says it
        return _unknown_coding()
    return BadRequest(400, reason or "Malformed request")


def _unknown_coding() -> BadRequest:
    return BadRequest(501, "The only transfer coding supported is chunked")


def _frame(head: Head) -> None:
    """How the message is delimited, and what becomes of its connection (RFC 9112 6 and 9)."""
    headers = head.headers
    connection = headers.get("CONNECTION")
    head.keep_alive = head.minor > 0
    head.upgrade = None
    if connection is not None:
        _read_connection(head, connection)
    coding = headers.get("TRANSFER-ENCODING")
    head.chunked = coding is not None
    if coding is not None:  # and no Content-Length: llhttp refuses both together
        _check_coding(head, coding)
    length = headers.get("CONTENT-LENGTH")
    head.length = int(length) if length else 0  # digits: llhttp has seen to that
    expect = headers.get("EXPECT")
    head.expects_continue = expect is not None and _expects_continue(head, expect)


def _read_connection(head: Head, connection: str) -> None:
    options = set(list_members(connection))
    if "close" in options:
        head.keep_alive = False
    elif "keep-alive" in options:
        head.keep_alive = True
    if "upgrade" in options:
        head.upgrade = head.headers.get("UPGRADE")


def _check_coding(head: Head, coding: str) -> None:
    if coding.lower() != "chunked":
        raise _unknown_coding()
    if head.minor == 0:
        head.keep_alive = False  # RFC 9112 6.1: faulty framing; answer, then close


def _expects_continue(head: Head, expect: str) -> bool:
    if expect.lower() != "100-continue":
        raise BadRequest(417, "Unknown expectation")
    return head.minor > 0 and (head.chunked or head.length > 0)


def _locate(head: Head) -> None:
    """The path of the target in its four forms, and the host (RFC 9112 3.2)."""
    target = head.target
    host = head.headers.get("HOST")
    if head.method == "CONNECT" and not target.startswith(b"/"):
        if not is_authority_form(target):
            raise BadRequest(400, "CONNECT wants host:port")
        head.path = target
    elif target.startswith(b"/"):
        head.path = target
    elif target == b"*":
        if head.method != "OPTIONS":
            raise BadRequest(400, "The target * is for OPTIONS")
        head.path = target
    else:
        host = _split_absolute(head, host)
    if host is None:
        if head.minor > 0:
            raise BadRequest(400, "Missing Host")
    elif not is_host(host):
        raise BadRequest(400, "Invalid Host")


def _split_absolute(head: Head, host: str | None) -> str | None:
    match = match_absolute_form(head.target)
    if match is None:
        raise BadRequest(400, "Malformed request target")
    path = head.target[match.end() :]
    head.path = path if path.startswith(b"/") else b"/" + path
    if host is not None and not is_host(host):
        return host  # to be refused, though the target's authority replaces it
    if host is not None or head.minor == 0:
        head.headers["HOST"] = match[1].decode("ascii")
    return host
