"""Checks that the parts of an application accept their arguments and return what Roll needs."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, Final

from .callables import functions_of, refuse_async, refuse_misfit

__all__ = ["check_made", "refuse_async_calls", "try_part"]

ARGUMENTS: Final[dict[str, tuple[str, ...]]] = {
    "HttpProtocol": ("app",),
    "Protocol": ("app",),
    "WebsocketProtocol": ("request",),
    "Routes": (),
    "Route": ("payload", "vars"),
    "Query": ("mapping",),
    "Form": ("mapping",),
    "Files": (),
    "Request": ("app", "protocol"),
    "Response": ("app", "protocol"),
    "Cookies": ("mapping",),
}
"""Part -> the positional arguments with which Roll calls it."""

TRIALS: Final[dict[str, Callable[[Any], Any]]] = {
    "Route": lambda part: part(None, None),
    "Query": lambda part: part({}),
    "Form": lambda part: part({}),
    "Files": lambda part: part(),
    "Cookies": lambda part: part({}),
    "Multipart": lambda part: part(form=dict, files=dict),
}
"""The parts that can be called without a request -> a call with empty arguments."""

MADE: Final[dict[str, tuple[tuple[str, ...], ...]]] = {
    "Route": (("payload", "vars"),),
    "Query": (("add",), ("setdefault",), ("get",)),
    "Form": (("add",), ("setdefault",)),
    "Files": (("add",), ("setdefault",)),
    "Cookies": (("items",),),
    "Multipart": (("initialize", "feed_data"),),
    "Routes": (("add", "match"),),
}
"""Part -> sets of attributes; its result must have all attributes of one set."""


OF_STREAMS: Final = (
    *("connection_made", "data_received", "eof_received", "connection_lost"),
    *("pause_writing", "resume_writing"),
)
"""The callbacks of `asyncio.Protocol`."""

CALLS: Final[dict[str, tuple[str, ...]]] = {
    "HttpProtocol": (*OF_STREAMS, "switch"),
    "Protocol": (*OF_STREAMS, "switch"),
    "WebsocketProtocol": (*OF_STREAMS, "handshake", "shutdown"),
    "Routes": ("add", "match"),
    "Query": ("add", "setdefault"),
    "Form": ("add", "setdefault"),
    "Files": ("add", "setdefault"),
    "Cookies": ("items",),
    "Multipart": ("initialize", "feed_data", "close", "abort"),
    "JSON": ("dumps", "loads"),
}
"""Part -> the methods of its result, or of itself, that Roll calls without awaiting them."""


def refuse_async_calls(part: Any, name: str, where: str) -> None:
    """Raise a `ValueError` if a method of a class, or of a result, is async or a generator."""
    for method in CALLS.get(name, ()):
        call = getattr(part, method, None)
        # `items` may be a plain generator: Roll iterates over its result.
        if method != "items" or not inspect.isgeneratorfunction(functions_of(call)[0]):
            refuse_async(call, f"{where}.{method}")


def try_part(part: Any, name: str, where: str, ours: Any) -> None:
    """Check that a part accepts its arguments, and that it returns what Roll needs.

    `ours` is Roll's own part. The result of its subclasses needs no check.

    Raises:
        ValueError: the part does not accept its arguments, or returns something else.
    """
    if part is ours:
        return
    if name in ARGUMENTS:
        refuse_misfit(part, ARGUMENTS[name], where)
    if name in TRIALS and not is_subclass(part, ours):
        try_out(part, name, where)


def is_subclass(part: Any, ours: Any) -> bool:
    return isinstance(part, type) and isinstance(ours, type) and issubclass(part, ours)


def try_out(part: Any, name: str, where: str) -> None:
    try:
        made = TRIALS[name](part)
    except Exception as error:  # noqa: BLE001 - a part may refuse empty values
        if is_of_call(error):
            raise ValueError(f"{where} is {part!r}, which cannot be called: {error}") from None
        return
    check_made(made, name, where)


def is_of_call(error: Exception) -> bool:
    """Tell whether the call itself failed, rather than code inside of the part."""
    inner = error.__traceback__ and error.__traceback__.tb_next  # the first frame is `try_out`
    return isinstance(error, TypeError) and inner is not None and inner.tb_next is None


def check_made(made: Any, name: str, where: str, *, first: bool = False) -> None:
    """Check that the result of a part has the attributes that Roll uses.

    If `first` is true, check the first attribute of each set only.

    Raises:
        ValueError: the result is awaitable, an attribute is missing, or a method is async.
    """
    asked = [each[:1] if first else each for each in MADE[name]]
    if inspect.isawaitable(made):
        text = f"{where} is never awaited, but returned {made!r}"
        if inspect.iscoroutine(made):
            made.close()  # otherwise Python warns that it was never awaited
        raise ValueError(text)
    if not any(all(hasattr(made, each) for each in names) for names in asked):
        wanted = " or ".join(" and ".join(f"`{each}`" for each in names) for names in asked)
        raise ValueError(f"{where} returned {made!r}, which lacks {wanted}: see `roll.parts`")
    refuse_async_calls(made, name, where)
