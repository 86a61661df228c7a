"""Groups: routes that share a prefix and extras."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeVar

from .paths import check_prefix, join
from .settings import advise_on_extras, check_settings
from .views import Methods, View, check_methods, normalised

__all__ = ["Group", "TakesRoutes", "Told"]

V = TypeVar("V", bound=View)


class TakesRoutes(Protocol):
    """The part of an application that a group uses."""

    # Any, because a group passes its settings on as one dict, which exact types would refuse.
    def route(self, path: str, **settings: Any) -> Callable[[Any], Any]:
        """Return a decorator that registers a view."""
        ...

    def group(self, prefix: str, **settings: Any) -> Group:
        """Return a group."""
        ...


class Group:
    """Routes that share a prefix and extras; requests do not pass through the group."""

    def __init__(self, app: TakesRoutes, prefix: str, extras: dict[str, Any]) -> None:
        self.app = app
        self.prefix = prefix
        self.extras = extras
        if "methods" in extras:
            extras["methods"] = shared_methods(extras["methods"], extras.get("protocol", "http"))

    def route(
        self,
        path: str,
        methods: Methods = None,
        protocol: str | None = None,
        lazy_body: bool | None = None,
        **extras: Any,
    ) -> Callable[[V], V]:
        """Register a view as `Roll.route` does; arguments given here override the group's.

        The path may be empty. Otherwise it begins with "/", unless the prefix ends with "/".

        Raises:
            ValueError: there is no "/" between prefix and path, or `Roll.route` raises it.
        """
        given = {"methods": methods, "protocol": protocol, "lazy_body": lazy_body}
        own = {name: value for name, value in given.items() if value is not None}
        return self.app.route(join(self.prefix, path), **{**self.extras, **extras, **own})

    def group(self, prefix: str, **extras: Any) -> Group:
        """Return a nested group; its prefix is appended to this one, as `route` appends a path."""
        return self.app.group(join(self.prefix, prefix, "group"), **{**self.extras, **extras})


class Told:
    """The advice that was given for groups, so that their routes do not repeat it."""

    def __init__(self) -> None:
        self.extras: set[str] = set()
        self.prefixes: set[str] = set()

    def look_at(self, prefix: Any, extras: Mapping[str, Any], routes: Any) -> None:
        """Check the prefix and the extras of a new group; warn of probable mistakes.

        Raises:
            ValueError: the prefix is invalid, or an extra cannot be used.
        """
        check_prefix(prefix, routes, self.prefixes)
        if "path" in extras:
            raise ValueError("A group has no `path`: give each of its routes a path")
        check_settings(extras)
        advise_on_extras(name for name in extras if name not in self.extras)
        self.extras.update(extras)
        self.prefixes.add(prefix.removesuffix("/"))


def shared_methods(methods: Methods, protocol: str) -> Methods:
    """Return the methods of a group, checked, as a list that each of its routes can read."""
    if methods is None:
        return None  # a class view defines them itself
    found = normalised(methods)
    check_methods(found, protocol)
    return found
