"""Telling which values have a text, and which only the `repr` of an object."""

from __future__ import annotations

from typing import Any

__all__ = ["has_own_text", "has_text", "is_number"]


def has_text(value: Any) -> bool:
    """Tell whether `str()` gives a text: of a number, or of a class with its own `__str__`."""
    return has_own_text(value) or is_number(value)


def has_own_text(value: Any) -> bool:
    """Tell whether the class of a value, or a base other than `object`, has a `__str__`."""
    text_of: Any = type(value).__str__
    return text_of is not object.__str__


def is_number(value: Any) -> bool:
    """Tell whether a value is a number of any type, also a decimal or a fraction."""
    from numbers import Number  # noqa: PLC0415 - 0.2 ms of everyone's start

    return isinstance(value, Number)
