"""Views: the handlers of the methods of a path, and their settings."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from http import HTTPStatus
from typing import Any, Final, NoReturn

from roll_http import HTTP_METHODS, HttpError

from .advice import described
from .arguments import Conversions, Place
from .callables import is_generator
from .class_views import advise_on_wrapped_class, class_handlers, hint_at_class
from .parameters import advise_on_order
from .settings import PROTOCOLS, WEBSOCKET_SETTINGS

__all__ = [
    "ANY",
    "DEFAULTS",
    "ENDPOINTS",
    "Endpoint",
    "View",
    "check_methods",
    "endpoint_of",
    "normalised",
    "page_of",
    "path_of",
    "payload_of",
]

View = Callable[..., Any]
Methods = str | Iterable[str] | None

SECOND: Final = {"http": "response", "websocket": "ws"}
"""The second argument of a handler, after the request."""

ENDPOINTS: Final[dict[str, str]] = {method: f"{method}:endpoint" for method in HTTP_METHODS}
"""Method -> key of its `Endpoint` in a route's payload. An extra cannot have such a name."""

ANY: Final = "*:endpoint"
"""The key of the `Endpoint` for all methods without a key of their own."""

NO_LIMIT: Final = sys.maxsize
"""The value of `max_body` that means no limit."""

# Looked up once: the lookup of an enumeration's member costs 0.2 us on Python 3.11.
NOT_FOUND: Final = HTTPStatus.NOT_FOUND


class Endpoint:
    """The settings of the handler of one method of a path.

    The handler itself is in the route's payload, under the name of the method. If a router or a
    listener puts another handler there, Roll calls that one.
    """

    # Not a dataclass, because that costs half a millisecond at import.
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
        """Whether the handler reads the body itself."""
        self.settings: Final = settings
        """The attributes that the request gets, by name."""
        self.websocket: Final = websocket
        """The settings of the handshake; None unless the route is a websocket's."""
        self.extras: Final = extras
        """The extras of the registration; None if the handler was added to the router directly."""
        self.conversions: Final = conversions
        """The conversions of the handler's arguments; None or empty if all stay text."""
        self.timeout: Final = timeout
        """The seconds that the handler may take; None for no limit."""
        self.path: Final = path
        """The path of the registration; None if the handler was added to the router directly."""
        self.host: Final = host
        """The mounted application's function, which replaces the cycle; None without one."""
        self.special: Final = bool(
            settings or conversions or websocket is not None or timeout is not None or host
        )
        """Whether any setting above needs work. One check is quick, and most need none."""


DEFAULTS: Final = {method: Endpoint(method) for method in HTTP_METHODS}
"""The settings of handlers that were added to the router directly."""


class Refused(HttpError):
    """An error that adds header fields to its response."""

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
    """Return the payload for the router: the extras, the handlers, and their settings.

    Warn of a handler whose first two parameters are in the wrong order.

    Raises:
        ValueError: the view does not answer these methods, or does not accept the arguments of
            the route; or an extra has the name of a method and would hide its handler. The
            message says what to write.
        AttributeError: `methods` are given for a class, which defines its own.
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
    # The extras of the whole path: if it has several routes, those of the last one.
    known: dict[str, Any] = {"protocol": protocol}
    if lazy_body:
        known["lazy_body"] = True
    return {**known, **extras, **handlers, **governing}


def request_settings(extras: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    if "max_body" in extras:
        most = extras["max_body"]
        # For a route, None means no limit; for a request, None means not set.
        yield "max_body", NO_LIMIT if most is None else most
    if extras.get("cancel_on_disconnect"):
        yield "cancel_on_disconnect", True


def handlers_of(view: View, methods: Methods) -> dict[str, View]:
    if inspect.isclass(view):
        if methods is not None:
            raise AttributeError(
                f"A class view takes no `methods`: {view!r} answers those that it defines, such as"
                " `on_get`. Leave `methods` out"
            )
        return class_handlers(view)
    if not callable(view):
        raise ValueError(  # noqa: TRY004 - as every mistake in a route
            f"A view is a function, a class or a callable object, not {view!r}"
            f"{hint_at_class(view)}"
        )
    advise_on_wrapped_class(view)
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
                f"{described(handler)} is a generator, and Roll does not run the generator of a"
                " view: set `response.body` to an async generator"
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
    """Return the settings of the handler of a request.

    The handler of GET answers HEAD too (RFC 9110 9.3.2). A handler that was added to the router
    directly has the default settings.

    Raises:
        HttpError: 404; 405, with the allowed methods (RFC 9110 15.5.6); 501 for CONNECT, unless
            a route has that method (RFC 9110 9.3.6).
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
    """Return the settings of the handler of `method`; None without one, or for websockets."""
    if method not in payload:
        return None
    found: Endpoint = payload.get(ENDPOINTS[method], DEFAULTS[method])
    return found if found.websocket is None else None


def path_of(payload: Mapping[str, Any] | None, method: str | None) -> str | None:
    """Return the path that a route was registered with; None without a match.

    For a method without a handler, return the path of another method of the same route.
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
