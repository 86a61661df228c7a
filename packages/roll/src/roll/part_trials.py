"""Trials of an application's parts: do they take their arguments, and what do they make?"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, Final

from .callables import refuse_misfit

__all__ = ["check_made", "try_part"]

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
"""What the parts are called with, by position."""

TRIALS: Final[dict[str, Callable[[Any], Any]]] = {
    "Route": lambda part: part(None, None),
    "Query": lambda part: part({}),
    "Form": lambda part: part({}),
    "Files": lambda part: part(),
    "Cookies": lambda part: part({}),
    "Multipart": lambda part: part(form=dict, files=dict),
}
"""The parts that can be called before there is a request."""

MADE: Final[dict[str, tuple[tuple[str, ...], ...]]] = {
    "Route": (("payload", "vars"),),
    "Query": (("add",), ("setdefault",), ("get",)),
    "Form": (("add",), ("setdefault",)),
    "Files": (("add",), ("setdefault",)),
    "Cookies": (("items",),),
    "Multipart": (("initialize", "feed_data"),),
    "Routes": (("add", "match"),),
}
"""What is asked of what they make: one of these."""


def try_part(part: Any, name: str, where: str, ours: Any) -> None:
    """Check that a part can be called as it will be, and what it then makes.

    A subclass of `ours` makes what that makes.

    Raises:
        ValueError: it does not take its arguments, or makes something else.
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
    except Exception as error:  # noqa: BLE001 - it may refuse what is empty
        if is_of_call(error):
            raise ValueError(f"{where} is {part!r}, and cannot be called: {error}") from None
        return
    check_made(made, name, where)


def is_of_call(error: Exception) -> bool:
    """Tell whether it was the call that failed, and nothing that was called."""
    inner = error.__traceback__ and error.__traceback__.tb_next  # the first is of `try_out`
    return isinstance(error, TypeError) and inner is not None and inner.tb_next is None


def check_made(made: Any, name: str, where: str, *, first: bool = False) -> None:
    """Check what a part has made, or only that it has the first of what is asked for.

    Raises:
        ValueError: it lacks what is called.
    """
    asked = [each[:1] if first else each for each in MADE[name]]
    if inspect.isawaitable(made):
        text = f"{where} is called without an await, and has made {made!r}"
        if inspect.iscoroutine(made):
            made.close()  # or Python warns that nobody awaited it
        raise ValueError(text)
    if not any(all(hasattr(made, each) for each in names) for names in asked):
        wanted = " or ".join(" and ".join(f"`{each}`" for each in names) for names in asked)
        raise ValueError(f"{where} has made {made!r}, without {wanted}: see `roll.parts`")
