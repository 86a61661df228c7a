"""application/x-www-form-urlencoded (WHATWG URL, 5.1): query strings and simple forms."""

from codecs import unicode_escape_decode
from typing import Final

from .errors import LimitError
from .pairs import Values, add, put

__all__ = [
    "MAX_FIELDS",
    "MAX_FIELD_SIZE",
    "MAX_TEXT_SIZE",
    "SHORT",
    "fill",
    "fill_long",
    "fill_short",
]

MAX_FIELDS: Final = 1000
# In bytes: of one field, and of all fields of a body.
MAX_FIELD_SIZE: Final = 2**20
MAX_TEXT_SIZE: Final = 8 * 2**20
# In bytes. Longer text is decoded field by field, which is slower but takes little memory.
SHORT: Final = 4096
# These stand for `&` and `=` while everything else is decoded.
AND: Final = "\x1f"
IS: Final = "\x1e"
MARKS: Final = bytes.maketrans(b"&=", b"\x1f\x1e")

Text = str | bytes | bytearray


def fill(
    values: Values,
    text: Text,
    max_fields: int,
    max_field_size: int,
    max_text_size: int,
    *,
    strict: bool,
) -> None:
    """Add the pairs of a text, except empty ones.

    Raises `LimitError` beyond a limit. If strict, raises `MultipartError` for text that is not
    UTF-8, and for a pair without `=`, also for an empty one.
    """
    short = len(text) <= SHORT <= max_field_size and max_text_size >= SHORT
    if not (short and fill_short(values, text, max_fields, strict)):
        fill_long(values, text, max_fields, max_field_size, max_text_size, strict=strict)


def fill_short(values: Values, text: Text, max_fields: int, strict: bool) -> bool:
    """Add the pairs of a short text, except empty ones.

    Return False and add nothing if `fill_long` must parse the text.
    """
    if not isinstance(text, str):
        text = str(text, "ascii", "replace")
    if not text.isascii():
        return False
    if len(text) >= max_fields and text.count("&") >= max_fields:
        raise LimitError("Too many fields")
    text = text.replace("+", " ")
    if "%" in text:
        return fill_escaped(values, text, strict)
    if text:
        for pair in text.split("&"):
            key, found, value = pair.partition("=")
            if found:
                put(values, key, []).append(value)
            elif pair or strict:
                add(values, key, found, value, strict)
    return True


def fill_long(values: Values, text: Text, *limits: int, strict: bool) -> None:
    """Add the pairs of any text, except empty ones. The limits are those of `fill`."""
    # Loaded at the first use, because most requests have a short query string or none.
    from .long_urlencoded import LongParser  # noqa: PLC0415

    LongParser(values, *limits, strict=strict).parse(text)


def fill_escaped(values: Values, text: str, strict: bool) -> bool:
    """Decode all of the text at once, with marks for the separators."""
    marked = decode_marked(text)
    if marked is None:
        return False
    for pair in marked.split(AND):
        key, found, value = pair.partition(IS)
        if IS in value:
            value = value.replace(IS, "=")
        if found:
            put(values, key, []).append(value)
        elif pair or strict:
            add(values, key, found, value, strict)
    return True


def decode_marked(text: str) -> str | None:
    r"""Mark the separators, and undo `%XX` at the speed of C, with Python's own `\xXX` decoder.

    Return None if this is impossible: the text has something like a mark or like an escape of
    Python, or an incomplete `%XX`, which must stay as it is.
    """
    if "%1" in text or "\\" in text or AND in text or IS in text:
        return None
    try:
        marked = text.encode("ascii").translate(MARKS).replace(b"%", b"\\x")
        decoded, _ = unicode_escape_decode(marked)
    except UnicodeError:
        return None
    return decoded if decoded.isascii() else decoded.encode("latin-1").decode("utf-8", "replace")
