"""Views: what answers a method on a path, and the settings that go with it."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from http import HTTPStatus
from typing import Any, Final, NoReturn

from roll_http import HTTP_METHODS, HttpError

from .arguments import Conversions, Place
from .callables import is_generator
from .class_views import class_handlers
from .parameters import advise_on_order
from .settings import PROTOCOLS, WEBSOCKET_SETTINGS

__all__ = [
    "ANY",
    "DEFAULTS",
    "ENDPOINTS",
    "Endpoint",
    "View",
    "endpoint_of",
    "page_of",
    "path_of",
    "payload_of",
]

View = Callable[..., Any]
Methods = str | Iterable[str] | None

SECOND: Final = {"http": "response", "websocket": "ws"}
"""What a handler gets beside the request."""

ENDPOINTS: Final[dict[str, str]] = {method: f"{method}:endpoint" for method in HTTP_METHODS}
"""Method -> key of its `Endpoint` in a route's payload: no extra can be spelt like it."""

ANY: Final = "*:endpoint"
"""The key of the `Endpoint` for the methods that no key is for."""

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
        "host",
        "lazy_body",
        "method",
        "path",
        "settings",
        "special",
        "timeout",
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
        timeout: float | None = None,
        path: str | None = None,
        host: Callable[[Any, Any, Any], Awaitable[Any]] | None = None,
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
        self.timeout: Final = timeout
        """The seconds that the handler may take; None for no limit."""
        self.path: Final = path
        """The path that it was registered with; None where only the router knows."""
        self.host: Final = host
        """What answers in place of the cycle, with the application; None where the cycle does."""
        self.special: Final = bool(
            settings or conversions or websocket is not None or timeout is not None or host
        )
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

    Warns of a handler whose first two parameters have each other's names.

    Raises:
        ValueError: nothing could ever call the view as it is asked for, or it does not take the
            arguments it would be called with, or an extra bears the name of a method, whose
            handler it would hide; says what would do.
        AttributeError: `methods` are given for a class, whose methods say them.
    """
    handlers = handlers_of(view, methods)
    check_methods(handlers, protocol)
    check_handlers(handlers.values(), place, SECOND[protocol])
    check_extras(extras)
    settings = tuple(request_settings(extras))
    websocket = None
    if protocol == "websocket":
        websocket = {name: extras[name] for name in WEBSOCKET_SETTINGS if name in extras}
    governing = {
        ENDPOINTS[method]: Endpoint(
            method,
            lazy_body,
            settings,
            websocket,
            extras,
            place.conversions(handler),
            extras.get("timeout"),
            place.path,
        )
        for method, handler in handlers.items()
    }
    # What the path as a whole is known by: of several routes at one path, the last one's.
    known: dict[str, Any] = {"protocol": protocol}
    if lazy_body:
        known["lazy_body"] = True
    return {**known, **extras, **handlers, **governing}


def request_settings(extras: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    if "max_body" in extras:
        most = extras["max_body"]
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
            several = ": write a list of them" if "," in method or " " in method else ""
            raise ValueError(
                f"A route of protocol {protocol!r} cannot have the method {method!r}: "
                f"must be one of {one_of(known)}{several}"
            )


def check_handlers(handlers: Iterable[View], place: Place, second: str) -> None:
    for handler in handlers:
        if is_generator(handler):
            raise ValueError(
                f"{handler!r} is a generator, which a view cannot be: nobody would run it. "
                f"Set `response.body` to an async generator"
            )
        place.check(handler, second)
        advise_on_order(handler, ("request", second))


def one_of(names: Iterable[str]) -> str:
    return ", ".join(repr(name) for name in names)


def check_extras(extras: Iterable[str]) -> None:
    for name in extras:
        if name in ENDPOINTS:
            raise ValueError(f"An extra cannot be named {name!r}: it is the name of a method")


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
        if method != "CONNECT" and ANY in payload:
            return payload[ANY]  # type: ignore[no-any-return]
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


def path_of(payload: Mapping[str, Any] | None, method: str | None) -> str | None:
    """Return the path that a route was registered with; None where none matches.

    For a method that it does not answer, that of one it does: they are one place.
    """
    if not payload:
        return None
    found = payload.get(ENDPOINTS.get(method or "", ""))
    if found is None:
        found = next((one for one in payload.values() if isinstance(one, Endpoint)), None)
    return None if found is None else found.path


def not_allowed(payload: Mapping[str, Any]) -> NoReturn:
    allowed = [method for method in HTTP_METHODS if method in payload]
    if "HEAD" not in allowed and page_of(payload, "GET") is not None:
        allowed.insert(allowed.index("GET") + 1, "HEAD")
    raise Refused(HTTPStatus.METHOD_NOT_ALLOWED, None, {"Allow": ", ".join(allowed)})
