"""Header fields of a response, as they will be sent: the last spelling, the items of a list."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["field_of", "names_of", "vary_on"]


def field_of(headers: Mapping[str, Any], name: str) -> str | None:
    """Return a field, given in lower case, whatever its spelling; of several, the last one.

    A list or a tuple is a line for each item: they are joined, as a recipient does (RFC 9110
    5.3). None, and a list without an item, is no field.
    """
    found = [value for key, value in headers.items() if key.lower() == name]
    value = found[-1] if found else None
    if isinstance(value, list | tuple):
        return ", ".join(str(item) for item in value if item is not None) or None
    return None if value is None else str(value)


def names_of(headers: Mapping[str, Any]) -> set[str]:
    """Return the names of the fields that are there, in lower case."""
    return {name.lower() for name, value in headers.items() if value is not None}


def vary_on(headers: dict[str, Any], field: str) -> None:
    """Add a field to those on which a response depends, unless it is there (RFC 9110 12.5.5)."""
    known = field_of(headers, "vary") or ""
    varies = [one.strip() for one in known.split(",") if one.strip()]
    if not {field.lower(), "*"} & {one.lower() for one in varies}:
        spellings = [name for name in headers if name.lower() == "vary"] or ["Vary"]
        headers[spellings[-1]] = ", ".join([*varies, field])
