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
    has_bare_lf,
    is_authority_form,
    is_host,
    is_request_line_start,
    is_token,
    list_members,
    match_absolute_form,
    match_request_line,
)

__all__ = ["BadRequest", "Head", "HeadParser"]

# The minor versions of HTTP/1, as a request line ends with them.
_MINORS = {b"HTTP/1.%d" % minor: minor for minor in range(10)}

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
    """The checked head of one request. Most are plain: the class has what they share."""

    method: str
    target: bytes
    """The request target, as received."""
    path: bytes
    """The path and query of the target."""
    headers: dict[str, str]
    minor = 1
    """The minor version: 0 for HTTP/1.0; any other speaks as 1."""
    length = 0
    """The length of the body in bytes, when it is not chunked."""
    chunked = False
    keep_alive = True
    expects_continue = False
    upgrade: str | None = None


# Names, options and hosts repeat: a cache spares 0.1 to 0.7 us a field.
@lru_cache(maxsize=1024)
def _field_name(raw: bytes) -> str:
    return raw.decode("ascii").upper()


@lru_cache(maxsize=128)
def _method(raw: bytes) -> str:
    text = raw.decode("latin-1")
    if not is_token(text):  # llhttp skips line ends in front of it
        raise BadRequest(400, "Malformed request line")
    return text


@lru_cache(maxsize=256)
def _options(connection: str) -> frozenset[str]:
    return frozenset(list_members(connection))


_is_known_host = lru_cache(maxsize=1024)(is_host)


class HeadParser:
    """Parses the heads of one connection, one after another."""

    __slots__ = ("_count", "_headers", "_limits", "_parser", "_skipped")

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._parser: httptools.HttpRequestParser | None = None
        self._headers: dict[str, str] = {}
        self._count = 0
        self._skipped = 0

    def parse(self, data: bytes, start: int) -> tuple[Head | None, int]:
        """The first head in `data` from `start` on, and where it ends; None if it is incomplete.

        Raises `BadRequest` as soon as the bytes can't become a request.
        """
        if data.startswith(CRLF, start):
            start = self._skip_empty_lines(data, start)
        end = data.find(END, start) + len(END)
        if end < len(END):
            self._check_incomplete(data[start:])
            return None, start
        return self._parse_whole(data[start:end]), end

    def _parse_whole(self, raw: bytes) -> Head:
        end = raw.find(CRLF)
        if end > self._limits.request_line or len(raw) > self._limits.head:
            raise self._too_large(end)
        # llhttp checks the characters, but lets through runs of spaces and fragments.
        line = raw[:end].split(b" ")
        if len(line) != 3 or line[2] not in _MINORS or b"#" in line[1]:  # noqa: PLR2004 - parts
            raise _bad_request_line(raw)
        head = Head()
        head.method = _method(line[0])
        head.target = line[1]
        minor = _MINORS[line[2]]
        if minor != 1:
            head.minor = minor
        head.headers = self._read_headers(raw)
        _frame(head)
        _locate(head)
        if head.length or head.chunked or head.upgrade or head.method == "CONNECT":
            self._parser = None  # it now waits for a body, or for an end, that it will not see
        return head

    def _skip_empty_lines(self, data: bytes, start: int) -> int:
        """RFC 9112 2.2: empty lines before a request line are ignored, but not without end."""
        while data.startswith(CRLF, start):
            start += len(CRLF)
            self._skipped += len(CRLF)
        if self._skipped > self._limits.head:
            raise BadRequest(400, "Too many empty lines")
        if start < len(data):
            self._skipped = 0
        return start

    def _read_headers(self, raw: bytes) -> dict[str, str]:
        headers: dict[str, str] = {}
        self._headers = headers
        self._count = 0
        try:
            (self._parser or self._new_parser()).feed_data(raw)
        except httptools.HttpParserUpgrade:
            self._parser = None  # it would read no further head
        except httptools.HttpParserInvalidMethodError:
            raise _unknown_method(raw) from None
        except httptools.HttpParserError as error:
            if "nvalid method" in str(error):  # as llhttp says of other protocols' methods
                raise _unknown_method(raw) from None
            raise BadRequest(400, str(error) or "Malformed request") from None
        if self._count > self._limits.headers:
            raise BadRequest(431, "Too many header fields")
        return headers

    def _new_parser(self) -> httptools.HttpRequestParser:
        self._parser = parser = httptools.HttpRequestParser(self)
        # llhttp refuses HTTP/1.2, which RFC 9110 2.5 has us answer as 1.1, and a tab after
        # `chunked`. The codings that it then lets through are refused here.
        parser.set_dangerous_leniencies(lenient_version=True, lenient_transfer_encoding=True)
        return parser

    def on_header(self, name: bytes, value: bytes) -> None:
        """Called by httptools for each header line."""
        self._count += 1
        headers = self._headers
        key = _field_name(name)
        try:
            text = value.decode().rstrip(OWS)
        except UnicodeDecodeError:
            text = value.decode("latin-1").rstrip(OWS)
        if key in headers:
            separator = "; " if key == "COOKIE" else ", "  # RFC 6265 5.4, RFC 9110 5.3
            text = f"{headers[key]}{separator}{text}"
        headers[key] = text

    def close(self) -> None:
        """No more heads will come: let go of the parser, which holds on to this object."""
        self._parser = None

    def _too_large(self, line: int) -> BadRequest:
        if line > self._limits.request_line:
            return BadRequest(414, "Request line too long")
        return BadRequest(431, "Header fields too large")

    def _check_incomplete(self, data: bytes) -> None:
        found = data.find(CRLF)
        line = len(data) if found < 0 else found
        if line > self._limits.request_line or len(data) > self._limits.head:
            raise self._too_large(line)
        if has_bare_lf(data):
            raise BadRequest(400, "Bare LF in the head")
        bad = not is_request_line_start(data) if found < 0 else not _is_request_line(data)
        if bad and data not in {b"", b"\r"}:  # a CR may be the half of an empty line
            raise _bad_request_line(data)


