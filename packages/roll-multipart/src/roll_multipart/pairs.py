"""The pairs of a urlencoded text, as its decoders collect them."""

from .errors import MultipartError

__all__ = ["Values", "add"]

Values = dict[str, list[str]]


def add(values: Values, key: str, equals: str, value: str, strict: bool) -> None:
    """Add what is not simply a new key with its value."""
    if strict and not equals:
        raise MultipartError("A field without =")
    values.setdefault(key, []).append(value)
