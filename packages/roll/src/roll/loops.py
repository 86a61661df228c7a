"""The event loop: that of uvloop if it is installed, else that of asyncio."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from importlib import import_module

__all__ = ["new_event_loop"]


def new_event_loop() -> asyncio.AbstractEventLoop:
    """Return a new event loop of uvloop if it is installed, else one of asyncio."""
    try:
        make: Callable[[], asyncio.AbstractEventLoop] = import_module("uvloop").new_event_loop
    except ImportError:
        make = asyncio.new_event_loop
    return make()
