"""Encoding of forms as browsers encode them (WHATWG HTML, 4.10.21.8; RFC 7578)."""

import mimetypes
import os
import re
import secrets
from collections.abc import AsyncIterable, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from decimal import Decimal
from inspect import iscoroutinefunction
from pathlib import Path
from typing import Any, Final, NamedTuple

from .checks import BYTES, read_pairs, wrong_type
from .headers import check_boundary

__all__ = ["EncodedPart", "Fields", "encode", "make_boundary", "make_parts", "to_bytes"]

PLAIN = re.compile(r"[\w'+.-]+", re.ASCII)
ESCAPES: Final = {'"': "%22", "\r": "%0D", "\n": "%0A"}
NUMBERS: Final = (int, float, Decimal)

# The most items of a tuple for a file: its content, its name and its type.
MOST: Final = 3

Fields = Mapping[str, Any] | Iterable[tuple[str, Any]]


class EncodedPart(NamedTuple):
    """A part: its encoded head, and its content, which is not read yet."""

    name: str
    head: bytes
    content: Any
    is_file: bool


def encode(
    fields: Fields = (), files: Fields = (), *, boundary: str | None = None
) -> tuple[bytes, str]:
    """Encode a form. Return the body, and the value of its Content-Type field.

    `fields` and `files` are mappings or iterables of pairs. A list as a value stands for several
    values of the name. A field is text, a number, bytes or a file to read. A file is its content,
    or a tuple `(content, filename)` or `(content, filename, content_type)`. The content is bytes,
    text, a file to read, or a path (`os.PathLike`). An open file and a path have their own name.

    Raises `TypeError` for any other value. Raises `ValueError` for a NUL in a name, and for a line
    break in a content type. Also raises it for a `boundary` that is invalid or in the content.
    """
    delimiter, content_type = make_boundary(boundary)
    parts = [part.head + to_bytes(part) for part in make_parts(fields, files)]
    if boundary is not None and any(delimiter in part for part in parts):
        raise ValueError("The content has the boundary in it")
    parts = [b"%b\r\n%b\r\n" % (delimiter, part) for part in parts]
    return b"".join([*parts, delimiter, b"--\r\n"]), content_type


def make_boundary(boundary: str | None = None) -> tuple[bytes, str]:
    """Return the delimiter between parts and the content type that names it."""
    if boundary is None:
        boundary = f"----RollFormBoundary{secrets.token_hex(12)}"
    if not isinstance(boundary, str):
        raise wrong_type("boundary", "text", boundary)
    delimiter = b"--" + check_boundary(boundary)
    value = boundary if PLAIN.fullmatch(boundary) else f'"{boundary}"'
    return delimiter, f"multipart/form-data; boundary={value}"


def make_parts(fields: Fields, files: Fields) -> Iterator[EncodedPart]:
    """Yield the parts of a form, fields first."""
    for name, value in get_values("fields", fields):
        head = f'Content-Disposition: form-data; name="{escape(name)}"\r\n\r\n'
        yield EncodedPart(name, encode_head(head), value, is_file=False)
    for name, value in get_values("files", files):
        content, filename, content_type = describe(name, value)
        head = (
            f'Content-Disposition: form-data; name="{escape(name)}"; '
            f'filename="{escape(filename)}"\r\nContent-Type: {content_type}\r\n\r\n'
        )
        yield EncodedPart(name, encode_head(head), content, is_file=True)


def encode_head(head: str) -> bytes:
    # A filename on disk that is not UTF-8 is sent with the same bytes.
    return head.encode("utf-8", "surrogateescape")


def get_values(what: str, fields: Fields) -> Iterator[tuple[str, Any]]:
    """Yield a pair for each value."""
    for name, value in read_pairs(what, fields):
        if not isinstance(name, str):
            raise wrong_type(f"Each name of {what}", "text", name)
        if isinstance(value, list):
            yield from ((name, item) for item in value)
        else:
            yield name, value


def describe(name: str, value: Any) -> tuple[Any, str, str]:
    """Return the content, the filename and the content type of a file."""
    given = value if isinstance(value, tuple) else (value,)
    if not 1 <= len(given) <= MOST:
        expected = "(content, filename, content_type)"
        raise TypeError(f"The file {name!r} must be {expected}, not {len(given)} values")
    content, filename, content_type = (*given, None, None)[:MOST]
    if filename is None:
        filename = get_own_name(content) or name
    if not isinstance(filename, str):
        raise wrong_type(f"The filename of {name!r}", "text", filename)
    content_type = content_type or getattr(content, "content_type", None) or guess_type(filename)
    if not isinstance(content_type, str):
        raise wrong_type(f"The content type of {name!r}", "text", content_type)
    if not content_type.isprintable():
        raise ValueError("A content type has printable characters only")
    return content, filename, content_type


def get_own_name(content: Any) -> str:
    """Return the name of an uploaded file, a path or an open file, or ""."""
    if isinstance(content, os.PathLike):
        return Path(content).name
    if isinstance(filename := getattr(content, "filename", None), str):
        return filename
    # The name of an open file may be the number of its descriptor, or `<stdin>`.
    name = getattr(content, "name", None)
    return Path(name).name if isinstance(name, str) and not name.startswith("<") else ""


def guess_type(filename: str) -> str:
    return mimetypes.guess_type(filename)[0] or "application/octet-stream"


def to_bytes(part: EncodedPart) -> bytes:
    """Return the content of a part. Raises `TypeError` for a value of another type."""
    value = part.content
    if hasattr(value, "read") and not iscoroutinefunction(value.read):
        value = value.read()
    elif part.is_file and isinstance(value, os.PathLike):
        value = Path(value).read_bytes()
    if isinstance(value, BYTES):
        return bytes(value)
    if isinstance(value, str if part.is_file else (str, *NUMBERS)):
        return str(value).encode()
    kind, number = type(value).__name__, "" if part.is_file else ", a number"
    raise TypeError(
        f"{part.name!r} must be text, bytes{number} or a file, not {kind}{advise(part)}"
    )


def advise(part: EncodedPart) -> str:
    """Return a hint at the function that takes such a content."""
    content = part.content
    if isinstance(content, AsyncIterable) or iscoroutinefunction(getattr(content, "read", None)):
        return ": encode_stream_async takes asynchronous contents of files"
    if part.is_file and isinstance(content, Iterable):
        hint = ": encode_stream takes an iterable of bytes"
        return hint if not isinstance(content, AbstractSet | Mapping) else ""
    return ""


def escape(name: str) -> str:
    """Escape the characters that would end the quotes or the line."""
    if "\0" in name:
        raise ValueError("NUL in a name")
    for character, escaped in ESCAPES.items():
        name = name.replace(character, escaped)
    return name
