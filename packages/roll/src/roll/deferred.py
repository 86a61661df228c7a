"""Parts that are imported when they are first read."""

from __future__ import annotations

import inspect
from importlib import import_module
from typing import Any

__all__ = ["Deferred", "is_deferred"]


class Deferred:
    """The value of a class attribute, imported when it is first read.

    Websockets take 22 of the 78 ms of `import roll`, and few applications need them. Their first
    route imports them, so that no request waits for it.
    """

    def __init__(self, module: str, name: str) -> None:
        self._source = module, name

    def __set_name__(self, owner: type, name: str) -> None:
        self._place = owner, name

    def __get__(self, instance: Any, owner: type) -> Any:
        module, name = self._source
        value = getattr(import_module(module), name)
        setattr(*self._place, value)
        return value


def is_deferred(app: Any, name: str) -> bool:
    """Tell whether a part of an application is one that nothing has read so far."""
    return isinstance(inspect.getattr_static(app, name, None), Deferred)
