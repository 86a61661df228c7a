"""Checks of arguments: each error says which one is wrong, what it is, and what is expected."""

from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from operator import index
from os import PathLike
from types import CoroutineType, GeneratorType
from typing import Any, Final

__all__ = [
    "BYTES",
    "Path",
    "check_callable",
    "check_flag",
    "check_made",
    "check_size",
    "read_pairs",
    "refuse_async",
    "refuse_unrun",
    "to_bytes",
    "wrong_type",
]

Path = str | bytes | PathLike[str] | PathLike[bytes]
BYTES: Final = (bytes, bytearray, memoryview)
# `inspect.CO_COROUTINE`, `CO_ASYNC_GENERATOR`, `CO_ITERABLE_COROUTINE` and `CO_GENERATOR`: a call
# of such a function runs nothing. `inspect` takes long to load.
UNRUN: Final = 0x80 | 0x200 | 0x100 | 0x20
PAIR: Final = 2


def wrong_type(name: str, expected: str, value: Any) -> TypeError:
    """Return the error for a value of another type than expected."""
    return TypeError(f"{name} must be {expected}, not {type(value).__name__}")


def refuse_async(name: str, function: Any) -> None:
    """Raise `TypeError` for an async function or a generator, because its result is not awaited.

    Also for one in a `functools.partial`, and for an object whose `__call__` is one.
    """
    while isinstance(function, partial):
        function = function.func
    called = None if isinstance(function, type) else getattr(function, "__call__", None)  # noqa: B004 - the method itself is wanted
    for each in (function, called):
        if getattr(getattr(each, "__code__", None), "co_flags", 0) & UNRUN:
            raise TypeError(f"{name} is called and not awaited: it must be a plain function")


def refuse_unrun(name: str, result: Any) -> None:
    """Raise `TypeError` for a result that must be awaited, or is a generator: nothing has run."""
    if (
        hasattr(result, "__await__")
        or hasattr(result, "__anext__")
        or isinstance(result, GeneratorType)
    ):
        text = f"{name} is called and not awaited, and has returned {result!r}"
        if isinstance(result, CoroutineType):
            result.close()  # otherwise Python warns that it was never awaited
        raise TypeError(text)


def check_callable(name: str, function: Any) -> None:
    """Raise `TypeError` if an object cannot be called, or must be awaited."""
    if isinstance(function, type):  # the usual case
        return
    if not callable(function):
        raise wrong_type(name, "callable", function)
    refuse_async(name, function)


def check_made(name: str, made: Any, kind: type) -> None:
    """Raise `TypeError` if a factory returned an object of another type."""
    if not isinstance(made, kind):
        refuse_unrun(name, made)
        raise wrong_type(f"What {name} returns", f"a {kind.__name__}", made)


def check_flag(name: str, value: Any) -> None:
    """Raise `TypeError` unless a value is True or False: the text "no" would count as true."""
    if not isinstance(value, bool):
        raise wrong_type(name, "True or False", value)


def check_size(size: Any) -> int:
    """Return the number of bytes to read, or -1 for all."""
    if size is None:
        return -1
    try:
        return index(size)
    except TypeError:
        raise wrong_type("size", "an integer or None", size) from None


def to_bytes(data: Any) -> bytes:
    """Return a chunk as bytes. It is copied if it is not `bytes`."""
    if type(data) is bytes:
        return data
    try:
        return bytes(memoryview(data))
    except TypeError:
        raise wrong_type("A chunk of a body", "bytes", data) from None


def read_pairs(name: str, items: Any) -> Iterator[tuple[Any, Any]]:
    """Yield the pairs of a mapping, or of an iterable of pairs.

    Raises `TypeError` for anything else: text is not an iterable of pairs.
    """
    if isinstance(items, Mapping):
        yield from items.items()
        return
    if isinstance(items, (str, *BYTES)) or not isinstance(items, Iterable):
        raise wrong_type(name, "a mapping or an iterable of pairs", items)
    for item in items:
        if not isinstance(item, tuple | list):
            raise wrong_type(f"Each item of {name}", "a pair", item)
        if len(item) != PAIR:
            raise TypeError(f"Each item of {name} must be a pair, not {len(item)} values")
        yield item[0], item[1]
