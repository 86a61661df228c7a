"""Conversion of the fields of an ASGI message to those of a response."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from roll_http.shown import shown

__all__ = ["FRAMED", "copied", "make_way", "put_back", "set_fields", "text_of"]

# The fields that the server decides.
FRAMED: Final = frozenset({"Transfer-Encoding"})

# The fields that an application adds to those that listeners have set: each value has its reader.
ADDED: Final = frozenset({"Link", "Set-Cookie", "Vary"})

MOST_KNOWN: Final = 1024

# Cache names in Roll's spelling, which is the fastest to send. Applications use few names.
known: dict[bytes, str] = {}


def set_fields(headers: dict[str, Any], fields: Iterable[Any]) -> None:
    """Set fields of a response; a repeated field gets a list of values.

    Raises:
        TypeError: a field is not a pair of bytes.
    """
    fields = list(fields)
    if headers:
        make_way(headers, fields)
    for name, value in fields:
        key = known.get(name) or spelling(name)
        text = text_of(value)
        if key in FRAMED:
            continue
        if key not in headers:
            headers[key] = text
        elif isinstance(headers[key], list):
            headers[key].append(text)
        else:
            headers[key] = [headers[key], text]


def make_way(headers: dict[str, Any], fields: Iterable[Any]) -> None:
    """Remove what listeners have set, if the application sets it too: its values count.

    Raises:
        TypeError: a field is not a pair of bytes.
    """
    for name, _ in fields:
        key = known.get(name) or spelling(name)
        if key not in ADDED:
            headers.pop(key, None)


def copied(headers: dict[str, Any]) -> dict[str, Any]:
    """Return a copy of fields, for `put_back`; `set_fields` adds to lists."""
    return {
        name: list(value) if isinstance(value, list) else value for name, value in headers.items()
    }


def put_back(headers: dict[str, Any], kept: dict[str, Any]) -> None:
    """Restore fields, so that a refused message leaves none of its fields."""
    headers.clear()
    headers.update(kept)


def spelling(name: Any) -> str:
    """Return the name of a field, such as `Content-Type` for `content-type`."""
    if not isinstance(name, bytes):
        raise TypeError(f"The name of a field is bytes, not {shown(name)}")
    text = "-".join(map(str.capitalize, name.decode("latin-1").split("-")))
    if len(known) < MOST_KNOWN:
        known[name] = text
    return text


def text_of(value: Any) -> str:
    """Return a value as text; bytes that are not UTF-8 become surrogates."""
    try:
        text: str = value.decode()
    except UnicodeDecodeError:
        text = value.decode(errors="surrogateescape")
    except AttributeError:
        raise TypeError(f"The value of a field is bytes, not {shown(value)}") from None
    return text
