"""The collection of the pairs of urlencoded text."""

from collections.abc import Callable
from typing import Any

from .errors import MultipartError

__all__ = ["Values", "add", "put"]

Values = dict[str, list[str]]
# These skip the checks of `Multidict`, which add half to the time of a query string.
put: Callable[..., list[Any]] = dict.setdefault


def add(values: Values, key: str, equals: str, value: str, strict: bool) -> None:
    """Add a pair whose value or key may be missing."""
    if strict and not equals:
        raise MultipartError("A field without =")
    put(values, key, []).append(value)
