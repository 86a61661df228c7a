"""A URL router with documented precedence: the speed of autoroutes, and no wrong answer."""

from typing import Any, Protocol

from ._kinds import Converter, RoutingError
from ._pattern import BuildError, InvalidRoute, build_url, nameless, read
from ._routes import ListedRoute, Route, Routes

__version__ = "0.1.0"

__all__ = [
    "BuildError",
    "Converter",
    "InvalidRoute",
    "ListedRoute",
    "Route",
    "Router",
    "Routes",
    "RoutingError",
    "build",
    "nameless",
    "variables",
]


class Router(Protocol):
    """What an application needs of a router: any object with these two methods is one.

    A router guarantees this:

    - A path that matches a registered pattern always gets an answer. Where several patterns match,
      the router documents which one wins.
    - It knows at least the placeholders of autoroutes: `{x}`, regexes, and the types `string`,
      `digit`, `alpha`, `alnum`, `path` and `any`.
    - `match` may be called while another thread adds a route. The answers for all other routes
      stay as they were.
    """

    # `*args` are what type checkers read as "whatever else": with the keywords alone, they would
    # refuse an `add` whose path is not positional-only. No payload has a key `path`.
    def add(self, path: str, /, *args: Any, **payload: Any) -> None:
        """Register a pattern. One that is registered already gets the payload merged into its own.

        Raises a `ValueError` if the pattern cannot be read.
        """
        ...

    def match(self, path: str, /) -> tuple[dict[str, Any] | None, dict[str, str] | None]:
        """Return the payload of the pattern that a percent-decoded path matches, and the values.

        The payload holds all that was registered for the pattern; the caller does not change it.
        The values, text by name, belong to the caller. Without a match both are None.
        """
        ...


def build(pattern: str, /, **vars: Any) -> str:  # noqa: A002 - as `Route` calls them
    """Build the path of a URL as `Routes.build` does, for patterns without converters."""
    return build_url(pattern, (), vars)


def variables(pattern: str, /) -> tuple[str, ...]:
    """Return the names of a pattern's placeholders, in their order. Raises `InvalidRoute`."""
    return read(pattern, ()).names
