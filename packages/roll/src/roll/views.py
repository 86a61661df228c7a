"""Views: what answers a method on a path, and the settings that go with it."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from http import HTTPStatus
from typing import Any, Final, NoReturn

from roll_http import HTTP_METHODS, HttpError
from roll_websocket import check_options

from .advice import advise, resembled
from .arguments import Conversions, Place
from .callables import is_generator

__all__ = [
    "DEFAULTS",
    "ENDPOINTS",
    "Endpoint",
    "View",
    "advise_on_extras",
    "endpoint_of",
    "page_of",
    "payload_of",
]

View = Callable[..., Any]
Methods = str | Iterable[str] | None

PROTOCOLS: Final[dict[str, tuple[str, ...]]] = {
    "http": tuple(HTTP_METHODS),
    "websocket": ("GET",),
}
"""What a route may speak, and the methods it may then have."""

ENDPOINTS: Final[dict[str, str]] = {method: f"{method}:endpoint" for method in HTTP_METHODS}
"""Method -> key of its `Endpoint` in a route's payload: no extra can be spelt like it."""

WEBSOCKET_SETTINGS: Final = (
    "origins",
    "subprotocols",
    "compression",
    "ping_interval",
    "ping_timeout",
    "max_size",
)
"""The extras of a websocket route that its handshake takes."""

PARAMETERS: Final = (
    *("methods", "protocol", "lazy_body", "max_body", "cancel_on_disconnect", "replace"),
    *("name", "accepts"),
    *WEBSOCKET_SETTINGS,
)
"""What means something to Roll or its extensions, among the keyword arguments of `route`."""

NO_LIMIT: Final = sys.maxsize
"""In bytes."""

# A member of an enumeration is looked up slowly through its class (0.2 us on Python 3.11).
NOT_FOUND: Final = HTTPStatus.NOT_FOUND


class Endpoint:
    """What governs the handler of a method, whatever the path's other handlers have.

    The handler itself is in the route's payload, under the name of the method: who puts another
    one there, be it a router or a listener, has it called.
    """

    # A dataclass takes half a millisecond of everyone's start.
    __slots__ = (
        "conversions",
        "extras",
        "lazy_body",
        "method",
        "settings",
        "special",
        "websocket",
    )

    def __init__(
        self,
        method: str,
        lazy_body: bool = False,
        settings: tuple[tuple[str, Any], ...] = (),
        websocket: Mapping[str, Any] | None = None,
        extras: Mapping[str, Any] | None = None,
        conversions: Conversions | None = None,
    ) -> None:
        self.method: Final = method
        self.lazy_body: Final = lazy_body
        """The handler reads the body itself."""
        self.settings: Final = settings
        """The attributes that the request gets, by name."""
        self.websocket: Final = websocket
        """On a websocket route, the settings of its handshake."""
        self.extras: Final = extras
        """What it was registered with; None where only the router knows."""
        self.conversions: Final = conversions
        """What makes the handler's arguments from text; None or empty where all stay text."""
        self.special: Final = bool(settings or conversions or websocket is not None)
        """Most are not: one look tells that nothing of the above is to be done."""


DEFAULTS: Final = {method: Endpoint(method) for method in HTTP_METHODS}
"""What governs a handler that was given straight to the router."""


class Refused(HttpError):
    """An error with header fields of its own."""

    def __init__(self, status: int, message: object, headers: dict[str, str]) -> None:
        super().__init__(status, message)
        self.headers = headers


def payload_of(
    view: View,
    methods: Methods,
    protocol: str,
    *,
    lazy_body: bool,
    extras: Mapping[str, Any],
    place: Place,
) -> dict[str, Any]:
    """Return what is given to the router: all that `route` got, handlers, what governs these.

    Raises:
        ValueError: nothing could ever call the view as it is asked for, or it does not take the
            arguments it would be called with, or an extra bears the name of a method, whose
            handler it would hide, or an extra that a websocket's handshake takes cannot be used;
            says what would do.
        AttributeError: `methods` are given for a class, whose methods say them.
    """
    if protocol not in PROTOCOLS:
        raise ValueError(f"Unknown protocol {protocol!r}: must be one of {one_of(PROTOCOLS)}")
    handlers = handlers_of(view, methods)
    check_methods(handlers, protocol)
    check_handlers(handlers.values(), place, "response" if protocol == "http" else "ws")
    check_extras(extras)
    check_flag("lazy_body", lazy_body)
    check_flag("cancel_on_disconnect", extras.get("cancel_on_disconnect", False))
    settings = tuple(request_settings(extras))
    websocket = None
    if protocol == "websocket":
        websocket = {name: extras[name] for name in WEBSOCKET_SETTINGS if name in extras}
        check_options(websocket)
    governing = {
        ENDPOINTS[method]: Endpoint(
            method, lazy_body, settings, websocket, extras, place.conversions(handler)
        )
        for method, handler in handlers.items()
    }
    # What the path as a whole is known by: of several routes at one path, the last one's.
    known: dict[str, Any] = {"protocol": protocol}
    if lazy_body:
        known["lazy_body"] = True
    return {**known, **extras, **handlers, **governing}


