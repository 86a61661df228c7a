"""Groups: routes that share a prefix and extras."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from .paths import join
from .views import Methods, View

__all__ = ["Group", "TakesRoutes"]

V = TypeVar("V", bound=View)


class TakesRoutes(Protocol):
    """What is asked of the application of a group."""

    # Any: typed exactly, the settings of a group could not be passed on as one dict.
    def route(self, path: str, **settings: Any) -> Callable[[Any], Any]:
        """Return a decorator that registers a view."""
        ...


class Group:
    """Routes registered under a prefix, with extras in common; costs nothing once they are."""

    def __init__(self, app: TakesRoutes, prefix: str, extras: dict[str, Any]) -> None:
        self.app = app
        self.prefix = prefix
        self.extras = extras

    def route(
        self,
        path: str,
        methods: Methods = None,
        protocol: str | None = None,
        lazy_body: bool | None = None,
        **extras: Any,
    ) -> Callable[[V], V]:
        """Register a view as `Roll.route` does; what is given here wins over the group's.

        The path may be empty, or begins with a "/", unless the prefix ends with one.

        Raises:
            ValueError: there is no "/" between the two, or what `Roll.route` raises it for.
        """
        given = {"methods": methods, "protocol": protocol, "lazy_body": lazy_body}
        own = {name: value for name, value in given.items() if value is not None}
        return self.app.route(join(self.prefix, path), **{**self.extras, **extras, **own})

    def group(self, prefix: str, **extras: Any) -> Group:
        """Return a group within this one; its prefix is joined as a path is by `route`."""
        return Group(self.app, join(self.prefix, prefix), {**self.extras, **extras})
