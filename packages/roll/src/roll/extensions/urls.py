"""`named_url`: URLs by the names of their routes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from roll_routing import build

if TYPE_CHECKING:
    from ..application import Roll

__all__ = ["named_url"]


class NamedRoutes:
    """The paths of each name, and the view that goes by it."""

    def __init__(self) -> None:
        self.views: dict[str, Any] = {}
        self.paths: dict[str, list[str]] = {}

    def add(self, path: str, view: Any, /, **extras: Any) -> None:
        name = extras.get("name") or default_name(view)
        known = self.views.setdefault(name, view)
        if known is not view and path not in self.paths[name]:
            raise ValueError(
                f"The name {name!r} is taken: {known!r} has it at {self.paths[name][0]!r}, "
                f"{view!r} wants it at {path!r}. Give one of them a `name=` of its own, "
                f"or the other view another name"
            )
        self.paths.setdefault(name, []).append(path)

    def url_for(self, name: str, /, **vars: Any) -> str:  # noqa: A002 - as a route calls them
        """Return the path of a route, percent-encoded.

        Raises:
            ValueError: the name is unknown, or a variable missing, unknown or no match.
        """
        if name not in self.paths:
            raise ValueError(f"No route is named {name!r}; known names: {sorted(self.paths)}")
        *others, last = self.paths[name]
        for path in others:
            try:
                return build(path, **vars)
            except ValueError:
                continue  # one view at several paths: another of them may do
        return build(last, **vars)


def default_name(view: Any) -> str:
    return str(getattr(view, "__name__", type(view).__name__)).lower()


def named_url(app: Roll) -> Callable[..., str]:
    """Return `url_for(name, **vars)`, for the routes that are registered from now on.

    The name is the extra `name`, or that of the view in lower case. Two views cannot share one:
    registering the second raises a `ValueError`.
    """
    routes = NamedRoutes()
    app.listen("route:add")(routes.add)
    return routes.url_for