def check_flag(name: str, value: object) -> None:
    if not isinstance(value, bool):
        raise ValueError(f"`{name}` is True or False, not {value!r}")  # noqa: TRY004 - as every mistake in a route


def request_settings(extras: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    if "max_body" in extras:
        most = extras["max_body"]
        number = isinstance(most, int) and not isinstance(most, bool)
        if most is not None and not (number and most >= 0):
            raise ValueError(
                f"`max_body` is a number of bytes, or None for no limit, not {most!r}"
            )
        # For a route, None is no limit; for a request, it is that nothing is said.
        yield "max_body", NO_LIMIT if most is None else most
    if extras.get("cancel_on_disconnect"):
        yield "cancel_on_disconnect", True


def handlers_of(view: View, methods: Methods) -> dict[str, View]:
    if inspect.isclass(view):
        if methods is not None:
            raise AttributeError(f"`methods` cannot be given with a class: {view!r} has its own")
        return class_handlers(view)
    if not callable(view):
        raise ValueError(f"A view is a function, a class or a callable object, not {view!r}")  # noqa: TRY004 - as every mistake in a route
    return dict.fromkeys(normalised(methods), view)


def class_handlers(view: type) -> dict[str, View]:
    instance = view()
    names = {method: f"on_{method.lower()}" for method in HTTP_METHODS}
    found = {method: getattr(instance, name, None) for method, name in names.items()}
    advise_on_methods(view, names.values())
    # `on_get = None` is how a subclass does without the one it inherits.
    handlers = {method: handler for method, handler in found.items() if callable(handler)}
    if not handlers:
        raise ValueError(f"{view!r} has no method of a view, such as `on_get` or `on_post`")
    return handlers


def advise_on_methods(view: type, names: Collection[str]) -> None:
    """Warn of what is probably the method of a view, misspelt: nothing calls it."""
    for name in dir(view):
        if name.startswith("on_") and name not in names:
            meant = resembled(name, names)
            if meant is not None:
                advise(f"{view.__qualname__}.{name} answers no method of HTTP: write `{meant}`")


def normalised(methods: Methods) -> list[str]:
    if methods is None:
        return ["GET"]
    found = [method.upper() for method in ([methods] if isinstance(methods, str) else methods)]
    if not found:
        raise ValueError("`methods` is empty: leave it out for GET, or name at least one")
    return found


def check_methods(methods: Iterable[str], protocol: str) -> None:
    known = PROTOCOLS[protocol]
    for method in methods:
        if method not in known:
            raise ValueError(
                f"A route of protocol {protocol!r} cannot have the method {method!r}: "
                f"must be one of {one_of(known)}"
            )


def check_handlers(handlers: Iterable[View], place: Place, second: str) -> None:
    for handler in handlers:
        if is_generator(handler):
            raise ValueError(
                f"{handler!r} is a generator, which a view cannot be: nobody would run it. "
                f"Set `response.body` to an async generator"
            )
        place.check(handler, second)


def one_of(names: Iterable[str]) -> str:
    return ", ".join(repr(name) for name in names)


def check_extras(extras: Iterable[str]) -> None:
    for name in extras:
        if name in ENDPOINTS:
            raise ValueError(f"An extra cannot be named {name!r}: it is the name of a method")


def advise_on_extras(extras: Iterable[str]) -> None:
    """Warn of extras that are probably parameters, misspelt: as extras they do nothing."""
    for name in extras:
        meant = None if name in PARAMETERS else resembled(name, PARAMETERS)
        if meant is not None:
            advise(f"The extra {name!r} of a route means nothing to Roll: write `{meant}=`")


def endpoint_of(payload: Mapping[str, Any] | None, request: Any) -> Endpoint:
    """Return what governs the handler of a request.

    A HEAD goes to what answers GET (RFC 9110 9.3.2); a handler that was given straight to the
    router has the default settings.

    Raises:
        HttpError: 404; 405, with the methods that are allowed (RFC 9110 15.5.6); 501 for CONNECT,
            which no path has by itself (RFC 9110 9.3.6).
    """
    method = request.method
    if payload is not None:
        if method in DEFAULTS and method in payload:
            found: Endpoint = payload.get(ENDPOINTS[method], DEFAULTS[method])
            return found
        if method == "HEAD" and (get := page_of(payload, "GET")) is not None:
            return get
    if method == "CONNECT":
        raise HttpError(HTTPStatus.NOT_IMPLEMENTED)
    if payload is None:
        raise HttpError(NOT_FOUND, request.path)
    return not_allowed(payload)


def page_of(payload: Mapping[str, Any], method: str) -> Endpoint | None:
    """Return what governs the handler of `method`; None without one, and for a websocket's."""
    if method not in payload:
        return None
    found: Endpoint = payload.get(ENDPOINTS[method], DEFAULTS[method])
    return found if found.websocket is None else None


def not_allowed(payload: Mapping[str, Any]) -> NoReturn:
    allowed = [method for method in HTTP_METHODS if method in payload]
    if "HEAD" not in allowed and page_of(payload, "GET") is not None:
        allowed.insert(allowed.index("GET") + 1, "HEAD")
    raise Refused(HTTPStatus.METHOD_NOT_ALLOWED, None, {"Allow": ", ".join(allowed)})
