"""Advice on parameters whose names say that they expect another argument."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from types import MethodType
from typing import Any, Final

from .advice import advise, described
from .callables import signature_of

__all__ = ["advise_on_order", "misplaced", "positional", "wrapped_by"]

MEANINGS: Final = {
    **dict.fromkeys(("request", "req"), "request"),
    **dict.fromkeys(("response", "resp", "res"), "response"),
    **dict.fromkeys(("ws", "websocket"), "ws"),
    **dict.fromkeys(("error", "err", "exc", "exception"), "error"),
}
"""Name of a parameter -> the argument that it probably expects."""


def advise_on_order(handler: Any, given: Sequence[str]) -> None:
    """Warn if the first parameters of a handler have the names of other arguments.

    `given` are the names of the arguments that the handler gets, in order.
    """
    names = positional(handler)[: len(given)]
    if misplaced(names, given):
        taken, called = ", ".join(names), ", ".join(given)
        remedy = remedy_of([MEANINGS.get(name) for name in names], called)
        advise(
            f"{described(handler)} takes ({taken}), but Roll calls it with ({called}): {remedy}"
        )


def remedy_of(meant: Sequence[str | None], called: str) -> str:
    if meant == ["request", "ws"]:
        return "if it is for websockets, write `protocol='websocket'`"
    return f"write its parameters as ({called})"


def positional(call: Any) -> list[str]:
    """Return the names of the parameters that take an argument by position.

    For a decorated function whose decorator takes `*args`, return those of the original.
    """
    try:
        parameters = [*signature_of(call).parameters.values()]
    except (TypeError, ValueError):  # some builtins have no readable signature
        return []
    wrapped = wrapped_by(call)
    if wrapped is not None and parameters and parameters[0].kind is parameters[0].VAR_POSITIONAL:
        return positional(wrapped)
    kinds = {inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD}
    return [each.name for each in parameters if each.kind in kinds]


def wrapped_by(call: Any) -> Any:
    """Return the function that a decorator wrapped, bound like its wrapper; None without one."""
    wrapped = getattr(call, "__wrapped__", None)
    if wrapped is not None and inspect.ismethod(call):
        return MethodType(wrapped, call.__self__)
    return wrapped


def misplaced(names: Sequence[str], given: Sequence[str]) -> bool:
    """Tell whether a parameter has the name of another argument than the one that it gets.

    A websocket may be named `response`, because it takes the place of the response.
    """
    meant = (MEANINGS.get(name) for name in names)
    pairs = {(says, gets) for says, gets in zip(meant, given, strict=False) if says is not None}
    return any(says != gets for says, gets in pairs - {("response", "ws")})
