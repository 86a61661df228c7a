"""Groups: routes that share a prefix and extras."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeVar

from .paths import check_prefix, join
from .settings import advise_on_extras, check_settings
from .views import Methods, View

__all__ = ["Group", "TakesRoutes", "Told"]

V = TypeVar("V", bound=View)


class TakesRoutes(Protocol):
    """What is asked of the application of a group."""

    # Any: typed exactly, the settings of a group could not be passed on as one dict.
    def route(self, path: str, **settings: Any) -> Callable[[Any], Any]:
        """Return a decorator that registers a view."""
        ...

    def group(self, prefix: str, **settings: Any) -> Group:
        """Return a group."""
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
        return self.app.group(join(self.prefix, prefix, "group"), **{**self.extras, **extras})


class Told:
    """What has been told where a group was made: its routes need not tell it again."""

    def __init__(self) -> None:
        self.extras: set[str] = set()
        self.prefixes: set[str] = set()

    def look_at(self, prefix: Any, extras: Mapping[str, Any], routes: Any) -> None:
        """Check what a group is made of; warns of what is probably a mistake.

        Raises:
            ValueError: the prefix is none, or an extra cannot be used.
        """
        check_prefix(prefix, routes, self.prefixes)
        if "path" in extras:
            raise ValueError("A group has no `path`: its routes have, behind the prefix")
        check_settings(extras)
        advise_on_extras(name for name in extras if name not in self.extras)
        self.extras.update(extras)
        self.prefixes.add(prefix.removesuffix("/"))
