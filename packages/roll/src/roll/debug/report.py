"""A report of the extensions, the routes and the limits of an application."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from typing import Any

from ..inventory import NotListed, entries, extensions_of, table

__all__ = ["report"]


def report(app: Any) -> Iterator[str]:
    """Yield the lines of the report."""
    yield f"Extensions: {', '.join(extensions_of(app)) or 'none'}"
    changed = (
        f"{field.name}={getattr(app.limits, field.name)!r}"
        for field in fields(app.limits)
        if getattr(app.limits, field.name) != field.default
    )
    yield f"Limits: {', '.join(changed) or 'the defaults'}"
    try:
        lines = list(table(entries(app)))
    except NotListed as error:
        lines = [str(error)]
    yield from ("Routes:", *(f"  {line}" for line in lines))
