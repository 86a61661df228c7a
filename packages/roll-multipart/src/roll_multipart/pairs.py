"""The pairs of a urlencoded text, as its decoders collect them."""

from collections.abc import Callable
from typing import Any

from .errors import MultipartError

__all__ = ["Values", "add", "put"]

Values = dict[str, list[str]]
# Past the checks of a `Multidict`, which make a query string take half as long again.
put: Callable[..., list[Any]] = dict.setdefault


def add(values: Values, key: str, equals: str, value: str, strict: bool) -> None:
    """Add what may have no value, or no key."""
    if strict and not equals:
        raise MultipartError("A field without =")
    put(values, key, []).append(value)
