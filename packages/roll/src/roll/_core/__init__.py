"""The native cycle of a common request. It is used if roll-http has its native core too."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from roll_http import is_native

from .bases import ExchangeBase

__all__ = ["ExchangeBase", "answer_now", "cycle"]


def _load() -> Any:
    """Return the native module; None if only the Python code can be used."""
    if not is_native:
        return None
    try:
        return import_module(f"{__name__}.cycle")
    except ImportError:  # it was not built
        return None


cycle: Any = _load()
"""The native module; None if only the Python code is used."""

answer_now: Any = getattr(cycle, "answer_now", None)
"""The function that answers a common request; None if only the Python code is used."""

if cycle is not None and not TYPE_CHECKING:
    ExchangeBase = cycle.ExchangeBase
