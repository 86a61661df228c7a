"""The field `Vary`: on what a response depends (RFC 9110 12.5.5)."""

from __future__ import annotations

from typing import Any

__all__ = ["vary_on"]


def vary_on(headers: dict[str, Any], field: str) -> None:
    """Add a field to those on which a response depends, unless it is there already."""
    name = next((name for name in headers if name.lower() == "vary"), "Vary")
    varies = [one.strip() for one in str(headers.get(name, "")).split(",") if one.strip()]
    if not {field.lower(), "*"} & {one.lower() for one in varies}:
        headers[name] = ", ".join([*varies, field])
