"""What a head means: where its message ends, whether the connection stays open, the target.

`Connection: close` of a request is read here (`_read_connection`). No I/O.
"""

from __future__ import annotations

from functools import lru_cache

from ..syntax import (
    CRLF,
    is_authority_form,
    is_host,
    list_members,
    match_absolute_form,
    percent_decode,
)

__all__ = ["Head", "RequestError", "read_framing", "read_target", "split_fields", "split_query"]


class RequestError(Exception):
    """Bytes that are not an acceptable request: the `status` to answer, and a short plain reason.

    The bytes that follow can't be trusted: the connection must be closed after the response.
    """

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(status, reason)
        self.status = status
        self.reason = reason


class Head:
    """The checked head of one request."""

    __slots__ = (
        "block",
        "chunked",
        "expects_continue",
        "headers",
        "keep_alive",
        "length",
        "method",
        "minor",
        "path",
        "query",
        "target",
        "upgrade",
    )

    method: str
    target: bytes
    """The request target, as received."""
    path: str
    """The percent-decoded path of the target."""
    query: str
    """What follows the first `?` of the target, as received."""
    headers: dict[str, str]
    block: bytes
    """The field lines as received, with the empty line after them."""

    def __init__(self) -> None:
        self.minor = 1
        """The minor version: 0 for HTTP/1.0; any other counts as 1."""
        self.length = 0
        """The length of the body in bytes, when it is not chunked."""
        self.chunked = False
        self.keep_alive = True
        self.expects_continue = False
        self.upgrade: str | None = None


# Options and hosts repeat: a cache saves 0.1 to 0.7 us a field. Clients choose the values, so only
# short ones are cached.
KEPT = 64

# The number of digits of 2**64. `int` raises for thousands of digits.
LONGEST_LENGTH = 20


def _options_of(connection: str) -> frozenset[str]:
    return frozenset(list_members(connection))


_known_options = lru_cache(maxsize=256)(_options_of)
_is_known_host = lru_cache(maxsize=1024)(is_host)


def _unknown_coding() -> RequestError:
    return RequestError(501, "The only transfer coding supported is chunked")


def read_framing(head: Head) -> None:
    """Read where the message ends, and whether its connection stays open (RFC 9112 6 and 9)."""
    headers = head.headers
    if head.minor == 0:
        head.keep_alive = False
    connection = headers.get("CONNECTION")
    if connection is not None:
        _read_connection(head, connection)
    if "TRANSFER-ENCODING" in headers:  # without Content-Length: llhttp refuses both together
        _check_coding(head, headers["TRANSFER-ENCODING"])
    if "CONTENT-LENGTH" in headers:
        head.length = _content_length(headers["CONTENT-LENGTH"])
    if "EXPECT" in headers:
        head.expects_continue = _expects_continue(head, headers["EXPECT"])


def _read_connection(head: Head, connection: str) -> None:
    options = (_known_options if len(connection) <= KEPT else _options_of)(connection)
    if "close" in options:
        head.keep_alive = False
    elif "keep-alive" in options:
        head.keep_alive = True
    if "upgrade" in options and head.minor > 0:  # RFC 9110 7.8
        head.upgrade = head.headers.get("UPGRADE")


def _check_coding(head: Head, coding: str) -> None:
    # The lower case of the Kelvin sign, which is not ASCII, is a k.
    if coding.lower() != "chunked" or not coding.isascii():
        raise _unknown_coding()
    head.chunked = True
    if head.minor == 0:
        head.keep_alive = False  # RFC 9112 6.1: faulty framing; answer, then close


def _content_length(digits: str) -> int:
    """Return the length; llhttp has checked that these are digits, with any number of zeros."""
    if len(digits) > LONGEST_LENGTH:
        raise RequestError(400, "Content-Length has too many digits")
    return int(digits)


def _expects_continue(head: Head, expect: str) -> bool:
    """Return whether the client expects a 100 (RFC 9110 10.1.1); raise 417 for anything else."""
    members = set(list_members(expect))
    if not members:
        return False
    if members != {"100-continue"}:
        raise RequestError(417, "Unknown expectation")
    return head.minor > 0 and (head.chunked or head.length > 0)


def read_target(head: Head) -> None:
    """Read the path and the host from a target of any of the four forms (RFC 9112 3.2)."""
    target = head.target
    host = head.headers.get("HOST")
    if head.method == "CONNECT" and not target.startswith(b"/"):
        if not is_authority_form(target):
            raise RequestError(400, "CONNECT requires host:port")
        path = target
    elif target.startswith(b"/"):
        path = target
    elif target == b"*":
        if head.method != "OPTIONS":
            raise RequestError(400, "The target * is for OPTIONS")
        path = target
    else:
        path, host = _split_absolute(head, host)
    head.path, head.query = split_query(path.decode("ascii"))
    if host is None:
        if head.minor > 0:
            raise RequestError(400, "Missing Host")
    elif not (_is_known_host if len(host) <= KEPT else is_host)(host):
        raise RequestError(400, "Invalid Host")
    if head.method == "CONNECT":
        head.keep_alive = False  # what follows is for the other end of the tunnel


def split_fields(block: bytes) -> list[tuple[bytes, bytes]]:
    """Return name and value of each line of a block, as received, without outer whitespace."""
    lines = block.split(CRLF)[:-2]
    return [(name, value.strip(b" \t")) for name, _, value in (x.partition(b":") for x in lines)]


def split_query(target: str) -> tuple[str, str]:
    """Return the percent-decoded path of a target, and its query as received."""
    path, _, query = target.partition("?")
    return (percent_decode(path) if "%" in path else path), query


def _split_absolute(head: Head, host: str | None) -> tuple[bytes, str | None]:
    match = match_absolute_form(head.target)
    if match is None:
        raise RequestError(400, "Malformed request target")
    path = head.target[match.end() :]
    if not path.startswith(b"/"):
        path = b"/" + path
    if host is not None and not is_host(host):
        # The caller refuses it, even though the authority of the target replaces it.
        return path, host
    if host is not None or head.minor == 0:
        head.headers["HOST"] = match[1].decode("ascii")
    return path, host
