"""Advice: warnings about what works, but is probably not what was meant."""

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

# The line to be changed is in none of these. asyncio stands between `simple_server`, or a test,
# and the listeners of `startup`.
PASSED_OVER: Final = frozenset(
    {"asyncio", "roll", "roll_http", "roll_multipart", "roll_routing", "roll_websocket"}
)


# Where functions, async generators and generators have their code.
CODES: Final = ("__code__", "ag_code", "gi_code")


class RollWarning(UserWarning):
    """Something works, but probably not as it was meant."""


def advise(message: str) -> None:
    """Warn with a `RollWarning`, at the line of the application that has called Roll."""
    _, level = caller()
    warnings.warn(message, RollWarning, stacklevel=level)


def caller() -> tuple[FrameType, int]:
    """Return the frame of the application that has called Roll, and its level for `warnings`.

    The level is that of who calls this function.
    """
    frame, level = sys._getframe(1), 1  # noqa: SLF001 - `warnings` counts the frames as well
    while frame.f_back is not None and is_passed_over(frame.f_globals.get("__name__", "")):
        frame, level = frame.f_back, level + 1
    return frame, level


def is_passed_over(module: str) -> bool:
    return module.partition(".")[0] in PASSED_OVER


def resembled(word: str, known: Iterable[str], likeness: float = 0.8) -> str | None:
    """Return which of the known words was probably meant; None if the word is like none."""
    from difflib import get_close_matches  # noqa: PLC0415 - few applications need it

    found = get_close_matches(word.lower(), list(known), 1, likeness)
    return found[0] if found else None


def described(call: Any) -> str:
    """Return the name of a callable, with its module, and its file and line where it is known."""
    function, _ = functions_of(call)
    if not hasattr(function, "__qualname__"):
        function = type(function)
    code = code_of(function)
    place = "" if code is None else f" ({shortened(code.co_filename)}:{code.co_firstlineno})"
    # Code that is run without a module has none.
    name = getattr(function, "__module__", None)
    module = f"{name}." if name else ""
    return f"{module}{function.__qualname__}{place}"


def shortened(path: str) -> str:
    """Return the path of a file as seen from the working directory, where it is below that."""
    return path.removeprefix(os.path.join(os.getcwd(), ""))  # noqa: PTH109, PTH118 - a Path drops the last slash


def code_of(call: Any) -> CodeType | None:
    """Return the code that a call, or a generator, runs; None where it is not Python's."""
    functions = functions_of(call)
    found = (getattr(function, name, None) for function in functions for name in CODES)
    return next((code for code in found if isinstance(code, CodeType)), None)


def advise_at(place: CodeType | type, message: str) -> None:
    """Warn at the first line of a function, of which nothing is on the stack."""
    if isinstance(place, type):
        advise(message)
    else:
        warnings.warn_explicit(message, RollWarning, place.co_filename, place.co_firstlineno)
