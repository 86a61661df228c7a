"""The default JSON codec: the codec of roll-http, extended by common Python types."""

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
from roll_http.shown import shown

from .annotations import uuid_class

__all__ = ["JSON", "encodable"]


def encodable(value: Any) -> Any:
    """Convert a value that JSON does not support to one that it supports.

    Dates and times become text (ISO 8601). UUIDs, decimal numbers and paths become text too. An
    `Enum` becomes its value, and a dataclass becomes a dict. Sets and dict views become lists.

    Raises:
        TypeError: the value is of another type.
    """
    if isinstance(value, Enum):  # first, because a member may also be a date or a `Decimal`
        return value.value
    if isinstance(value, date | time):
        return value.isoformat()
    from decimal import Decimal  # noqa: PLC0415 - the import takes 2 ms, and few need it

    if isinstance(value, (Decimal, PurePath, uuid_class())):
        return str(value)
    if is_dataclass(value) and not isinstance(value, type):
        # Unlike `asdict`, this copies nothing: the codec calls this function for nested values.
        return {field.name: getattr(value, field.name) for field in fields(value)}
    if isinstance(value, AbstractSet | ValuesView):
        return list(value)
    raise TypeError(refusal(value))


def refusal(value: Any) -> str:
    """Return the text of the error for a value, with the likely remedy."""
    text = f"JSON has nothing for {shown(value)}, of type {type(value).__qualname__}"
    if inspect.isawaitable(value):
        if inspect.iscoroutine(value):
            value.close()  # otherwise Python warns as well, and this error is clearer
        return f"{text}: `await` it first"
    if inspect.isasyncgen(value) or inspect.isgenerator(value):
        return f"{text}: make a list of its items, or set `response.body` to send them one by one"
    if inspect.isroutine(value):
        return f"{text}: call it, and `await` the call if it is async"
    return text


JSON: Final = JSONCodec(default=encodable)
"""The codec of applications that set no other."""
