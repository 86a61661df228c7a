"""The contracts of an application's parts: what is asked of a class that replaces one of ours.

Each is a `typing.Protocol`: a class that has these methods will do, and need not inherit anything.
`Request` and `Response` have no contract here: their classes extend `roll.Request` and
`roll.Response`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Iterable, Mapping
from typing import Any, Protocol

from roll_http import SpeaksJSON
from roll_routing import Router

__all__ = [
    "CookieContainer",
    "FieldContainer",
    "FileContainer",
    "HttpConnection",
    "MatchedRoute",
    "MultipartParser",
    "Router",
    "SpeaksJSON",
    "TakesLists",
    "TakesValues",
    "WebsocketConnection",
]


class MatchedRoute(Protocol):
    """What `Roll.Route(payload, vars)` makes: read at each request, never changed by Roll."""

    @property
    def payload(self) -> Mapping[str, Any] | None:
        """What the router gave: handlers by method, extras; None when no path matched."""
        ...

    @property
    def vars(self) -> Mapping[str, str] | None:
        """The placeholders by name, which the handler gets as keywords; None without a match."""
        ...


class TakesValues(Protocol):
    """A container to which values are added: what is called where a class has `add`."""

    def add(self, key: str, value: Any, /) -> object:
        """Append a value to those of the key."""
        ...


class TakesLists(Protocol):
    """A container of lists, as a dict is one: what is called where a class has no `add`."""

    def setdefault(self, key: str, default: Any, /) -> Any:
        """Return the list of the key, which is `default` if there is none yet."""
        ...


FieldContainer = TakesValues | TakesLists
"""What `Roll.Query(mapping)` and `Roll.Form(mapping)` make.

The mapping has a list of texts for each name; it is complete for a class that has no `add`, and
empty for one that has: `add(name, text)` follows for each text. A multipart body fills a `Form`,
made with an empty mapping, by `add`, else by `setdefault(name, []).append(text)`.
"""

FileContainer = TakesValues | TakesLists
"""What `Roll.Files()` makes, filled in the same two ways with files."""


class MultipartParser(Protocol):
    """What `Roll.Multipart(form=Form, files=Files)` makes, once for each multipart body.

    A `ValueError` that a method raises becomes a 400, a `roll_multipart.LimitError` a 413; an
    `HttpError` is answered as it is, and any other exception is a 500. Where there are methods of
    these names, `close()` is called at the end of the body, and `abort()` when something failed.
    """

    def initialize(self, content_type: str, /) -> tuple[Any, Any]:
        """Return the form and the files, which `feed_data` fills; called first, and once."""
        ...

    def feed_data(self, data: bytes, /) -> object:
        """Take the next bytes of the body; called once or more often."""
        ...


class CookieContainer(Protocol):
    """What `Roll.Cookies(mapping)` makes, of a request (name -> value, text) or empty.

    A pair of a request that the class refuses, by a `ValueError` or an `http.cookies.CookieError`,
    is skipped. Of a response, each value of the container is sent as a `Set-Cookie` line: text as
    a cookie of that name with the path `/`, a value with an `OutputString()` as that says, any
    other as `str()` gives it. An `output()` is called by nobody.
    """

    def __bool__(self) -> bool:
        """Tell whether there is a cookie; `__len__` will do as well."""
        ...

    def items(self) -> Iterable[tuple[str, Any]]:
        """Return names and values; called for a response that has cookies."""
        ...


class StreamProtocol(Protocol):
    """The callbacks of `asyncio.Protocol`."""

    def connection_made(self, transport: Any, /) -> object:
        """Take the transport."""
        ...

    def data_received(self, data: bytes, /) -> object:
        """Take bytes from the client."""
        ...

    def eof_received(self) -> object:
        """Take the end of the client's input."""
        ...

    def connection_lost(self, exc: Exception | None, /) -> object:
        """Take note that the connection has ended."""
        ...

    def pause_writing(self) -> object:
        """Take note that the client reads slowly."""
        ...

    def resume_writing(self) -> object:
        """Take note that the client has caught up."""
        ...


class HttpConnection(StreamProtocol, Protocol):
    """What `Roll.HttpProtocol(app)` makes, once for each connection.

    For each request it makes `app.Request(app, self)` and sets `method`, `url`, `path`,
    `query_string`, `headers` (names in upper case) and `body`; makes `app.Response(app, self)`
    and sets its `request`; awaits `app(request, response)`, which raises only what cancels it;
    and sends `status`, `headers`, `cookie_lines` and `body` of the response it gets.

    It takes attributes of any name. These have a use where they are there: `peer` (host and port),
    `secure` and `gone` for `request.client`, `scheme` and `disconnected()`; a class attribute
    `on_answered`, None, which others set to what the class then calls after each answer, also one
    that is lost, as `on_answered(request, response, size)`: for access logs, the event `answered`,
    and so that the client of tests gives the application's own response; `stopping`, and
    `on_shutdown`, which is set to what the class calls when the server stops, to end a stream of
    events; `switch(protocol, head)`, without which there are no websockets. At a graceful end of
    the server only connections of
    `roll.HTTPProtocol` are waited for.
    """


class WebsocketConnection(StreamProtocol, Protocol):
    """What `Roll.WebsocketProtocol(request)` makes, once for each handshake.

    The order of the calls: `handshake`; the head it returns is written; `connection_made`;
    `data_received` with what followed the head, if anything did; `run`. Then come the callbacks of
    `asyncio.Protocol`. Where there is a method `shutdown()`, it is called when the server stops.
    """

    on_lost: Any
    """A class attribute, None; set before the handshake to a function without arguments, which
    the class calls when the connection is lost: for `request.disconnected` and
    `cancel_on_disconnect`."""

    def handshake(self, headers: Iterable[tuple[str, str]], /, **options: Any) -> bytes:
        """Return the head of the 101, with these headers beside its own.

        The options are those extras of the route that a websocket takes: `origins`,
        `subprotocols`, `compression`, `ping_interval`, `ping_timeout`, `max_size`. Raises an
        `HttpError` to refuse the handshake.
        """
        ...

    async def run(self, handler: Awaitable[object], /) -> object:
        """Await the handler; return when the connection has ended, and raise what it raised."""
        ...
