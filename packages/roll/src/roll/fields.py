"""Look-ups in the header fields of a response, whatever the case of their names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["field_of", "names_of", "vary_on"]


def field_of(headers: Mapping[str, Any], name: str) -> str | None:
    """Return the value of the field `name`, or None if the response has no such field.

    `name` is in lower case; the case of the names in `headers` does not matter. The last name
    that matches wins. The items of a list or a tuple are joined with commas, as recipients do
    (RFC 9110 5.3). The value None and an empty list count as no field.
    """
    found = [value for key, value in headers.items() if key.lower() == name]
    value = found[-1] if found else None
    if isinstance(value, list | tuple):
        return ", ".join(str(item) for item in value if item is not None) or None
    return None if value is None else str(value)


def names_of(headers: Mapping[str, Any]) -> set[str]:
    """Return the names of the fields whose value is not None, in lower case."""
    return {name.lower() for name, value in headers.items() if value is not None}


def vary_on(headers: dict[str, Any], field: str) -> None:
    """Add the name of a request field to `Vary`, unless it is there (RFC 9110 12.5.5)."""
    known = field_of(headers, "vary") or ""
    varies = [one.strip() for one in known.split(",") if one.strip()]
    if not {field.lower(), "*"} & {one.lower() for one in varies}:
        spellings = [name for name in headers if name.lower() == "vary"] or ["Vary"]
        headers[spellings[-1]] = ", ".join([*varies, field])
