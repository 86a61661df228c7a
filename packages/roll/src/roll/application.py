"""The application: a dict, its parts, and the cycle of a request."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from inspect import isawaitable
from typing import TYPE_CHECKING, Any, Final

from roll_http import Cookies, HTTPProtocol, Limits, SpeaksJSON
from roll_routing import Route, Routes

from ._core import answer_now
from .answered import watch
from .arguments import Arguments
from .bodies import fault_of
from .codec import JSON
from .containers import Files, Form, Multipart, Query
from .deferred import Deferred
from .errors import answer_error, ends_task, give_up
from .events import NOTHING
from .part_checks import check_part, check_parts
from .part_trials import check_made
from .registration import Registration
from .request import Request
from .response import Response
from .results import ResultAdvice
from .settings import check_flag, checked_limits
from .settling import open_file, settle
from .timeouts import Overdue, within
from .upgrade import close_unless_upgraded, converse
from .views import ENDPOINTS, endpoint_of

__all__ = ["Roll"]

NO_WSGI: Final = (
    "An application of Roll is not a WSGI application: run it with `gunicorn package.module:app"
    " --worker-class roll.worker.Worker`"
)

# Looked up once, because each request needs it.
ENDPOINT_KEY = ENDPOINTS.get

# The types of most bodies. Such a body is complete: nothing has to be produced later.
WHOLE = {bytes, str}

PROTOCOL_NAMES = ("HttpProtocol", "Protocol")


class Roll(Registration, dict[str, Any]):
    """An application: a `dict` for the user's own keys, which takes arbitrary attributes too.

    The class attributes are its parts; a subclass may replace them. `limits` bounds the size and
    the duration of requests. With `strict_slashes=False`, `/a` and `/a/` are the same route.

    Raises:
        ValueError: a part is async, or does not fit its contract (see `roll.parts`), or an
            argument has the wrong type.
    """

    HttpProtocol: Callable[..., Any] = HTTPProtocol
    """Called with the application, once for each connection."""
    WebsocketProtocol: Callable[..., Any] = Deferred("roll_websocket", "WSProtocol")  # type: ignore[assignment]
    """Called with the request of the handshake."""
    Routes: Callable[..., Any] = Routes
    """Called without arguments; `add(path, **payload)` and `match(path) -> (payload, vars)`."""
    Route: Callable[..., Any] = Route
    """Called with the payload and the variables of a match."""
    Query: Callable[..., Any] = Query
    """Called with a mapping of names to lists of values."""
    Form: Callable[..., Any] = Form
    """Called with a mapping of names to lists of values; it is empty if values are added later."""
    Files: Callable[..., Any] = Files
    """Called without arguments."""
    Multipart: Callable[..., Any] = Multipart
    """Called with `form` and `files`, the two classes that it fills."""
    Request: Callable[..., Any] = Request
    """Called with the application and the protocol of the connection."""
    Response: Callable[..., Any] = Response
    """Called with the application and the protocol of the connection."""
    Cookies: Callable[..., Any] = Cookies
    """Called with a mapping of names to values."""
    JSON: SpeaksJSON = JSON
    """Not called: an object with `dumps(value)` and `loads(bytes)`, such as `json` or `ujson`."""

    log_errors: bool = True
    """Whether Roll logs unexpected exceptions, with the traceback, on the logger `roll`.

    Exceptions of `error` and `websocket_...` listeners are always logged, because no event
    reports them.
    """

    def __init__(self, *, limits: Limits | None = None, strict_slashes: bool = True) -> None:
        super().__init__()
        check_parts(self)
        # ASGI servers look for an `async def` here. Python itself looks `__call__` up in the
        # class, where it is a plain function: it can raise at once when a WSGI server calls it.
        self.__dict__["__call__"] = self._call
        self.limits = checked_limits(limits)
        check_flag("strict_slashes", strict_slashes)
        self.strict_slashes = strict_slashes
        self.routes = self.Routes()
        check_made(self.routes, "Routes", f"{type(self).__name__}.Routes", first=True)
        self.result_advice = ResultAdvice()

    if TYPE_CHECKING:
        # For type checkers: applications may set any attribute.
        def __getattr__(self, name: str) -> Any: ...
        def __setattr__(self, name: str, value: Any) -> None: ...

    def factory(self) -> Any:
        """Return a new connection protocol, for `loop.create_server(app.factory, ...)`."""
        protocol = self.protocol_class(self)
        if "answered" in self.hooks:
            watch(self, protocol)
        return protocol

    @property
    def protocol_class(self) -> Callable[..., Any]:
        """The class of connections: `HttpProtocol` or `Protocol`.

        If both are set, the one that is nearer in the order of inheritance wins.
        """
        owners = map(vars, (self, *type(self).__mro__))
        names = (name for owner in owners for name in PROTOCOL_NAMES if owner.get(name))
        found: Callable[..., Any] = getattr(self, next(names))
        return found

    async def startup(self) -> None:
        """Check the parts and limits again, and send the event `startup`.

        Raises:
            ValueError: a part does not fit its contract, or the limits are not a `Limits`.
        """
        check_parts(self)
        check_part(self, "Routes")
        check_made(self.routes, "Routes", f"{type(self).__name__}.routes")
        self.limits = checked_limits(self.limits)
        await super().startup()

    # The cycle of a request.

    def __call__(
        self,
        request: Any = None,
        response: Any = None,
        send: Any = None,
        *,
        scope: Any = None,
        receive: Any = None,
    ) -> Coroutine[Any, Any, Any]:
        """Answer `request`: look up its route, send the events, run the handler.

        The await returns the response. It raises only exceptions that cancel the task. With three
        arguments (`scope`, `receive` and `send` of ASGI), serve an ASGI connection.

        Raises:
            RuntimeError: a WSGI server calls, which would not await the result.
        """
        if send is not None:
            return self.asgi(scope or request, receive or response, send)
        if response is None:  # uvicorn calls it to see if it is a factory
            raise TypeError("An application is called with a request and a response")
        if type(request) is dict:  # a WSGI environment (PEP 3333); a request is a subclass of dict
            raise RuntimeError(NO_WSGI)
        return self._cycle(request, response)

    async def _call(self, *arguments: Any, **named: Any) -> Any:
        return await type(self).__call__(self, *arguments, **named)

    @property
    def asgi(self) -> Callable[[Any, Any, Any], Coroutine[Any, Any, None]]:
        """The ASGI 3 application, also if a subclass overrides `__call__`."""
        from .asgi import serve_scope  # noqa: PLC0415 - only ASGI servers need it

        return partial(serve_scope, self)

    if answer_now is not None:
        # roll-http calls this instead of `__call__` if no method is overridden and no event has
        # listeners: see its `Application`.
        __answer_now__ = answer_now

    async def _cycle(  # noqa: C901, PLR0912, PLR0915 - see the comment below
        self,
        request: Any,
        response: Any,
        routed: bool = False,
        called: tuple[Any, Any] | None = None,
        heard: tuple[Any, ...] = (),
    ) -> Any:
        # One long function instead of several methods, because each await costs time.
        # The native core gives the last three arguments. `routed`: it has set the route.
        # `called`: the handler that it has called, and the result; an error is an awaitable that
        # raises it. `heard`: the results of `hook` for the events that it has sent, in the order
        # `headers`, `request`, `response`.
        hooks = self.hooks
        try:
            try:
                handler, result = (None, None) if called is None else called
                if called is None:
                    found = None if routed else self.lookup(request)
                    if found is not None and isawaitable(found):
                        await found  # a subclass may have an async `lookup`
                    # Do not await an event whose listeners have all run: this saves 0.3 us each.
                    sent = NOTHING
                    if heard or "headers" in hooks:
                        sent = heard[0] if heard else self.hook("headers", request, response)
                    if sent is NOTHING or not await sent:
                        payload = request.route.payload
                        endpoint = (payload or {}).get(ENDPOINT_KEY(request.method))
                        if endpoint is None or endpoint.method not in payload:
                            endpoint = endpoint_of(payload, request)
                        arguments = None
                        if endpoint.special:
                            if endpoint.conversions:
                                given = request.route.vars
                                arguments = Arguments(endpoint.conversions, given, request.path)
                            if endpoint.host is not None:
                                for name, value in endpoint.settings:
                                    setattr(request, name, value)
                                return await endpoint.host(self, request, response)
                            if endpoint.websocket is not None:
                                await converse(self, endpoint, request, response, arguments)
                                request.release(response)
                                return response
                            for name, value in endpoint.settings:
                                setattr(request, name, value)
                        if not endpoint.lazy_body and not request.load_at_once():
                            await request.load_body()
                        sent = NOTHING
                        if heard or "request" in hooks:
                            begun = len(heard) > 1
                            sent = heard[1] if begun else self.hook("request", request, response)
                        if sent is NOTHING or not await sent:
                            route = request.route
                            given = route.vars if arguments is None else arguments.of(route.vars)
                            handler = route.payload[endpoint.method]
                            result = handler(request, response, **given)
                            if endpoint.timeout is not None and isawaitable(result):
                                limit = endpoint.timeout
                                result = within(self, limit, handler, result, response)
                if result is not None:
                    # `hasattr` is quick; `isawaitable` also finds old-style coroutines.
                    if hasattr(result, "__await__") or isawaitable(result):
                        result = await result
                    if result is not None:
                        self.result_advice.look_at(handler, result, (request, response))
            except BaseException as error:
                if ends_task(error, request):
                    give_up(request, response)
                    raise
                if type(error) is Overdue:
                    response = error.response
                await self.on_error(request, response, error)
            if request.upgrade is not None:  # the handler did not use it
                close_unless_upgraded(request)
            late = request.late  # it may also hold uploaded files
            if late is not None and late.unsettled:
                await open_file(self, request, response)
            if heard or "response" in hooks:
                try:
                    begun = len(heard) > 2  # noqa: PLR2004 - the core has sent `response`
                    sent = heard[2] if begun else self.hook("response", request, response)
                    if sent is not NOTHING:
                        await sent
                except BaseException as error:
                    if ends_task(error, request):
                        give_up(request, response)
                        raise
                    await self.on_error(request, response, error)
            late = request.late
            if late is not None and late.unsettled:
                await self._settle(request, response)
            if late is not None or type(response.body) not in WHOLE:
                if (fault := fault_of(request, response)) is not None:
                    await self.on_error(request, response, fault)
                request.release(response)
        except BaseException:
            request.release(response)
            raise
        return response

    # Python's warning about a missing await shows this name.
    _cycle.__qualname__ = "Roll.__call__"

    def conclude(self, request: Any, response: Any, handler: Any) -> Awaitable[Any]:
        """Finish the cycle after the handler: send `response` and complete the answer."""
        return self._cycle(request, response, True, (handler, None))

    async def _settle(self, request: Any, response: Any) -> None:
        try:
            await settle(self, request, response)
        except BaseException as error:
            if ends_task(error, request):
                raise
            await self.on_error(request, response, error)

    async def on_error(self, request: Any, response: Any, error: BaseException) -> None:
        """Answer `error`, and send the event `error`.

        Any exception except an `HttpError` becomes a 500 that hides the text of the exception.
        Listeners find the exception in `error.__context__`. It is logged (see `log_errors`).
        """
        await answer_error(self, request, response, error)
