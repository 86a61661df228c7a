"""The interface of a router, and what it gives."""

from typing import Any, NamedTuple, Protocol

__all__ = ["ListedRoute", "Route", "Router"]


class Route(NamedTuple):
    """What a match gives: the payload registered, the values of the placeholders."""

    payload: dict[str, Any] | None
    vars: dict[str, str] | None


class ListedRoute(NamedTuple):
    """A registered route, as tools want it: `name` is the extra of that name, or None."""

    path: str
    methods: tuple[str, ...]
    name: str | None
    payload: dict[str, Any]


class Router(Protocol):
    """What an application needs of a router: any object with these two methods will do.

    It guarantees that
    - a path that matches one registered pattern, or several, is never answered as if it matched
      none; which of several wins is the router's affair, and is documented;
    - placeholders are those of autoroutes, at least: `{x}`, the types `string`, `digit`, `alpha`,
      `alnum`, `path` and `any`, else a regex;
    - `match` may be called while a route is added, by another thread too, and answers for the
      others as it did before.
    """

    # `*args` are what type checkers read as "whatever else": with the keywords alone, they would
    # refuse an `add` whose path is not positional-only. No payload has a key `path`.
    def add(self, path: str, /, *args: Any, **payload: Any) -> None:
        """Register a pattern. One that is registered already gets the payload merged into its own.

        Raises a `ValueError` if the pattern cannot be read.
        """
        ...

    def match(self, path: str, /) -> tuple[dict[str, Any] | None, dict[str, str] | None]:
        """Give the payload of the pattern that a percent-decoded path matches, and the values.

        The payload holds all that was registered for the pattern; the caller does not change it.
        The values, text by name, belong to the caller. Without a match both are None.
        """
        ...
