"""application/x-www-form-urlencoded (WHATWG URL, 5.1): query strings and simple forms."""

from codecs import unicode_escape_decode
from typing import Final
from urllib.parse import unquote

from .errors import MultipartError

__all__ = ["MAX_FIELDS", "decode", "fill"]

MAX_FIELDS: Final = 1000
# What `&` and `=` become while everything else is decoded.
AND: Final = "\x1f"
IS: Final = "\x1e"
MARKS: Final = bytes.maketrans(b"&=", b"\x1f\x1e")

Values = dict[str, list[str]]


def decode(body: bytes, *, strict: bool) -> str:
    """The text of a body; when strict, raises `MultipartError` for what is not UTF-8."""
    try:
        return str(body, "utf-8", "strict" if strict else "replace")
    except UnicodeDecodeError as error:
        raise MultipartError("An urlencoded body is not UTF-8") from error


def fill(values: Values, text: str, *, strict: bool) -> None:
    """Add the pairs of a text, without the empty ones.

    When strict, raises `MultipartError` for a pair without `=`, empty ones included.
    """
    text = text.replace("+", " ")
    if "%" in text:
        fill_escaped(values, text, strict)
        return
    for pair in text.split("&"):
        key, found, value = pair.partition("=")
        if found and key not in values:
            values[key] = [value]
        elif pair or strict:
            add(values, key, found, value, strict)


def fill_escaped(values: Values, text: str, strict: bool) -> None:
    """Decode all of it at once, with marks for the separators, or else pair by pair."""
    marked = decode_marked(text)
    if marked is None:
        for pair in text.split("&"):
            key, found, value = pair.partition("=")
            if pair or strict:
                add(values, unquote(key), found, unquote(value), strict)
        return
    for pair in marked.split(AND):
        key, found, value = pair.partition(IS)
        if IS in value:
            value = value.replace(IS, "=")
        if found and key not in values:
            values[key] = [value]
        elif pair or strict:
            add(values, key, found, value, strict)


def add(values: Values, key: str, equals: str, value: str, strict: bool) -> None:
    """Add what is not simply a new key with its value."""
    if strict and not equals:
        raise MultipartError("A field without =")
    values.setdefault(key, []).append(value)


def decode_marked(text: str) -> str | None:
    r"""Mark the separators and undo `%XX` at the speed of C, by way of Python's own `\xXX`.

    None if the text is not up to that: something in it may look like a mark or like an escape of
    Python's, or is an incomplete `%XX`, which has to stay as it is.
    """
    if "%1" in text or "\\" in text or AND in text or IS in text:
        return None
    try:
        marked = text.encode("ascii").translate(MARKS).replace(b"%", b"\\x")
        decoded, _ = unicode_escape_decode(marked)
    except UnicodeError:
        return None
    return decoded if decoded.isascii() else decoded.encode("latin-1").decode("utf-8", "replace")
