"""application/x-www-form-urlencoded (WHATWG URL, 5.1): query strings and simple forms."""

from typing import Final
from urllib.parse import unquote_plus

from .errors import LimitError, MultipartError

__all__ = ["MAX_FIELDS", "parse_pairs"]

MAX_FIELDS: Final = 1000


def parse_pairs(
    text: str | bytes, *, max_fields: int = MAX_FIELDS, strict: bool = False
) -> list[tuple[str, str]]:
    """Split into decoded pairs, blank values kept, empty pairs dropped.

    Raises `LimitError` for more than `max_fields` pairs and, when strict, `MultipartError` for
    bytes that are not UTF-8 and for a pair without `=`.
    """
    if not isinstance(text, str):
        text = decode_text(text, strict)
    if text.count("&") >= max_fields:
        raise LimitError("Too many fields")
    pairs = []
    for pair in text.split("&"):
        if not pair and not (strict and text):
            continue
        key, equals, value = pair.partition("=")
        if strict and not equals:
            raise MultipartError("A field without =")
        pairs.append((unquote_plus(key), unquote_plus(value)))
    return pairs


def decode_text(data: bytes, strict: bool) -> str:
    try:
        return str(data, "utf-8", "strict" if strict else "replace")
    except UnicodeDecodeError as error:
        raise MultipartError("An urlencoded body is not UTF-8") from error
