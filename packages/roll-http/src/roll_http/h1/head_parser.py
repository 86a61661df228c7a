"""Bytes to the checked head of a request. No I/O.

A head is parsed when it is complete: the connection buffers bytes up to the empty line. So the
result does not depend on how the network cut the bytes, and the bytes after the head stay unparsed
until the request is answered. httptools parses the field lines; this module checks what httptools
accepts too easily.
"""

from __future__ import annotations

from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final

import httptools

from ..limits import Limits
from ..syntax import CRLF, END, OWS
from .head import KEPT, Head, RequestError, read_framing, read_target, split_query
from .incomplete import check_beginning, check_first_fault, too_large
from .request_line import (
    MINORS,
    bad_request_line,
    is_plain,
    read_method,
    refusal,
    split_line,
)

__all__ = ["Head", "HeadParser", "RequestError"]


def _field_name(raw: bytes) -> str:
    return raw.decode("ascii").upper()


# Names repeat: a cache saves 0.1 us a field.
_known_field_name = lru_cache(maxsize=1024)(_field_name)


# Method, target, path and query of a request line whose target is a path.
Line = tuple[str, bytes, str, str]

# The request lines that are remembered, shared by all connections.
_lines: dict[bytes, Line] = {}
MOST_LINES = 1024
LONGEST_LINE = 256

# The longest block of field lines that a connection remembers, in bytes.
LONGEST_BLOCK = 2048


# Stands for fields between two heads, in all connections: so nothing can be added to it.
_NONE: Final[Any] = MappingProxyType({})


class HeadParser:
    """Parses the heads of one connection, one after another.

    Clients repeat themselves: the heads of a keep-alive connection mostly have equal fields, and
    often a known request line. So the parser remembers what it made of these bytes, and reuses it
    for the same bytes. A head of eight fields takes 5.6 us, of one field 2.5; with remembered
    fields, 1.8 after a new request line and 0.5 after a known one.
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
        self._accepted = False  # httptools accepted the bytes as a complete head
        self._headers: dict[str, str] = _NONE
        self._repeated: dict[str, list[str]] = _NONE
        self._seen = 0  # how much of an incomplete head was checked
        self._skipped = 0
        # The last fields, as bytes and parsed. The head that had them is reused with other request
        # lines, up to a length that keeps the head within its limits.
        self._block = b""
        self._fields: dict[str, str] = _NONE
        self._head: Head | None = None
        self._longest_line = 0

    def parse(self, data: bytes, start: int) -> tuple[Head | None, int]:
        """Return the first head in `data` from `start` on, and where it ends.

        The head is None while it is incomplete. It is valid until the next call.

        Raises:
            RequestError: the bytes can't become a request, whatever follows.
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
        """Return what a new request line before the remembered fields means.

        Return None if it is bad, or if the fields depend on it: the head is then parsed like any
        other, so that neither its meaning nor its error depends on earlier heads.
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
        """Remember these fields if they arrive for the second time: always to do so costs 1 us."""
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
        # The end may have begun in the bytes checked before.
        end = data.find(END, max(start, start + self._seen - len(END) + 1)) + len(END)
        if end < len(END):
            check_beginning(data[start:], self._seen, self._limits)
            # A CR alone may be half an empty line: check it again.
            self._seen = 0 if data[start:] == b"\r" else len(data) - start
            return None, start
        self._seen = 0
        try:
            return self._parse_whole(data[start:end]), end
        except RequestError:
            check_first_fault(data[start:end], self._limits)
            raise

    def _parse_whole(self, raw: bytes) -> Head:
        end = raw.find(CRLF)
        if end > self._limits.request_line or len(raw) > self._limits.head:
            raise too_large(end, self._limits)
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
        """Skip empty lines before a request line, up to a limit (RFC 9112 2.2)."""
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
        # An idle connection would keep them: 0.5 KiB.
        self._headers = self._repeated = _NONE
        if lines > self._limits.headers:
            raise RequestError(431, "Too many header fields")
        return headers

    def _feed(self, raw: bytes) -> None:
        self._accepted = False
        try:
            (self._parser or self._new_parser()).feed_data(raw)
        except httptools.HttpParserUpgrade:
            self._parser = None  # it would not read another head
        except httptools.HttpParserError as error:
            self._parser = None
            raise refusal(raw, error) from None
        if not self._accepted:  # it waits for another protocol, for example after PRI
            self._parser = None
            raise RequestError(400, "Malformed request")

    def _new_parser(self) -> httptools.HttpRequestParser:
        self._parser = parser = httptools.HttpRequestParser(self)
        # llhttp refuses HTTP/1.2, which RFC 9110 2.5 requires to answer as 1.1, and a tab after
        # `chunked`. `read_framing` refuses the codings that the leniency lets through.
        parser.set_dangerous_leniencies(lenient_version=True, lenient_transfer_encoding=True)
        return parser

    def on_header(self, name: bytes, value: bytes) -> None:
        """Add a field; httptools calls this."""
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
        """Note the end of the head; called by httptools."""
        self._accepted = True

    def _join_repeated(self) -> int:
        """Join the lines of each repeated field; return the number of lines beyond the first.

        All lines of a field are joined at once: adding them one by one takes quadratic time.
        """
        for key, texts in self._repeated.items():
            separator = "; " if key == "COOKIE" else ", "  # RFC 6265 5.4, RFC 9110 5.3
            self._headers[key] = separator.join(texts)
        return sum(map(len, self._repeated.values())) - len(self._repeated)

    def close(self) -> None:
        """Drop the parser, which has a reference to this object: no more heads will arrive."""
        self._parser = None


def _leaves_ready(head: Head) -> bool:
    """Return whether llhttp can read another head after this one.

    Otherwise llhttp waits for a body, which it does not get here, or refuses to go on: after the
    last head of a connection, for which it also reads `Proxy-Connection`.
    """
    ended = not head.keep_alive or head.upgrade or "PROXY-CONNECTION" in head.headers
    return not (ended or head.length or head.chunked)
