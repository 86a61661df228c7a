"""Optional dependencies: what an extra of `roll` brings."""

from __future__ import annotations

from importlib import import_module
from typing import Any

__all__ = ["MissingExtra", "need"]


class MissingExtra(ImportError):
    """An optional dependency is not installed; the message names the extra that brings it."""


def need(module: str, extra: str, what: str) -> Any:
    """Import an optional dependency for `what`.

    Raises:
        MissingExtra: it is not installed.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        package = module.partition(".")[0]
        if error.name is None or error.name.partition(".")[0] != package:
            raise
        raise MissingExtra(
            f'{what} needs {package}: `pip install "roll[{extra}]"`', name=package
        ) from None
