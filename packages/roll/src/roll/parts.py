"""The contracts of an application's parts: what a class needs that replaces one of Roll's.

Each contract is a `typing.Protocol`: a class with these methods fits, even if it does not
inherit from it.
`Request` and `Response` have no contract here: custom classes must extend `roll.Request` and
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
    """The result of `Roll.Route(payload, vars)`; Roll reads it, and never changes it."""

    @property
    def payload(self) -> Mapping[str, Any] | None:
        """The payload from the router: handlers by method, and extras; None without a match."""
        ...

    @property
    def vars(self) -> Mapping[str, str] | None:
        """The placeholders by name, which the handler gets as keywords; None without a match."""
        ...


class TakesValues(Protocol):
    """A container with `add`, which Roll calls to add values."""

    def add(self, key: str, value: Any, /) -> object:
        """Append a value to the values of the key."""
        ...


class TakesLists(Protocol):
    """A container of lists, such as a dict; Roll calls `setdefault` if there is no `add`."""

    def setdefault(self, key: str, default: Any, /) -> Any:
        """Return the list of the key; without one, store `default` and return it."""
        ...


FieldContainer = TakesValues | TakesLists
"""The result of `Roll.Query(mapping)` and of `Roll.Form(mapping)`.

The mapping has a list of texts for each name. A class without `add` gets the complete mapping. A
class with `add` gets an empty mapping, and then a call `add(name, text)` for each text. For a
multipart body, `Form` is called with an empty mapping; then Roll calls `add`, or
`setdefault(name, []).append(text)` if there is no `add`.
"""

FileContainer = TakesValues | TakesLists
"""The result of `Roll.Files()`; Roll adds files in the same two ways."""


class MultipartParser(Protocol):
    """The result of `Roll.Multipart(form=Form, files=Files)`: one for each multipart body.

    A `ValueError` of a method becomes a 400, a `roll_multipart.LimitError` a 413. An `HttpError`
    is answered as it is; any other exception is a 500. Two methods are optional: Roll calls
    `close()` at the end of the body, and `abort()` after a failure.
    """

    def initialize(self, content_type: str, /) -> tuple[Any, Any]:
        """Return the form and the files, which `feed_data` fills; called first, and once."""
        ...

    def feed_data(self, data: bytes, /) -> object:
        """Take the next bytes of the body; Roll calls it once or several times."""
        ...


class CookieContainer(Protocol):
    """The result of `Roll.Cookies(mapping)`.

    For a request, the mapping has names and values (text); for a response, it is empty. If the
    class raises a `ValueError` or an `http.cookies.CookieError` for a cookie of a request, Roll
    skips that cookie. For a response, Roll sends a `Set-Cookie` field for each value: text as a
    cookie of that name with the path `/`, a value with an `OutputString()` by that method, and
    any other value by `str()`. Roll never calls `output()`.
    """

    def __bool__(self) -> bool:
        """Tell whether there is a cookie; a `__len__` instead is enough."""
        ...

    def items(self) -> Iterable[tuple[str, Any]]:
        """Return names and values; Roll calls it for a response that has cookies."""
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
    """The result of `Roll.HttpProtocol(app)`: one for each connection.

    For each request it makes `app.Request(app, self)` and sets `method`, `url`, `path`,
    `query_string`, `headers` (names in upper case) and `body`. It makes `app.Response(app, self)`
    and sets its `request`. It awaits `app(request, response)`, which only raises exceptions that
    cancel the task. It sends `status`, `headers`, `cookie_lines` and `body` of the response that
    the await returns.

    It takes attributes of any name. These are optional:

    - `peer` (host and port), `secure` and `gone`: for `request.client`, `request.scheme` and
      `request.disconnected()`.
    - `on_answered`: a class attribute, None. Roll sets it to a function. The class calls it after
      each answer, also a lost one, as `on_answered(request, response, size)`: for access logs,
      for the event `answered`, and for the response of the test client.
    - `stopping` and `on_shutdown`: Roll sets `on_shutdown` to a function. The class calls it when
      the server stops, to end a stream of events.
    - `switch(protocol, head)`: websockets need it.

    A graceful shutdown of the server only waits for connections of `roll.HTTPProtocol`.
    """


class WebsocketConnection(StreamProtocol, Protocol):
    """The result of `Roll.WebsocketProtocol(request)`: one for each handshake.

    Roll calls `handshake` and writes the head that it returns. Then it calls `connection_made`,
    `data_received` with the bytes after the head, if there are any, and `run`. The callbacks of
    `asyncio.Protocol` follow. A method `shutdown()` is optional: Roll calls it when the server
    stops.
    """

    on_lost: Any
    """A class attribute, None; set before the handshake to a function without arguments, which
    the class calls when the connection is lost: for `request.disconnected` and
    `cancel_on_disconnect`."""

    def handshake(self, headers: Iterable[tuple[str, str]], /, **options: Any) -> bytes:
        """Return the head of the 101 response, with these headers and its own.

        The options are the route's extras for websockets: `origins`, `subprotocols`,
        `compression`, `ping_interval`, `ping_timeout`, `max_size`.

        Raises:
            HttpError: the handshake is refused.
        """
        ...

    async def run(self, handler: Awaitable[object], /) -> object:
        """Await the handler, raise its exception if any, and return when the connection ended."""
        ...
