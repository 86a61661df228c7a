"""The cycle of a common request, native, where roll-http has its native core, too."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from roll_http import is_native

__all__ = ["answer_now"]


def _load() -> Any:
    """Return what answers a common request; None where only Python does."""
    if not is_native:
        return None
    try:
        return import_module(f"{__name__}.cycle").answer_now
    except ImportError:  # it was not built
        return None


answer_now: Any = _load()
