"""Protection of other connections from a fault in one."""

from collections.abc import Callable
from typing import Concatenate, ParamSpec, Protocol, TypeVar

__all__ = ["guarded"]


class Breakable(Protocol):
    """An object that can end because of an exception."""

    def break_off(self) -> None:
        """End because of the exception being handled."""


P = ParamSpec("P")
R = TypeVar("R")
B = TypeVar("B", bound=Breakable)


def guarded(callback: Callable[Concatenate[B, P], R]) -> Callable[Concatenate[B, P], R | None]:
    """Decorate a callback: an exception ends its connection, and no other."""

    def guard(self: B, /, *args: P.args, **kwargs: P.kwargs) -> R | None:
        try:
            return callback(self, *args, **kwargs)
        except Exception:  # noqa: BLE001 - logged there
            self.break_off()
            return None

    return guard
