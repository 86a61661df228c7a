"""application/x-www-form-urlencoded (WHATWG URL, 5.1): query strings and simple forms."""

from codecs import unicode_escape_decode
from typing import Final
from urllib.parse import unquote_plus

from .errors import MultipartError

__all__ = ["MAX_FIELDS", "check_strictly", "fill", "fill_escaped"]

MAX_FIELDS: Final = 1000
# What `&` and `=` become while everything else is decoded.
AND: Final = "\x1f"
IS: Final = "\x1e"
MARKS: Final = bytes.maketrans(b"+&=", b" \x1f\x1e")

Values = dict[str, list[str]]


def check_strictly(text: str | bytes) -> str:
    """The text, if it is UTF-8 and each of its pairs has a `=`; else raises `MultipartError`."""
    try:
        text = text if isinstance(text, str) else str(text, "utf-8")
    except UnicodeDecodeError as error:
        raise MultipartError("An urlencoded body is not UTF-8") from error
    if text and not all("=" in pair for pair in text.split("&")):
        raise MultipartError("A field without =")
    return text


def fill(values: Values, pairs: list[str]) -> None:
    """Add pairs that are not escaped; empty ones do not count."""
    for pair in filter(None, pairs):
        key, _, value = pair.partition("=")
        values.setdefault(key, []).append(value)


def fill_escaped(values: Values, text: str) -> None:
    """Decode all of it at once, with marks for the separators, or else pair by pair."""
    marked = decode_marked(text)
    if marked is None:
        for pair in filter(None, text.split("&")):
            key, _, value = pair.partition("=")
            values.setdefault(unquote_plus(key), []).append(unquote_plus(value))
        return
    for pair in filter(None, marked.split(AND)):
        key, _, value = pair.partition(IS)
        if IS in value:
            value = value.replace(IS, "=")
        if key in values:
            values[key].append(value)
        else:
            values[key] = [value]


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
