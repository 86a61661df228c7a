"""Advice: warnings about what works, but is probably not what was meant."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterable
from http import HTTPStatus
from types import AsyncGeneratorType, CodeType, GeneratorType
from typing import Any, Final

from .callables import functions_of

__all__ = ["ResultAdvice", "RollWarning", "advise", "described", "resembled"]

# The line to be changed is in none of these. asyncio stands between `simple_server`, or a test,
# and the listeners of `startup`.
PASSED_OVER: Final = frozenset(
    {"asyncio", "roll", "roll_http", "roll_multipart", "roll_routing", "roll_websocket"}
)

ANSWERS: Final[tuple[tuple[tuple[type, ...], str], ...]] = (
    ((HTTPStatus,), "response.status"),
    ((str, bytes, bytearray, memoryview, GeneratorType, AsyncGeneratorType), "response.body"),
    ((dict, list, tuple), "response.json"),
)
"""The results that look like an answer, and what is to be set instead of returning them."""


class RollWarning(UserWarning):
    """Something works, but probably not as it was meant."""


def advise(message: str) -> None:
    """Warn with a `RollWarning`, at the line of the application that has called Roll."""
    frame, level = sys._getframe(1), 2  # noqa: SLF001 - `warnings` counts the frames as well
    while frame.f_back is not None and is_passed_over(frame.f_globals.get("__name__", "")):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, RollWarning, stacklevel=level)


def is_passed_over(module: str) -> bool:
    return module.partition(".")[0] in PASSED_OVER


def resembled(word: str, known: Iterable[str], likeness: float = 0.8) -> str | None:
    """Return which of the known words was probably meant; None if the word is like none."""
    from difflib import get_close_matches  # noqa: PLC0415 - few applications need it

    found = get_close_matches(word.lower(), list(known), 1, likeness)
    return found[0] if found else None


def described(call: Any) -> str:
    """Return the name of a callable, with its module, and its line where that is known."""
    function, _ = functions_of(call)
    if not hasattr(function, "__qualname__"):
        function = type(function)
    code = code_of(function)
    line = "" if code is None else f" (line {code.co_firstlineno})"
    # Code that is run without a module has none.
    module = f"{function.__module__}." if function.__module__ else ""
    return f"{module}{function.__qualname__}{line}"


def code_of(call: Any) -> CodeType | None:
    """Return the code that a call runs; None where it is not Python's."""
    found = (getattr(function, "__code__", None) for function in functions_of(call))
    return next((code for code in found if isinstance(code, CodeType)), None)


class ResultAdvice:
    """Warnings about results that handlers return, and that are ignored: one a handler."""

    def __init__(self) -> None:
        self._told: set[CodeType | type] = set()

    def look_at(self, handler: Any, result: Any, given: Any, instead: str | None = None) -> None:
        """Warn, at the handler's line, of a result that looks like an answer.

        `given` is the handler's first argument, a dict that it may return; `instead` says what to
        do where that does not depend on the result.
        """
        if result is given:
            return
        known = next((do for kinds, do in ANSWERS if isinstance(result, kinds)), None)
        key = code_of(handler) or type(handler)
        if known is None or key in self._told:
            return
        kind = type(result).__name__
        article = "an" if kind[0] in "aeiouAEIOH" else "a"
        advice = f"returned {article} {kind}, which is ignored: {instead or f'set {known}'}"
        advise_at(key, f"{described(handler)} {advice}")
        # Behind the warning: where warnings are errors, each call raises it.
        self._told.add(key)


def advise_at(place: CodeType | type, message: str) -> None:
    """Warn at the first line of a handler, of which nothing is on the stack."""
    if isinstance(place, type):
        advise(message)
    else:
        warnings.warn_explicit(message, RollWarning, place.co_filename, place.co_firstlineno)
