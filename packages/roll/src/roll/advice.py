"""Advice: warnings about code that works, but probably not as intended."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Iterable
from types import CodeType, FrameType
from typing import Any, Final

from .callables import functions_of

__all__ = [
    "RollWarning",
    "advise",
    "advise_at",
    "caller",
    "code_of",
    "described",
    "is_passed_over",
    "resembled",
]

# A warning points at the first line outside of these packages. asyncio is one of them, because
# its frames stand between `simple_server`, or a test, and the listeners of `startup`.
PASSED_OVER: Final = frozenset(
    {"asyncio", "roll", "roll_http", "roll_multipart", "roll_routing", "roll_websocket"}
)


# The attributes in which functions, async generators and generators keep their code.
CODES: Final = ("__code__", "ag_code", "gi_code")


class RollWarning(UserWarning):
    """Something works, but probably not as intended."""


def advise(message: str) -> None:
    """Issue a `RollWarning` that points at the line of the application that called Roll."""
    _, level = caller()
    warnings.warn(message, RollWarning, stacklevel=level)


def caller() -> tuple[FrameType, int]:
    """Return the frame of the application that called Roll, and its `stacklevel`.

    The level is valid for a warning that the caller of this function issues.
    """
    frame, level = sys._getframe(1), 1  # noqa: SLF001 - `warnings` counts the frames the same way
    while frame.f_back is not None and is_passed_over(frame.f_globals.get("__name__", "")):
        frame, level = frame.f_back, level + 1
    return frame, level


def is_passed_over(module: str) -> bool:
    return module.partition(".")[0] in PASSED_OVER


def resembled(word: str, known: Iterable[str], likeness: float = 0.8) -> str | None:
    """Return the known word that is most like `word`; None if no word is similar enough.

    `likeness` is the least similarity, from 0 to 1.
    """
    from difflib import get_close_matches  # noqa: PLC0415 - few applications need it

    found = get_close_matches(word.lower(), list(known), 1, likeness)
    return found[0] if found else None


def described(call: Any) -> str:
    """Return the module and name of a callable, with its file and line if they are known."""
    function, _ = functions_of(call)
    if not hasattr(function, "__qualname__"):
        function = type(function)
    code = code_of(function)
    place = "" if code is None else f" ({shortened(code.co_filename)}:{code.co_firstlineno})"
    # Code that runs without a module has no `__module__`.
    name = getattr(function, "__module__", None)
    module = f"{name}." if name else ""
    return f"{module}{function.__qualname__}{place}"


def shortened(path: str) -> str:
    """Return the path of a file, relative to the working directory if it is below it."""
    return path.removeprefix(os.path.join(os.getcwd(), ""))  # noqa: PTH109, PTH118 - a Path drops the last slash


def code_of(call: Any) -> CodeType | None:
    """Return the code object of a callable or a generator; None if it is not Python code."""
    functions = functions_of(call)
    found = (getattr(function, name, None) for function in functions for name in CODES)
    return next((code for code in found if isinstance(code, CodeType)), None)


def advise_at(place: CodeType | type, message: str) -> None:
    """Issue a `RollWarning` at the first line of a function that is not on the stack.

    For a type, whose line is unknown, point at the caller of Roll.
    """
    if isinstance(place, type):
        advise(message)
    else:
        warnings.warn_explicit(message, RollWarning, place.co_filename, place.co_firstlineno)
