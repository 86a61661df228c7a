"""From the bytes of a request's head to its checked parts. No I/O.

A head is parsed whole: the connection keeps bytes until the empty line, so that however they were
cut, the result is the same; and what follows the head is untouched until the request is answered.
httptools reads the header lines; what it lets through is checked here.
"""

from __future__ import annotations

from functools import lru_cache

import httptools

from .limits import Limits
from .semantics import KEPT, BadRequest, Head, frame, locate, split_query
from .syntax import OWS, has_bare_lf, is_request_line_start, is_token, match_request_line

__all__ = ["BadRequest", "Head", "HeadParser"]

# The minor versions of HTTP/1, as a request line ends with them.
_MINORS = {b"HTTP/1.%d" % minor: minor for minor in range(10)}

END = b"\r\n\r\n"
CRLF = b"\r\n"


def _field_name(raw: bytes) -> str:
    return raw.decode("ascii").upper()


# Names repeat: a cache spares 0.1 us a field.
_known_field_name = lru_cache(maxsize=1024)(_field_name)


@lru_cache(maxsize=128)
def _method(raw: bytes) -> str:
    text = raw.decode("latin-1")
    if not is_token(text):  # llhttp skips line ends in front of it
        raise BadRequest(400, "Malformed request line")
    return text


# Method, target, path and query: what a request line says whose target is a path.
Line = tuple[str, bytes, str, str]

# The request lines that are remembered, for all connections.
_lines: dict[bytes, Line] = {}
MOST_LINES = 1024
LONGEST_LINE = 256

# The most that a connection remembers of its last fields, in bytes.
LONGEST_BLOCK = 2048


class HeadParser:
    """Parses the heads of one connection, one after another.

    Clients repeat themselves: a keep-alive connection mostly brings the same fields again, and
    request lines that were seen before. What was made of these bytes is remembered, and used
    when the very same come again: a head of eight fields takes 5.6 us, of one 2.5; behind a new
    line either takes 1.8, behind a known one 0.5.
    """

    __slots__ = (
        "_block",
        "_count",
        "_fields",
        "_head",
        "_headers",
        "_limits",
        "_longest_line",
        "_parser",
        "_seen",
        "_skipped",
    )

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._parser: httptools.HttpRequestParser | None = None
        self._headers: dict[str, str] = {}
        self._count = 0
        self._seen = 0  # how much of an incomplete head was looked at
        self._skipped = 0
        # The last fields, as bytes and parsed; the head that had them serves again with other
        # lines, up to a length that keeps the head within its limits.
        self._block = b""
        self._fields: dict[str, str] = {}
        self._head: Head | None = None
        self._longest_line = 0

    def parse(self, data: bytes, start: int) -> tuple[Head | None, int]:
        """The first head in `data` from `start` on, and where it ends; None if it is incomplete.

        The head is the caller's until the next call. Raises `BadRequest` as soon as the bytes
        can't become a request.
        """
        head = self._head
        if head is not None:
            mark = data.find(CRLF, start) + 2
            end = mark + len(self._block)
            if data[mark:end] == self._block and mark - start <= self._longest_line:
                raw = data[start:mark]
                line = _lines.get(raw) or self._read_line(raw)
                if line is not None:
                    head.method, head.target, head.path, head.query = line
                    head.headers = self._fields.copy()
                    self._seen = 0
                    return head, end
        return self._parse_new(data, start)

    def _read_line(self, raw: bytes) -> Line | None:
        """A new request line, in front of the remembered fields; None where these depend on it."""
        line = _split_line(raw[: -len(CRLF)])
        if line is None or not _is_plain(line):
            return None
        self._feed(raw + CRLF)
        known = _method(line[0]), line[1], *split_query(line[1].decode("ascii"))
        if len(raw) <= LONGEST_LINE:
            if len(_lines) >= MOST_LINES:
                _lines.clear()
            _lines[raw] = known
        return known

    def _remember(self, head: Head, block: bytes) -> None:
        """Keep what these fields mean, when they come a second time: to keep all costs 1 us."""
        if len(block) > LONGEST_BLOCK:
            return
        self._head = None
        if block == self._block:
            self._head = head
            self._fields = head.headers.copy()
            self._longest_line = min(self._limits.request_line, self._limits.head - len(block))
        self._block = block

    def _parse_new(self, data: bytes, start: int) -> tuple[Head | None, int]:
        if data.startswith(CRLF, start):
            start = self._skip_empty_lines(data, start)
        end = data.find(END, start) + len(END)
        if end < len(END):
            self._check_incomplete(data[start:])
            self._seen = len(data) - start
            return None, start
        self._seen = 0
        return self._parse_whole(data[start:end]), end

    def _parse_whole(self, raw: bytes) -> Head:
        end = raw.find(CRLF)
        if end > self._limits.request_line or len(raw) > self._limits.head:
            raise self._too_large(end)
        line = _split_line(raw[:end])
        if line is None:
            raise _bad_request_line(raw)
        head = Head()
        head.method = _method(line[0])
        head.target = line[1]
        minor = _MINORS[line[2]]
        if minor != 1:
            head.minor = minor
        head.headers = self._read_headers(raw)
        frame(head)
        locate(head)
        if head.length or head.chunked or head.upgrade or head.method == "CONNECT":
            self._parser = None  # it now waits for a body, or for an end, that it will not see
        elif "PROXY-CONNECTION" in head.headers:
            self._parser = None  # it may now wait for an end that this field does not mean
        if _is_plain(line):
            self._remember(head, raw[end + len(CRLF) :])
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
        self._feed(raw)
        if self._count > self._limits.headers:
            raise BadRequest(431, "Too many header fields")
        return headers

    def _feed(self, raw: bytes) -> None:
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
        key = _known_field_name(name) if len(name) <= KEPT else _field_name(name)
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
        line = len(data) - data.endswith(b"\r") if found < 0 else found
        if line > self._limits.request_line or len(data) > self._limits.head:
            raise self._too_large(line)
        if has_bare_lf(data, self._seen):
            raise BadRequest(400, "Bare LF in the head")
        if 0 <= found < self._seen - 1:
            return  # the line was found good before
        bad = not is_request_line_start(data) if found < 0 else not _is_request_line(data)
        if bad and data not in {b"", b"\r"}:  # a CR may be the half of an empty line
            raise _bad_request_line(data)


def _split_line(raw: bytes) -> list[bytes] | None:
    """Method, target and version of a request line, whose characters llhttp has yet to check.

    It lets through runs of spaces, fragments, and other versions.
    """
    line = raw.split(b" ")
    if len(line) != 3 or line[2] not in _MINORS or b"#" in line[1]:  # noqa: PLR2004 - its parts
        return None
    return line


def _is_plain(line: list[bytes]) -> bool:
    """A line that says the same whatever fields follow it, which mean the same behind each."""
    return line[1].startswith(b"/") and line[2] == b"HTTP/1.1" and line[0] != b"CONNECT"


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
