"""A fault of one connection is no fault of another."""

from collections.abc import Callable
from typing import Concatenate, ParamSpec, Protocol, TypeVar

__all__ = ["guarded"]


class Breakable(Protocol):
    """What can end for an exception."""

    def break_off(self) -> None:
        """End for the exception being handled."""


P = ParamSpec("P")
R = TypeVar("R")
B = TypeVar("B", bound=Breakable)


def guarded(callback: Callable[Concatenate[B, P], R]) -> Callable[Concatenate[B, P], R | None]:
    """End the connection, and no other, for whatever a callback of it raises."""

    def guard(self: B, /, *args: P.args, **kwargs: P.kwargs) -> R | None:
        try:
            return callback(self, *args, **kwargs)
        except Exception:  # noqa: BLE001 - logged there
            self.break_off()
            return None

    return guard
