"""The routes of an application: how they are registered, and found for a request."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from roll_routing import Route, Routes

from .arguments import Place
from .groups import Group, Told
from .lifecycle import Lifecycle
from .lookup import Aliases, Taken, unmatched
from .part_checks import check_part
from .paths import check_path
from .settings import advise_on_extras, check_settings
from .views import Methods, View, payload_of

__all__ = ["Registration"]

V = TypeVar("V", bound=View)

# Looked up once: each request asks.
NEW_TUPLE = tuple.__new__


class Registration(Lifecycle):
    """An application that has routes."""

    Route: Callable[..., Any]
    routes: Any
    strict_slashes: bool

    def __init__(self) -> None:
        super().__init__()
        self._named: dict[str, str] = {}
        self._aliases = Aliases()
        self._taken = Taken()
        self._told = Told()

    def route(
        self,
        path: str,
        methods: Methods = None,
        protocol: str = "http",
        lazy_body: bool = False,
        **extras: Any,
    ) -> Callable[[V], V]:
        """Return a decorator that registers a view, a function or a class, and returns it.

        `methods` default to GET; a class has those it defines as `on_get`, `on_post`... With
        `lazy_body` the handler reads the body itself. Extras are found in
        `request.route.payload`. Warns with a `RollWarning` of what is probably a mistake; the
        extra `replace=True` says that the view is to replace another.

        Raises:
            ValueError: the view, a method or the protocol is wrong, the view does not take the
                arguments it would be called with, the name is another path's, or the path is
                none, or cannot be parsed.
            AttributeError: `methods` are given for a class.
        """
        check_path(path, self.routes, self._told.prefixes)
        given = {"methods": methods, "protocol": protocol, "lazy_body": lazy_body}
        check_settings(given | extras)
        advise_on_extras(name for name in extras if name not in self._told.extras)
        place = Place(path, self.routes)

        def register(view: V) -> V:
            payload = payload_of(
                view, methods, protocol, lazy_body=lazy_body, extras=extras, place=place
            )
            if protocol == "websocket":
                check_part(self, "WebsocketProtocol")
            name = extras.get("name")
            self._check_name(path, name)
            self._taken.check(self.routes, path, view, payload)
            # Whoever refuses the route, by an exception, finds nothing of it left.
            self._hook_now("route:add", path, view, **extras)
            self._add_route(path, view, payload)
            if isinstance(self.routes, Routes):
                self._aliases.add(path, payload)
            if name is not None:
                self._named[name] = path
            return view

        return register

    def _add_route(self, path: str, view: Any, payload: dict[str, Any]) -> None:
        self.routes.add(path, **payload)
        self._taken.add(self.routes, path, view, payload)

    def _check_name(self, path: str, name: str | None) -> None:
        taken = path if name is None else self._named.get(name, path)
        if taken != path:
            raise ValueError(
                f"The name {name!r} of {path!r} is the one of {taken!r}: give it another name"
            )

    def group(self, prefix: str, **extras: Any) -> Group:
        """Return a group, whose `route` prepends `prefix` and adds `extras`.

        Warns with a `RollWarning` of what is probably a mistake in them.

        Raises:
            ValueError: the prefix is neither empty nor begins with a "/", or cannot be read, or
                an extra has a value that cannot be used.
        """
        self._told.look_at(prefix, extras, self.routes)
        return Group(self, prefix, extras)

    def mount(self, path: str, application: Any, **settings: Any) -> None:
        """Serve an application of ASGI 3, such as one of Starlette or Django, below a path.

        It starts up and shuts down with this one. Routes are found first where they are more
        specific. `max_body` are the bytes that the body of a request may have, by default any
        number. The settings of websockets are those of a route, without `subprotocols`.

        Raises:
            ValueError: the path has placeholders, the application is none of ASGI 3, a setting is
                wrong, or this application has started already; says what to write.
        """
        from .hosting import mount  # noqa: PLC0415 - few applications need it

        host, payload, paths = mount(self, path, application, settings)
        for each in paths:
            self._taken.check(self.routes, each, host, payload)
            self._add_route(each, host, payload)

    def lookup(self, request: Any) -> Awaitable[None] | None:
        """Set `request.route` from `request.path`; the payload is None when nothing matches.

        A subclass may override it, with an `async def` too.
        """
        payload, variables = self.routes.match(request.path)
        if payload is None:
            payload, variables = unmatched(
                self.routes.match, request, strict_slashes=self.strict_slashes
            )
        if self._aliases.names and payload is not None:
            variables = self._aliases.rename(payload, request.method, variables)
        if self.Route is Route:  # by the shorter way: 0.1 us
            request.route = NEW_TUPLE(Route, (payload, variables))
        else:
            request.route = self.Route(payload, variables)
        return None
