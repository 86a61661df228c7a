"""What a request line says, whole or as far as it has come (RFC 9112 3). No I/O.

httptools reads it; what httptools lets through is refused here.
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

# The minor versions of HTTP/1, as a request line ends with them.
MINORS = {b"HTTP/1.%d" % minor: minor for minor in range(10)}


@lru_cache(maxsize=128)
def read_method(raw: bytes) -> str:
    """Return the method as text; raises `RequestError` if it is no token (RFC 9110 9.1)."""
    text = raw.decode("latin-1")
    if not is_token(text):  # llhttp skips line ends in front of it
        raise RequestError(400, "Malformed request line")
    return text


def split_line(raw: bytes) -> list[bytes] | None:
    """Return method, target and version, or None; llhttp has yet to check their characters.

    llhttp lets through runs of spaces, fragments, and other versions.
    """
    line = raw.split(b" ")
    if len(line) != 3 or line[2] not in MINORS or b"#" in line[1]:  # noqa: PLR2004 - its parts
        return None
    return line


def is_plain(line: list[bytes]) -> bool:
    """Tell whether the line and the fields behind it mean the same without each other."""
    return line[1].startswith(b"/") and line[2] == b"HTTP/1.1" and line[0] != b"CONNECT"


def may_go_on(data: bytes, seen: int) -> bool:
    """Tell whether a request line may begin so, when its first `seen` bytes may.

    Only the bytes behind these are looked at, so that a line may come byte by byte.
    """
    space = data.find(b" ")
    if space < 0:
        return is_token_part(data, seen) is not None
    if space < seen and data.rfind(b" ") == space:
        return is_target_part(data, seen) is not None
    return is_request_line_start(data)


def is_request_line(data: bytes) -> bool:
    """Tell whether the data begins with a request line of HTTP/1."""
    line = match_request_line(data)
    return line is not None and line[1] == b"1"


def bad_request_line(data: bytes) -> RequestError:
    """Make the error for what is no request line of HTTP/1."""
    line = match_request_line(data)
    if line is not None and line[1] != b"1":
        return RequestError(505, "Only HTTP/1.x is spoken here")
    return RequestError(400, "Malformed request line")


def refusal(data: bytes, error: httptools.HttpParserError) -> RequestError:
    """Make the error for a head that httptools refuses."""
    # llhttp says "Invalid method" of other protocols' methods too.
    invalid = isinstance(error, httptools.HttpParserInvalidMethodError)
    if invalid or "nvalid method" in str(error):
        return _unknown_method(data)
    return RequestError(400, str(error) or "Malformed request")


def _unknown_method(data: bytes) -> RequestError:
    """RFC 9110 9.1: a method, but none we know; or no token at all."""
    if is_request_line(data):
        return RequestError(501, "Unknown method")
    return bad_request_line(data)
