"""What a request line says, complete or as far as it has arrived (RFC 9112 3). No I/O.

httptools reads the line; this module refuses what httptools accepts too easily.
"""

from __future__ import annotations

from functools import lru_cache

import httptools

from ..syntax import (
    is_request_line_start,
    is_target_part,
    is_token,
    is_token_part,
    match_request_line,
)
from .head import RequestError

__all__ = [
    "MINORS",
    "bad_request_line",
    "is_plain",
    "is_request_line",
    "may_go_on",
    "read_method",
    "refusal",
    "split_line",
]

# The minor version of HTTP/1, by the last part of a request line.
MINORS = {b"HTTP/1.%d" % minor: minor for minor in range(10)}


@lru_cache(maxsize=128)
def read_method(raw: bytes) -> str:
    """Return the method as text; raise `RequestError` if it is not a token (RFC 9110 9.1)."""
    text = raw.decode("latin-1")
    if not is_token(text):  # llhttp skips line ends before the method
        raise RequestError(400, "Malformed request line")
    return text


def split_line(raw: bytes) -> list[bytes] | None:
    """Return method, target and version, or None; llhttp checks their characters later.

    This refuses what llhttp accepts: repeated spaces, fragments, and other versions.
    """
    line = raw.split(b" ")
    if len(line) != 3 or line[2] not in MINORS or b"#" in line[1]:  # noqa: PLR2004 - its parts
        return None
    return line


def is_plain(line: list[bytes]) -> bool:
    """Return whether the line and the fields after it do not affect each other's meaning."""
    return line[1].startswith(b"/") and line[2] == b"HTTP/1.1" and line[0] != b"CONNECT"


def may_go_on(data: bytes, seen: int) -> bool:
    """Return whether a request line may begin with `data`; its first `seen` bytes are checked.

    Only the bytes after these are checked, so that a line that arrives byte by byte takes linear
    time.
    """
    space = data.find(b" ")
    if space < 0:
        return is_token_part(data, seen) is not None
    if space < seen and data.rfind(b" ") == space:
        return is_target_part(data, seen) is not None
    return is_request_line_start(data)


def is_request_line(data: bytes) -> bool:
    """Return whether the data begins with a request line of HTTP/1."""
    line = match_request_line(data)
    return line is not None and line[1] == b"1"


def bad_request_line(data: bytes) -> RequestError:
    """Return the error for data that does not begin with a request line of HTTP/1."""
    line = match_request_line(data)
    if line is not None and line[1] != b"1":
        return RequestError(505, "Only HTTP/1.x is supported")
    return RequestError(400, "Malformed request line")


def refusal(data: bytes, error: httptools.HttpParserError) -> RequestError:
    """Return the error for a head that httptools refuses."""
    # llhttp says "Invalid method" also for the methods of other protocols.
    invalid = isinstance(error, httptools.HttpParserInvalidMethodError)
    if invalid or "nvalid method" in str(error):
        return _unknown_method(data)
    return RequestError(400, str(error) or "Malformed request")


def _unknown_method(data: bytes) -> RequestError:
    """Return the error for an unknown method (RFC 9110 9.1), or for a malformed line."""
    if is_request_line(data):
        return RequestError(501, "Unknown method")
    return bad_request_line(data)
