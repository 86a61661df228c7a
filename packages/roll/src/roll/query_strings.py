"""Query strings and urlencoded forms, from the values that an application gives."""

from __future__ import annotations

import inspect
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, Final
from urllib.parse import urlencode

from roll_http.shown import shown
from roll_http.text import has_text

__all__ = ["form_text", "query_string", "text_of", "urlencoded"]

WITH_TEXT: Final = frozenset({str, int, float, bool, bytes})
"""The usual types, whose text needs no check."""

BYTES: Final = (bytes, bytearray, memoryview)
NO_LISTS: Final = (str, *BYTES, Mapping, type)  # the class of an `Enum` is a collection


def query_string(pairs: Iterable[tuple[Any, Any]]) -> str:
    """Return pairs as a query string, one for each item of a collection; None is left out.

    Raises:
        TypeError: a value has no text, as a coroutine, a function, a dict or a plain object.
    """
    given = each_value(pairs)
    return urlencode([(name, text_of(name, one)) for name, one in given if one is not None])


def urlencoded(pairs: Iterable[tuple[Any, Any]]) -> str:
    """Return pairs as an urlencoded form, one for each item of a collection.

    Raises:
        TypeError: a value has no text.
    """
    return urlencode([(name, form_text(name, value)) for name, value in each_value(pairs)])


def each_value(pairs: Iterable[tuple[Any, Any]]) -> Iterator[tuple[Any, Any]]:
    for name, value in pairs:
        if type(value) in WITH_TEXT or not is_list(value):
            yield name, value
        else:
            yield from ((name, item) for item in value)


def is_list(value: object) -> bool:
    kind = type(value)
    if kind is list or kind is tuple:  # the usual types skip the slower checks
        return True
    return isinstance(value, Collection) and not isinstance(value, NO_LISTS)


def form_text(name: object, value: Any) -> Any:
    """Return the text of a form's value, as `text_of` does; that of None is "None"."""
    return "None" if value is None else text_of(name, value)


def text_of(name: object, value: Any) -> Any:
    """Return a value as text or bytes: that of a number, or of a class with its own `__str__`.

    Raises:
        TypeError: the value has no text. A `repr` would tell its address in memory.
    """
    if type(value) in WITH_TEXT:
        return value
    if isinstance(value, BYTES):
        return bytes(value)
    if inspect.iscoroutine(value):
        value.close()  # otherwise Python warns as well, and this error is clearer
        raise TypeError(f"{name!r} is a coroutine, {value.__qualname__}(): `await` it first")
    if inspect.isawaitable(value):
        raise TypeError(f"{name!r} is {shown(value)}: `await` it first")
    if isinstance(value, type) or not has_text(value):
        raise TypeError(f"{name!r} is {shown(value)}, which has no text: give text or a number")
    return str.__str__(value) if isinstance(value, str) else str(value)
