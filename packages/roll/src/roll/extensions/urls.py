"""`named_url`: URLs by the names of routes."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from roll_routing import Routes, build, variables

from ..application import Roll
from ..query_strings import query_string

__all__ = ["named_url"]


class NamedRoutes:
    """The paths and the view of each name."""

    def __init__(self, routes: Any, late: Collection[Callable[[], object]]) -> None:
        # Roll's router knows the converters of its class. Another router may not build URLs.
        self.build: Callable[..., str] = routes.build if isinstance(routes, Routes) else build
        self.views: dict[str, Any] = {}
        self.paths: dict[str, list[str]] = {}
        self.ambiguous: dict[str, str] = {}
        """The names that several views had before the extension was on, each with its error."""
        self.late = late
        """The registrations that wait for the startup."""

    def adopt(self, path: str, view: Any, extras: dict[str, Any]) -> None:
        """Add a route that was registered before the extension was on.

        Such views may share a name that nobody asks for, so `url_for` raises the error.
        """
        try:
            self.add(path, view, **extras)
        except ValueError as error:
            self.ambiguous.setdefault(name_of(view, extras), str(error))

    def add(self, path: str, view: Any, /, **extras: Any) -> None:
        name = name_of(view, extras)
        known = self.views.setdefault(name, view)
        if known is not view and path not in self.paths[name]:
            raise ValueError(
                f"The name {name!r} is taken: {known!r} has it at {self.paths[name][0]!r}, and "
                f"{view!r} would have it at {path!r}. Give one of them another `name=`, "
                f"or rename one of the two views"
            )
        self.paths.setdefault(name, []).append(path)

    def url_for(self, name: str, /, **vars: Any) -> str:  # noqa: A002 - the name of `route.vars`
        """Return the percent-encoded path of a route, with the other variables as a query string.

        A variable without a placeholder goes to the query string. A list or a tuple is written
        once per item. None is left out.

        Raises:
            ValueError: the name is unknown, or a variable is missing, does not match or has no
                text, such as a coroutine.
        """
        if name in self.ambiguous:
            raise ValueError(self.ambiguous[name])
        if name not in self.paths:
            raise ValueError(self.unknown(name))
        *others, last = best(self.paths[name], vars)
        for path in others:
            try:
                return self.built(path, vars)
            except ValueError:
                continue  # the view has several paths: try the next one
        return self.built(last, vars)

    def unknown(self, name: str) -> str:
        later = "; those of `static` are there from startup on" if self.late else ""
        return f"No route is named {name!r}; known names: {sorted(self.paths)}{later}"

    def built(self, path: str, given: dict[str, Any]) -> str:
        names = variables(path)
        url = self.build(path, **{name: given[name] for name in names if name in given})
        others = [pair for pair in given.items() if pair[0] not in names]
        query = checked_query(others) if others else ""
        return f"{url}?{query}" if query else url


def best(paths: list[str], given: dict[str, Any]) -> list[str]:
    """Return the paths with the most placeholders, of those whose variables are all given."""
    whole = [path for path in paths if set(variables(path)) <= set(given)]
    most = max((len(variables(path)) for path in whole), default=0)
    return [path for path in whole if len(variables(path)) == most] or paths


def checked_query(pairs: list[tuple[str, Any]]) -> str:
    try:
        return query_string(pairs)
    except TypeError as error:
        raise ValueError(f"Cannot make a query string: {error}") from None


def name_of(view: Any, extras: dict[str, Any]) -> str:
    return extras.get("name") or default_name(view)


def default_name(view: Any) -> str:
    return str(getattr(view, "__name__", type(view).__name__)).lower()


def named_url(app: Roll) -> Callable[..., str]:
    """Return `url_for(name, **vars)`, for the routes before and after this call.

    The name of a route is the extra `name`, or the name of the view in lower case. Two views
    cannot share a name: registering the second one raises a `ValueError`. If both were registered
    before this call, `url_for` raises it.
    """
    routes = NamedRoutes(app.routes, app.late_routes)
    for path, view, extras in app.registrations:
        routes.adopt(path, view, extras)
    app.listen("route:add")(routes.add)
    return routes.url_for
