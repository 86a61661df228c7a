"""Groups: routes that share a prefix and extras."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from .views import Methods, View

if TYPE_CHECKING:
    from collections.abc import Callable

    from .application import Roll

__all__ = ["Group"]

V = TypeVar("V", bound=View)


class Group:
    """Routes registered under a prefix, with extras in common; costs nothing once they are."""

    def __init__(self, app: Roll, prefix: str, extras: dict[str, Any]) -> None:
        self.app = app
        self.prefix = prefix
        self.extras = extras

    def route(self, path: str, methods: Methods = None, **extras: Any) -> Callable[[V], V]:
        """Register a view as `Roll.route` does; what is given here wins over the group's."""
        settings = {**self.extras, **extras}
        if methods is not None:
            settings["methods"] = methods
        return self.app.route(self.prefix + path, **settings)

    def group(self, prefix: str, **extras: Any) -> Group:
        """Return a group within this one."""
        return Group(self.app, self.prefix + prefix, {**self.extras, **extras})
