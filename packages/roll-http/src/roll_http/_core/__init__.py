"""The base classes of request, response and connection: native, or the same in Python."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING

from .bases import ConnectionBase, RequestBase, ResponseBase

__all__ = ["ConnectionBase", "RequestBase", "ResponseBase", "is_native", "reason"]

PURE = "ROLL_PURE"
"""The environment variable that forces the Python path, unless it is empty or 0."""


def _why_not() -> str | None:
    """Return why the native core must not be used; None if it may be used."""
    if os.environ.get(PURE, "0") not in {"", "0"}:
        return f"{PURE} is set"
    if sys.implementation.name != "cpython":
        return "the core is for CPython"
    if not getattr(sys, "_is_gil_enabled", lambda: True)():
        # The import of the core would enable the GIL.
        return "Python runs without the GIL, which the core needs"
    return None


def _load() -> str | None:
    """Import the native core if it may be used; return why it is not used."""
    reason = _why_not()
    if reason is not None:
        return reason
    try:
        import_module(f"{__name__}.native")
    except ModuleNotFoundError:
        return "the core was not built"
    except ImportError as error:  # such as in a subinterpreter, which the core refuses
        return f"the core can't be imported: {error}"
    return None


reason = _load()
"""Why the Python path is active; None if the native core is."""

is_native = reason is None
"""Whether the native core is active."""

if is_native and not TYPE_CHECKING:
    from .native import ConnectionBase, RequestBase, ResponseBase
