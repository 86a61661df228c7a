"""Optional dependencies, which the extras of `roll` install."""

from __future__ import annotations

from importlib import import_module
from typing import Any

__all__ = ["MissingExtra", "need"]


class MissingExtra(ImportError):
    """An optional dependency is not installed; the message names the extra that installs it."""


def need(module: str, extra: str, what: str) -> Any:
    """Import and return `module`, the optional dependency that `what` needs.

    Raises:
        MissingExtra: the dependency is not installed; the message names `extra`.
        ModuleNotFoundError: the dependency is installed, but misses a module itself.
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
