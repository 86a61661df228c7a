"""Look-ups of a path that go beyond the router.

Three cases: routes that name the placeholder of one place differently, such as `/user/{id}` and
`/user/{name}`; one route for `/a` and `/a/` (`strict_slashes=False`); and the target `*`.

A *place* is a path whose placeholders have no names.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote

from roll_http import HTTP_METHODS
from roll_routing import Routes, nameless, variables

from .advice import advise, described
from .views import DEFAULTS, ENDPOINTS, Endpoint, View, page_of

__all__ = ["Aliases", "Taken", "answer_any_target", "unmatched"]

Match = tuple[Mapping[str, Any] | None, Mapping[str, str] | None]

# The characters that a path may contain without escapes (RFC 3986 3.3).
PATH_CHARACTERS: Final = "/!$&'()*+,;=:@-._~"

ALLOWED: Final = ", ".join(method for method in HTTP_METHODS if method != "CONNECT")
"""The `Allow` field for `OPTIONS *`; CONNECT does not apply to paths (RFC 9110 9.3.6)."""


class Taken:
    """The view of each place and method, to warn of a second view for the same one."""

    def __init__(self) -> None:
        self._views: dict[tuple[str, str], tuple[str, View]] = {}
        """(place, method) -> (path, view)."""

    def check(self, routes: Any, path: str, view: View, payload: Mapping[str, Any]) -> None:
        """Warn of methods that another view answers here, unless the extra `replace` is true.

        Raises:
            ValueError: `replace` is true, but the old path names its placeholders differently.
        """
        for method in methods_of(payload):
            known, other = self._views.get((place_of(routes, path), method), (path, view))
            if other != view and is_there(routes, known, method):
                self._tell(method, (known, other), (path, view), payload.get("replace"))

    def _tell(
        self, method: str, old: tuple[str, View], new: tuple[str, View], replace: object
    ) -> None:
        path, view = new
        both = f"{method} {path!r} of {described(view)}"
        if not same_names(old[0], path):
            advice = f"{both} is never used: {described(old[1])} answers at {old[0]!r}"
            if replace:
                raise ValueError(f"{advice}. To replace it, write the path as {old[0]!r}")
            advise(advice)
        elif not replace:
            advise(f"{both} replaces {described(old[1])}: if you mean that, write `replace=True`")

    def add(self, routes: Any, path: str, view: View, payload: Mapping[str, Any]) -> None:
        """Record the view that answers the methods of a route."""
        for method in methods_of(payload):
            self._views[place_of(routes, path), method] = path, view


def methods_of(payload: Mapping[str, Any]) -> list[str]:
    return [method for method in HTTP_METHODS if method in payload]


def place_of(routes: Any, path: str) -> str:
    """Return the path without the names of its placeholders; for another router, all of it."""
    return nameless(path) if isinstance(routes, Routes) else path


def same_names(path: str, other: str) -> bool:
    return path == other or variables(path) == variables(other)


def is_there(routes: Any, path: str, method: str) -> bool:
    """Tell whether Roll's router still has a route, because routes can be removed."""
    if not isinstance(routes, Routes):
        return True
    return any(route.path == path and method in route.methods for route in routes)


class Aliases:
    """The placeholder names of handlers, where a match gives the names of another route."""

    def __init__(self) -> None:
        self.names: dict[Endpoint, tuple[str, ...]] = {}
        """Endpoint -> its names, if they differ from those of the first route of its place."""
        self._first: dict[str, tuple[str, ...]] = {}
        """Place -> the placeholder names of its first route."""

    def add(self, path: str, payload: Mapping[str, Any]) -> None:
        """Record the placeholder names of a route."""
        names = tuple(variables(path))
        if self._first.setdefault(nameless(path), names) != names:
            for endpoint in payload.values():
                if isinstance(endpoint, Endpoint):
                    self.names[endpoint] = names

    def rename(
        self, payload: Mapping[str, Any], method: str, values: Mapping[str, str]
    ) -> Mapping[str, str]:
        """Return the values of a match under the names that the handler of `method` expects."""
        key = ENDPOINTS.get(method, "")
        endpoint = payload.get(key) or payload.get(ENDPOINTS["GET"])
        names = self.names.get(endpoint) if endpoint is not None else None
        return values if names is None else dict(zip(names, values.values(), strict=True))


def unmatched(match: Callable[[str], Match], request: Any, *, strict_slashes: bool) -> Match:
    """Return the payload and variables for a path that the router does not match.

    Both are None if there is no other form of the path either.
    """
    if request.path == "*" and request.method == "OPTIONS":
        return {"OPTIONS": answer_any_target}, {}
    return (None, None) if strict_slashes else other_form(match, request)


def answer_any_target(_: Any, response: Any) -> None:
    """Answer `OPTIONS *`, which asks for the methods of the whole server (RFC 9110 9.3.7)."""
    response.headers["Allow"] = ALLOWED


def other_form(match: Callable[[str], Match], request: Any) -> Match:
    """Match the path with its last slash removed or added.

    A GET or HEAD of a page is redirected to the registered form. Other requests and websockets
    are answered as if they had asked for that form.
    """
    path = request.path[:-1] if request.path.endswith("/") else f"{request.path}/"
    payload, variables = match(path) if path else (None, None)
    # A redirection to a path that begins with "//" would lead to another host. Browsers read a
    # backslash as a slash.
    if payload is not None and not path.startswith(("//", "/\\")):
        payload = redirecting(payload)
    return payload, variables


def redirecting(payload: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a payload that redirects GET and HEAD of a page to the other form of the path."""
    pages = [method for method in ("GET", "HEAD") if page_of(payload, method) is not None]
    handlers = dict.fromkeys(pages, redirect_to_other_form)
    return {**payload, **handlers, **{ENDPOINTS[page]: DEFAULTS[page] for page in pages}}


def redirect_to_other_form(request: Any, response: Any, **_: str) -> None:
    path = request.path[:-1] if request.path.endswith("/") else f"{request.path}/"
    query = f"?{request.query_string}" if request.query_string else ""
    response.redirect = quote(path, PATH_CHARACTERS) + query, HTTPStatus.PERMANENT_REDIRECT
