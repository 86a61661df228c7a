"""The head of a request, from the scope of an ASGI server."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from typing import Any, Final
from urllib.parse import quote

from roll_http.h1.head import Head, split_query

__all__ = ["address_of", "head_of", "is_length"]

LONGEST: Final = 18
"""The most digits of a Content-Length that is counted."""

WITHOUT_BODY: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "CONNECT"})
"""The methods whose requests have no body over HTTP/1.1, unless a field announces it."""

# The characters of a path that need no escape (RFC 3986 3.3), and existing escapes.
PATH: str = "/!$&'()*+,;=:@-._~%"


def head_of(scope: Mapping[str, Any]) -> Head:
    """Return the head that a server has parsed; the server has checked the framing."""
    head = Head()
    head.method = scope.get("method", "GET")
    head.target = target_of(scope)
    head.path, head.query = split_query(head.target.decode("latin-1"))
    fields = [(bytes(name), bytes(value)) for name, value in scope["headers"]]
    head.headers = joined(fields)
    head.block = b"".join(b"%b: %b\r\n" % field for field in fields) + b"\r\n"
    length = head.headers.get("CONTENT-LENGTH", "")
    if "," in length:
        length = head.headers["CONTENT-LENGTH"] = one_of(length)
    head.length = length_of(length)
    head.chunked = not length and may_have_body(scope, head)
    head.minor = 0 if scope.get("http_version") == "1.0" else 1
    return head


def target_of(scope: Mapping[str, Any]) -> bytes:
    """Return the target below the path where the application is mounted."""
    raw = scope.get("raw_path")
    path: bytes = raw or quote(scope["path"].encode(errors="surrogateescape"), PATH[:-1]).encode()
    path = path.partition(b"?")[0]  # some servers leave the query in the path
    prefix = quote(scope.get("root_path", ""), PATH).encode().rstrip(b"/")
    if prefix and (path == prefix or path.startswith(prefix + b"/")):
        path = path[len(prefix) :] or b"/"
    query: bytes = scope.get("query_string", b"")
    return path + b"?" + query if query else path


def joined(fields: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Return fields by upper-cased name; join repeated fields (RFC 9110 5.3)."""
    found: dict[str, list[str]] = {}
    for name, value in fields:
        found.setdefault(name.decode("latin-1").upper(), []).append(decoded(value))
    # RFC 6265 5.4, and RFC 9113 8.2.3.
    return {key: ("; " if key == "COOKIE" else ", ").join(found[key]) for key in found}


def one_of(field: str) -> str:
    """Return the value of a Content-Length that is repeated (RFC 9110 8.6).

    Return the whole field, which is not a number, if its values differ.
    """
    values = {value.strip(" \t") for value in field.split(",")}
    return values.pop() if len(values) == 1 else field


def is_length(field: str) -> bool:
    """Tell whether a Content-Length is a number, or empty as if it was absent."""
    return not field or (field.isascii() and field.isdigit())


def length_of(field: str) -> int:
    """Return a Content-Length; 0 for one that is not a number.

    `int` raises for more than 4,300 digits. A number of more than 18 is as good as the largest.
    """
    digits = field.lstrip("0") if is_length(field) else ""
    return int(digits or 0) if len(digits) <= LONGEST else sys.maxsize


def decoded(value: bytes) -> str:
    try:
        return value.decode().strip(" \t")
    except UnicodeDecodeError:
        return value.decode("latin-1").strip(" \t")


def may_have_body(scope: Mapping[str, Any], head: Head) -> bool:
    """Tell whether a body without a Content-Length may follow.

    The messages are the body, not the fields: a middleware that unpacks a body drops its length.
    Do not wait for a message where almost no request has a body.
    """
    return (
        head.method not in WITHOUT_BODY
        or "TRANSFER-ENCODING" in head.headers
        or scope.get("http_version", "1.1") not in {"1.0", "1.1"}
    )


def address_of(scope: Mapping[str, Any]) -> tuple[str, int] | None:
    """Return the host and the port of the client; None if they are not known."""
    client = scope.get("client")
    return None if not client or client[1] is None else (client[0], client[1])
