"""Encoding of requests as bytes."""

from __future__ import annotations

import json
import mimetypes
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from roll_http import SpeaksJSON
from roll_multipart import encode

from ..codec import JSON, encodable
from ..query_strings import form_text, urlencoded

__all__ = ["encode_data", "encode_form", "encode_head", "encode_multipart", "encode_path"]

# RFC 3986: the characters of a path and a query that need no escape. Existing escapes are kept.
PATH = "/%!$&'()*+,;=:@-._~"
QUERY = PATH + "?"

MULTIPART = "multipart/form-data"
URLENCODED = "application/x-www-form-urlencoded"


def encode_path(path: str) -> bytes:
    """Percent-encode the characters that a request target cannot have."""
    place, mark, query = path.partition("?")
    return (quote(place, PATH) + mark + quote(query, QUERY)).encode("ascii")


def encode_head(method: str, path: str, headers: Mapping[str, Any]) -> bytes:
    """Encode the request line and the headers of a request (RFC 9112 3 and 5)."""
    lines = [f"{name}: {value}\r\n" for name, value in headers.items()]
    return b"%b %b HTTP/1.1\r\n%b\r\n" % (
        method.encode(),
        encode_path(path),
        "".join(lines).encode(),
    )


def encode_data(data: Any, content_type: str, codec: SpeaksJSON) -> tuple[bytes, str]:
    """Encode data by `content_type`, or else by `codec`; return them with their content type."""
    if content_type.startswith(MULTIPART):
        return encode_multipart(data)
    if content_type.startswith(URLENCODED):
        given = data.items() if isinstance(data, Mapping) else data
        return urlencoded(given).encode(), content_type
    # Keep the spaces of `json` unless the application has its own codec: tests may compare bodies.
    text = json.dumps(data, default=encodable) if codec is JSON else codec.dumps(data)
    return text.encode() if isinstance(text, str) else text, content_type


def encode_multipart(
    data: Mapping[str, Any] | Iterable[tuple[str, Any]], charset: str = "utf-8"
) -> tuple[bytes, str]:
    """Encode a multipart body; return it with its content type, which has the boundary.

    A value is a field. It is a file if it is a tuple `(content, filename[, charset])` or has
    `read`. A list has several values.
    """
    fields: list[tuple[str, Any]] = []
    files: list[tuple[str, Any]] = []
    for name, value in pairs(data):
        (files if isinstance(value, tuple) or hasattr(value, "read") else fields).append(
            (name, value)
        )
    return encode_form(fields, files, charset)


def encode_form(fields: Any, files: Any, charset: str = "utf-8") -> tuple[bytes, str]:
    """Encode fields and files, each a mapping or pairs; leave out a file that is None."""
    texts = [(name, encoded(plain(name, value), charset)) for name, value in pairs(fields)]
    given = [(name, described(file, charset)) for name, file in pairs(files) if file is not None]
    return encode(texts, given)


def pairs(data: Any) -> Iterable[tuple[str, Any]]:
    """Return one pair for each value, also for each value in a list."""
    for name, value in data.items() if isinstance(data, Mapping) else data:
        if isinstance(value, list):
            yield from ((name, item) for item in value)
        else:
            yield name, value


def plain(name: str, value: Any) -> Any:
    """Return a value as the encoder takes it; values of unknown types become text."""
    if isinstance(value, str | bytes | bytearray | memoryview) or hasattr(value, "read"):
        return value
    return str(form_text(name, value))


def encoded(value: Any, charset: str) -> Any:
    return value.encode(charset) if isinstance(value, str) else value


def described(value: Any, charset: str) -> Any:
    """Return a file as the encoder takes it; a given charset goes to its content type."""
    if not isinstance(value, tuple):
        # The name of an open file is its path, or the number of its descriptor.
        name = getattr(value, "name", None)
        return (value, Path(name).name) if isinstance(name, str) else encoded(value, charset)
    content, filename, *rest = value
    if not rest:
        return encoded(content, charset), filename
    kind = mimetypes.guess_type(filename)[0] or "text/plain"
    return encoded(content, rest[0]), filename, f"{kind}; charset={rest[0]}"