def _is_request_line(data: bytes) -> bool:
    line = match_request_line(data)
    return line is not None and line[1] == b"1"


def _bad_request_line(data: bytes) -> BadRequest:
    line = match_request_line(data)
    if line is not None and line[1] != b"1":
        return BadRequest(505, "Only HTTP/1.x is spoken here")
    return BadRequest(400, "Malformed request line")


def _unknown_method(data: bytes) -> BadRequest:
    """RFC 9110 9.1: a method, but none we know; or no token at all."""
    if _is_request_line(data):
        return BadRequest(501, "Unknown method")
    return _bad_request_line(data)


def _unknown_coding() -> BadRequest:
    return BadRequest(501, "The only transfer coding supported is chunked")


def _frame(head: Head) -> None:
    """How the message is delimited, and what becomes of its connection (RFC 9112 6 and 9)."""
    headers = head.headers
    if head.minor == 0:
        head.keep_alive = False
    connection = headers.get("CONNECTION")
    if connection is not None:
        _read_connection(head, connection)
    if "TRANSFER-ENCODING" in headers:  # and no Content-Length: llhttp refuses both together
        _check_coding(head, headers["TRANSFER-ENCODING"])
    if "CONTENT-LENGTH" in headers:
        head.length = int(headers["CONTENT-LENGTH"])  # digits: llhttp has seen to that
    if "EXPECT" in headers:
        head.expects_continue = _expects_continue(head, headers["EXPECT"])


def _read_connection(head: Head, connection: str) -> None:
    options = _options(connection)
    if "close" in options:
        head.keep_alive = False
    elif "keep-alive" in options:
        head.keep_alive = True
    if "upgrade" in options and head.minor > 0:  # RFC 9110 7.8
        head.upgrade = head.headers.get("UPGRADE")


def _check_coding(head: Head, coding: str) -> None:
    if coding.lower() != "chunked" or not coding.isascii():  # a Kelvin sign is a k in lower case
        raise _unknown_coding()
    head.chunked = True
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
    elif not _is_known_host(host):
        raise BadRequest(400, "Invalid Host")
    if head.method == "CONNECT":
        head.keep_alive = False  # what follows is meant for the other end of a tunnel


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
