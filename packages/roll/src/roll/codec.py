"""The JSON of an application: that of roll-http, and what Python has beside it."""

from __future__ import annotations

import inspect
from collections.abc import Set as AbstractSet
from collections.abc import ValuesView
from dataclasses import fields, is_dataclass
from datetime import date, time
from enum import Enum
from pathlib import PurePath
from typing import Any, Final

from roll_http import JSONCodec

from .annotations import uuid_class

__all__ = ["JSON", "encodable"]


def encodable(value: Any) -> Any:
    """Return what is encoded in place of a value that JSON does not know.

    Dates and times become text (ISO 8601), and so do UUIDs, decimal numbers and paths; an `Enum`
    becomes its value, a dataclass a dict, and sets and the views of a dict become lists.

    Raises:
        TypeError: the value is of another type.
    """
    if isinstance(value, Enum):  # first: one may be a date or a `Decimal`, too
        return value.value
    if isinstance(value, date | time):
        return value.isoformat()
    from decimal import Decimal  # noqa: PLC0415 - 2 ms of everyone's start

    if isinstance(value, (Decimal, PurePath, uuid_class())):
        return str(value)
    if is_dataclass(value) and not isinstance(value, type):
        # Unlike `asdict`, this copies nothing: what is below comes here by itself.
        return {field.name: getattr(value, field.name) for field in fields(value)}
    if isinstance(value, AbstractSet | ValuesView):
        return list(value)
    raise TypeError(refusal(value))


def refusal(value: Any) -> str:
    """Say what was meant by a value that JSON has nothing for."""
    text = f"JSON has nothing for {value!r}, of type {type(value).__qualname__}"
    if inspect.isawaitable(value):
        if inspect.iscoroutine(value):
            value.close()  # or Python warns of it, too: this error says it better
        return f"{text}: `await` it first"
    if inspect.isasyncgen(value) or inspect.isgenerator(value):
        return f"{text}: make a list of its items, or set `response.body` to send them one by one"
    if inspect.isroutine(value):
        return f"{text}: call it, and `await` the call if it is async"
    return text


JSON: Final = JSONCodec(default=encodable)
"""The codec of an application that has no other."""
