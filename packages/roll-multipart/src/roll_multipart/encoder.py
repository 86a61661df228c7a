"""Encoding of forms, as browsers do it (WHATWG HTML, 4.10.21.8; RFC 7578)."""

import mimetypes
import re
import secrets
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from .headers import check_boundary

__all__ = ["encode"]

SPECIAL = re.compile('["\r\n]')
PLAIN = re.compile(r"[\w'+.-]+", re.ASCII)
ESCAPES = {'"': "%22", "\r": "%0D", "\n": "%0A"}

Fields = Mapping[str, Any] | Iterable[tuple[str, Any]]


def encode(
    fields: Fields = (), files: Fields = (), *, boundary: str | None = None
) -> tuple[bytes, str]:
    """Encode a form: the body, and the value of its Content-Type header.

    Both are mappings or iterables of pairs; a list as a value stands for several of that name. A
    field that is not text or bytes goes through `str()`. A file is its content, or a tuple
    `(content, filename)` or `(content, filename, content_type)`; the content is bytes, text or a
    file to read. Raises `ValueError` for a NUL in a name, a line break in a content type, and a
    given `boundary` that the content has in it.
    """
    name = boundary or f"----RollFormBoundary{secrets.token_hex(12)}"
    delimiter = b"--" + check_boundary(name)
    parts = [encode_field(name, value) for name, value in get_pairs(fields)]
    parts += [encode_file(name, value) for name, value in get_pairs(files)]
    if boundary and any(delimiter in part for part in parts):
        raise ValueError("The content has the boundary in it")
    parts = [b"%b\r\n%b\r\n" % (delimiter, part) for part in parts]
    value = name if PLAIN.fullmatch(name) else f'"{name}"'
    return b"".join([*parts, delimiter, b"--\r\n"]), f"multipart/form-data; boundary={value}"


def get_pairs(fields: Fields) -> Iterator[tuple[str, Any]]:
    """One pair for each value."""
    for name, value in fields.items() if isinstance(fields, Mapping) else fields:
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
    filename = rest[0] if rest else getattr(content, "filename", name)
    content_type = rest[1] if len(rest) > 1 else getattr(content, "content_type", None)
    content_type = content_type or guess_type(filename)
    if not content_type.isprintable():
        raise ValueError("A content type has printable characters only")
    return content, filename, content_type


def guess_type(filename: str) -> str:
    return mimetypes.guess_type(filename)[0] or "application/octet-stream"


def to_bytes(value: Any) -> bytes:
    if hasattr(value, "read"):
        value = value.read()
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value)
    return str(value).encode()


def escape(name: str) -> str:
    """Escape what would end the quotes or the line."""
    if "\0" in name:
        raise ValueError("NUL in a name")
    return SPECIAL.sub(lambda match: ESCAPES[match[0]], name)
