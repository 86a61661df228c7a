"""Fields of HTTP that can be sent (RFC 9110 5)."""

import re
from collections.abc import Iterable, Mapping

__all__ = ["NAME", "VALUE", "checked_field", "pairs"]

# `re` compiles it at the first use, and caches it.
NAME = r"[-!#$%&'*+.^_`|~0-9A-Za-z]+"
VALUE = r"[\t\x20-\x7e\x80-\xff]*"


def pairs(headers: object) -> list[tuple[object, object]]:
    """Return the pairs of a mapping or an iterable of pairs. Raise ValueError for others."""
    items = headers.items() if isinstance(headers, Mapping) else headers
    if not isinstance(items, Iterable) or isinstance(items, str | bytes | bytearray):
        raise ValueError(f"`headers` has pairs of a name and a value, not {headers!r}")  # noqa: TRY004 - as all options
    return [pair(item) for item in items]


def pair(item: object) -> tuple[object, object]:
    """Return a pair. Raise ValueError for anything else."""
    if not isinstance(item, tuple | list) or len(item) != 2:  # noqa: PLR2004 - a pair
        raise ValueError(f"`headers` has pairs of a name and a value, not {item!r}")
    return item[0], item[1]


def checked_field(name: object, value: object) -> tuple[str, str]:
    """Return a name and a value as text. Raise ValueError if they cannot be sent."""
    named = isinstance(name, str) and re.fullmatch(NAME, name) is not None
    text = str(value) if isinstance(value, str | int | float) else None
    if not named or text is None or re.fullmatch(VALUE, text) is None:
        raise ValueError(f"`headers`: this field cannot be sent: {name!r}: {value!r}")
    return str(name), text
