"""Encoding of forms, as browsers do it (WHATWG HTML, 4.10.21.8; RFC 7578)."""

import mimetypes
import re
import secrets
from collections.abc import Iterable, Mapping
from typing import Any, Protocol

__all__ = ["encode"]

SPECIAL = re.compile('["\r\n]')
ESCAPES = {'"': "%22", "\r": "%0D", "\n": "%0A"}


class Readable(Protocol):
    """Something with content to read: an open file."""

    def read(self) -> bytes | str: ...


Content = bytes | bytearray | memoryview | str | Readable
File = Content | tuple[Content, str] | tuple[Content, str, str | None]
Fields = Mapping[str, Any] | Iterable[tuple[str, Any]]


def encode(
    fields: Fields = (), files: Fields = (), *, boundary: str | None = None
) -> tuple[bytes, str]:
    """Encode a form: the body, and the value of its Content-Type header.

    Both are mappings or iterables of pairs; a list as a value stands for several fields or files of
    that name. Field values that are not text or bytes go through `str()`. A file is its content, or
    a tuple `(content, filename)` or `(content, filename, content_type)`; content is bytes, text or
    an open file. Raises `ValueError` for a given `boundary` that the content has in it.
    """
    boundary = boundary or f"----RollFormBoundary{secrets.token_hex(12)}"
    delimiter = b"--" + boundary.encode("ascii")
    parts = [encode_field(name, value) for name, value in get_pairs(fields)]
    parts += [encode_file(name, value) for name, value in get_pairs(files)]
    if any(delimiter in part for part in parts):
        raise ValueError("The content has the boundary in it")
    body = b"".join(b"%b\r\n%b\r\n" % (delimiter, part) for part in parts)
    return body + delimiter + b"--\r\n", f"multipart/form-data; boundary={boundary}"


def get_pairs(fields: Fields) -> Iterable[tuple[str, Any]]:
    """One pair for each value."""
    pairs = fields.items() if isinstance(fields, Mapping) else fields
    for name, value in pairs:
        if isinstance(value, list):
            yield from ((name, item) for item in value)
        else:
            yield name, value


def encode_field(name: str, value: object) -> bytes:
    head = f'Content-Disposition: form-data; name="{escape(name)}"\r\n\r\n'
    return head.encode() + to_bytes(value)


def encode_file(name: str, value: Any) -> bytes:
    content, filename, content_type = describe(name, value)
    head = (
        f'Content-Disposition: form-data; name="{escape(name)}"; filename="{escape(filename)}"\r\n'
        f"Content-Type: {content_type}\r\n\r\n"
    )
    return head.encode() + to_bytes(content)


def describe(name: str, value: Any) -> tuple[object, str, str]:
    """Content, filename and type of what was given as a file."""
    content, *rest = value if isinstance(value, tuple) else (value,)
    filename = rest[0] if rest else getattr(content, "filename", None) or name
    content_type = rest[1] if len(rest) > 1 else getattr(content, "content_type", None)
    return content, filename, content_type or guess_type(filename)


def guess_type(filename: str) -> str:
    return mimetypes.guess_type(filename)[0] or "application/octet-stream"


def to_bytes(value: object) -> bytes:
    if hasattr(value, "read"):
        value = value.read()
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value)
    return str(value).encode()


def escape(name: str) -> str:
    """Escape what would end the quotes or the line."""
    return SPECIAL.sub(lambda match: ESCAPES[match[0]], name)
