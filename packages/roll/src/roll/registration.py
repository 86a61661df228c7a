"""The routes of an application: registration, and lookup for a request."""

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

# Looked up once, because each request needs it.
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
        self.registrations: list[tuple[str, Any, dict[str, Any]]] = []
        """The path, the view and the extras of each call of `route`, in order."""
        self.late_routes: list[Callable[[], object]] = []
        """The calls that register routes at startup, until they are made."""

    def route(
        self,
        path: str,
        methods: Methods = None,
        protocol: str = "http",
        lazy_body: bool = False,
        **extras: Any,
    ) -> Callable[[V], V]:
        """Return a decorator that registers a view (a function or a class) and returns it.

        `methods` default to GET. The methods of a class are those it defines: `on_get`,
        `on_post`... With `lazy_body` the handler reads the body itself. Extras are found in
        `request.route.payload`. A probable mistake is reported as a `RollWarning`. The extra
        `replace=True` says that the view replaces an earlier one.

        Raises:
            ValueError: the view, a method or the protocol is wrong, or the view does not take the
                arguments of the route, or another path has the name, or the path is invalid.
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
            # Send the event first: if a listener raises, the route is not registered.
            self._hook_now("route:add", path, view, **extras)
            self._add_route(path, view, payload)
            self.registrations.append((path, view, extras))
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
                f"The name {name!r} of {path!r} is taken by {taken!r}: give it another name"
            )

    def route_at_startup(self, register: Callable[[], object]) -> None:
        """Call `register`, which calls `route`, at startup, or now if startup has begun."""
        self.late_routes.append(register)
        self.at_startup(self.add_late_routes)

    def add_late_routes(self) -> None:
        """Register the routes that wait for the startup: to list them, or because it has begun."""
        while self.late_routes:
            self.late_routes.pop(0)()

    def group(self, prefix: str, **extras: Any) -> Group:
        """Return a group: its `route` prepends `prefix` to the path and adds `extras`.

        A probable mistake in the prefix or the extras is reported as a `RollWarning`.

        Raises:
            ValueError: the prefix is not empty and does not begin with a "/", or it is invalid, or
                an extra has an invalid value.
        """
        self._told.look_at(prefix, extras, self.routes)
        return Group(self, prefix, extras)

    def mount(self, path: str, application: Any, **settings: Any) -> None:
        """Serve an ASGI 3 application, such as one of Starlette or Django, below a path.

        The mounted application starts and stops together with this one. A more specific route
        wins over the mounted application. `max_body` is the greatest size of a request's body in
        bytes; by default there is no limit. The websocket settings are those of a route, except
        `subprotocols`.

        Raises:
            ValueError: the path has placeholders, the application is not an ASGI 3 application, a
                setting is wrong, or this application has already started. The message says what
                to write.
        """
        from .hosting import mount  # noqa: PLC0415 - few applications need it

        host, payload, paths = mount(self, path, application, settings)
        for each in paths:
            self._taken.check(self.routes, each, host, payload)
            self._add_route(each, host, payload)

    def lookup(self, request: Any) -> Awaitable[None] | None:
        """Set `request.route` from `request.path`; its payload is None if no route matches.

        A subclass may override this method, also with an `async def`.
        """
        payload, variables = self.routes.match(request.path)
        if payload is None:
            payload, variables = unmatched(
                self.routes.match, request, strict_slashes=self.strict_slashes
            )
        if self._aliases.names and payload is not None:
            variables = self._aliases.rename(payload, request.method, variables)
        if self.Route is Route:  # without calling the class: this saves 0.1 us
            request.route = NEW_TUPLE(Route, (payload, variables))
        else:
            request.route = self.Route(payload, variables)
        return None
