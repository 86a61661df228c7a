"""Bytes to the checked head of a request. No I/O.

A head is parsed whole: the connection keeps bytes until the empty line, so that however they were
cut, the result is the same; and what follows the head is untouched until the request is answered.
httptools reads the header lines; what it lets through is checked here.
"""

from __future__ import annotations

from functools import lru_cache

import httptools

from ..limits import Limits
from ..syntax import CRLF, END, OWS, has_bare_lf
from .head import KEPT, Head, RequestError, read_framing, read_target, split_query
from .request_line import (
    MINORS,
    bad_request_line,
    is_plain,
    is_request_line,
    may_go_on,
    read_method,
    refusal,
    split_line,
)

__all__ = ["Head", "HeadParser", "RequestError"]


def _field_name(raw: bytes) -> str:
    return raw.decode("ascii").upper()


# Names repeat: a cache spares 0.1 us a field.
_known_field_name = lru_cache(maxsize=1024)(_field_name)


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
        "_accepted",
        "_block",
        "_fields",
        "_head",
        "_headers",
        "_limits",
        "_longest_line",
        "_parser",
        "_repeated",
        "_seen",
        "_skipped",
    )

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._parser: httptools.HttpRequestParser | None = None
        self._accepted = False  # httptools took what was fed for a whole head
        self._headers: dict[str, str] = {}
        self._repeated: dict[str, list[str]] = {}
        self._seen = 0  # how much of an incomplete head was looked at
        self._skipped = 0
        # The last fields, as bytes and parsed; the head that had them serves again with other
        # lines, up to a length that keeps the head within its limits.
        self._block = b""
        self._fields: dict[str, str] = {}
        self._head: Head | None = None
        self._longest_line = 0

    def parse(self, data: bytes, start: int) -> tuple[Head | None, int]:
        """Return the first head in `data` from `start` on, if it is whole, and where it ends.

        The head is the caller's until the next call. Raises `RequestError` as soon as the bytes
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
                    self._seen = self._skipped = 0
                    return head, end
        return self._parse_new(data, start)

    def _read_line(self, raw: bytes) -> Line | None:
        """A new request line, in front of the remembered fields.

        None where these depend on it, or it is bad: then the head is parsed as any other, so that
        what it means, and what is said of it, never depends on what came before.
        """
        line = split_line(raw[: -len(CRLF)])
        if line is None or not is_plain(line):
            return None
        try:
            method = read_method(line[0])
            self._feed(raw + CRLF)
        except RequestError:
            return None
        known = method, line[1], *split_query(line[1].decode("ascii"))
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
        # An end may have begun in what was seen before.
        end = data.find(END, max(start, start + self._seen - len(END) + 1)) + len(END)
        if end < len(END):
            self._check_incomplete(data[start:])
            # A CR alone may be the half of an empty line: it was not found good.
            self._seen = 0 if data[start:] == b"\r" else len(data) - start
            return None, start
        self._seen = 0
        return self._parse_whole(data[start:end]), end

    def _parse_whole(self, raw: bytes) -> Head:
        end = raw.find(CRLF)
        if end > self._limits.request_line or len(raw) > self._limits.head:
            raise self._too_large(end)
        line = split_line(raw[:end])
        if line is None:
            raise bad_request_line(raw)
        head = Head()
        head.method = read_method(line[0])
        head.target = line[1]
        minor = MINORS[line[2]]
        if minor != 1:
            head.minor = minor
        head.headers = self._read_headers(raw)
        read_framing(head)
        read_target(head)
        if not _leaves_ready(head):
            self._parser = None
        head.block = raw[end + len(CRLF) :]
        if is_plain(line):
            self._remember(head, head.block)
        return head

    def _skip_empty_lines(self, data: bytes, start: int) -> int:
        """RFC 9112 2.2: empty lines before a request line are ignored, but not without end."""
        self._seen = 0
        while data.startswith(CRLF, start):
            start += len(CRLF)
            self._skipped += len(CRLF)
        if self._skipped > self._limits.head:
            raise RequestError(400, "Too many empty lines")
        if start < len(data):
            self._skipped = 0
        return start

    def _read_headers(self, raw: bytes) -> dict[str, str]:
        headers: dict[str, str] = {}
        self._headers = headers
        self._repeated = {}
        self._feed(raw)
        lines = len(headers)
        if self._repeated:
            lines += self._join_repeated()
        if lines > self._limits.headers:
            raise RequestError(431, "Too many header fields")
        return headers

    def _feed(self, raw: bytes) -> None:
        self._accepted = False
        try:
            (self._parser or self._new_parser()).feed_data(raw)
        except httptools.HttpParserUpgrade:
            self._parser = None  # it would read no further head
        except httptools.HttpParserError as error:
            self._parser = None
            raise refusal(raw, error) from None
        if not self._accepted:  # it waits for what other protocols send, as behind PRI
            self._parser = None
            raise RequestError(400, "Malformed request")

    def _new_parser(self) -> httptools.HttpRequestParser:
        self._parser = parser = httptools.HttpRequestParser(self)
        # llhttp refuses HTTP/1.2, which RFC 9110 2.5 has us answer as 1.1, and a tab after
        # `chunked`. The codings that it then lets through are refused here.
        parser.set_dangerous_leniencies(lenient_version=True, lenient_transfer_encoding=True)
        return parser

    def on_header(self, name: bytes, value: bytes) -> None:
        """Called by httptools for each header line."""
        headers = self._headers
        key = _known_field_name(name) if len(name) <= KEPT else _field_name(name)
        try:
            text = value.decode().rstrip(OWS)
        except UnicodeDecodeError:
            text = value.decode("latin-1").rstrip(OWS)
        if key in headers:
            self._repeated.setdefault(key, [headers[key]]).append(text)
        else:
            headers[key] = text

    def on_headers_complete(self) -> None:
        """Called by httptools at the end of a head."""
        self._accepted = True

    def _join_repeated(self) -> int:
        """Join the lines of each field, and return how many are more than one.

        All at once: to add one after another takes quadratic time.
        """
        for key, texts in self._repeated.items():
            separator = "; " if key == "COOKIE" else ", "  # RFC 6265 5.4, RFC 9110 5.3
            self._headers[key] = separator.join(texts)
        return sum(map(len, self._repeated.values())) - len(self._repeated)

    def close(self) -> None:
        """No more heads will come: let go of the parser, which holds on to this object."""
        self._parser = None

    def _too_large(self, line: int) -> RequestError:
        if line > self._limits.request_line:
            return RequestError(414, "Request line too long")
        return RequestError(431, "Header fields too large")

    def _check_incomplete(self, data: bytes) -> None:
        found = data.find(CRLF)
        line = len(data) - data.endswith(b"\r") if found < 0 else found
        if line > self._limits.request_line or len(data) > self._limits.head:
            raise self._too_large(line)
        if has_bare_lf(data, self._seen):
            raise RequestError(400, "Bare LF in the head")
        if 0 <= found < self._seen - 1:
            return  # the line was found good before
        good = may_go_on(data, self._seen) if found < 0 else is_request_line(data)
        if not good and data not in {b"", b"\r"}:
            raise bad_request_line(data)


def _leaves_ready(head: Head) -> bool:
    """Tell whether llhttp reads what follows this head as another head.

    Otherwise it waits for a body, which it will not get, or refuses to read on: it does so behind
    the last head of a connection, and takes `Proxy-Connection` for `Connection`.
    """
    ended = not head.keep_alive or head.upgrade or "PROXY-CONNECTION" in head.headers
    return not (ended or head.length or head.chunked)
