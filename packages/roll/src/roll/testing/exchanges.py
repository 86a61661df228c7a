"""The common base of both test clients: verbs, and the parts of a request."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from email.message import Message
from typing import Any, Final

from roll_http.shown import shown

from ..application import Roll
from ..query_strings import query_string
from .asked import Asked, redirected
from .connection import Connection
from .cookies import make_jar, stored, with_cookies, with_stored
from .encoding import encode_data, encode_form
from .responses import read_head
from .sockets import ClientSocket, open_socket
from .streams import StreamedResponse
from .unexpected import Seen, raised

__all__ = ["Exchanges"]

JSON_TYPE: Final = "application/json; charset=utf-8"

MAX_REDIRECTS: Final = 20


class Exchanges(ABC):
    """A client that sends requests to an application, and can keep cookies as a browser does."""

    content_type: str = JSON_TYPE
    """The default content type for data that are neither text nor bytes."""
    keep_cookies: bool = False
    """Whether the client sends the cookies of responses with later requests."""
    follow_redirects: bool = False
    """Whether the client follows redirections to the same server."""
    raise_errors: bool = False
    """Whether an exception other than `HttpError` is raised in the test instead of a 500."""

    def __init__(self, app: Roll) -> None:
        if not isinstance(app, Roll):
            raise ValueError(f"A client is for an application of Roll, not {shown(app)}")  # noqa: TRY004 - as every wrong option
        self.app = app
        # Copy the headers of the class: additions belong to this client only.
        self.default_headers: dict[str, Any] = dict(getattr(type(self), "default_headers", {}))
        self.cookie_jar = make_jar()
        """The cookies that `keep_cookies` keeps."""

    # Methods that each client defines.

    @property
    @abstractmethod
    def _host(self) -> str:
        """The default `Host` of requests."""
        ...

    @abstractmethod
    async def _exchange(self, asked: Asked, seen: Seen) -> tuple[Any, Message]:
        """Send a request; return the response, and the header fields that were sent with it."""
        ...

    @abstractmethod
    async def _connect(self, seen: Seen) -> Connection:
        """Open a connection; add its unexpected exceptions to `seen`."""
        ...

    @property
    @abstractmethod
    def _unexpected(self) -> Seen:
        """The list that keeps the unexpected exceptions of a connection."""
        ...

    # Requests.

    async def request(
        self,
        path: str,
        method: str = "GET",
        body: Any = b"",
        headers: Mapping[str, Any] | None = None,
        content_type: str | None = None,
    ) -> Any:
        """Send a request, and return its response.

        A `body` that is neither text nor bytes is encoded by `content_type`, or else by the
        content type in `headers`, or else by the client's `content_type`. `method` may be in any
        case.

        Raises:
            asyncio.IncompleteReadError: the connection was closed before the response's end.
            RuntimeError: there are more than 20 redirections.
        """
        asked = self._asked(path, method, body, headers, content_type)
        for _ in range(MAX_REDIRECTS + 1):
            response, sent = await self._answered(asked)
            following = redirected(asked, response.status, sent) if self.follow_redirects else None
            if following is None:
                return response
            asked = following
        raise RuntimeError(f"More than {MAX_REDIRECTS} redirections, the last to {asked.path!r}")

    async def _answered(self, asked: Asked) -> tuple[Any, Message]:
        asked, url = self._with_kept(asked)
        seen = self._unexpected
        with raised(seen, enabled=self.raise_errors):
            response, sent = await self._exchange(asked, seen)
        self._keep(url, sent)
        return response, sent

    def _with_kept(self, asked: Asked) -> tuple[Asked, str]:
        """Add the kept cookies to a request; return them with the URL."""
        url = f"http://{asked.field('host', self._host)}{asked.path}"
        if self.keep_cookies:
            asked = replace(asked, fields=with_stored(self.cookie_jar, url, asked.fields))
        return asked, url

    def _keep(self, url: str, sent: Message) -> None:
        if self.keep_cookies:
            stored(self.cookie_jar, url, sent)

    def _asked(
        self,
        path: str,
        method: str,
        body: Any,
        headers: Mapping[str, Any] | None,
        content_type: str | None,
    ) -> Asked:
        fields = {**self.default_headers, **(headers or {})}
        content, content_type = self._encode(body, fields, content_type)
        if content_type:  # a multipart body has its boundary there
            fields = {name: fields[name] for name in fields if name.lower() != "content-type"}
            fields["Content-Type"] = content_type
        if "host" not in map(str.lower, fields):
            fields["Host"] = self._host
        return Asked(method.upper(), path, fields, content)

    def _encode(
        self, data: Any, fields: Mapping[str, Any], content_type: str | None
    ) -> tuple[bytes, str | None]:
        if data is None:
            return b"", content_type
        if isinstance(data, str):
            return data.encode(), content_type
        if isinstance(data, bytes | bytearray | memoryview):
            return bytes(data), content_type
        named = (fields[name] for name in fields if name.lower() == "content-type")
        asked = content_type or next(named, None) or self.content_type
        return encode_data(data, asked, self.app.JSON)

    # Verbs.

    async def get(self, path: str, **options: Any) -> Any:
        """Send a GET.

        Options: `params`, a mapping or pairs, for the query string (a list is sent once per item,
        None is left out); `json`, a value that is sent as JSON; `headers`; `cookies`, a mapping;
        `body` and `content_type`, as in `request`.
        """
        return await self._ask(path, "GET", **options)

    async def head(self, path: str, **options: Any) -> Any:
        """Send a HEAD, with the options of `get`."""
        return await self._ask(path, "HEAD", **options)

    async def delete(self, path: str, **options: Any) -> Any:
        """Send a DELETE, with the options of `get`."""
        return await self._ask(path, "DELETE", **options)

    async def options(self, path: str, **options: Any) -> Any:
        """Send an OPTIONS, with the options of `get`."""
        return await self._ask(path, "OPTIONS", **options)

    async def connect(self, path: str, **options: Any) -> Any:
        """Send a CONNECT, with the options of `get`."""
        return await self._ask(path, "CONNECT", **options)

    async def post(self, path: str, data: Any = None, **options: Any) -> Any:
        """Send a POST with `data` (or `body`), encoded as in `request`, and `files`.

        `files` maps names to a content or to a tuple `(content, filename[, charset])`; a list of
        such pairs works too. None means no file. The options of `get` work too.
        """
        return await self._send(path, "POST", data, **options)

    async def put(self, path: str, data: Any = None, **options: Any) -> Any:
        """Send a PUT, like `post`."""
        return await self._send(path, "PUT", data, **options)

    async def patch(self, path: str, data: Any = None, **options: Any) -> Any:
        """Send a PATCH, like `post`."""
        return await self._send(path, "PATCH", data, **options)

    async def _ask(
        self,
        path: str,
        method: str,
        *,
        params: Any = None,
        json: Any = None,
        cookies: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> Any:
        if json is not None:
            check_alone(json=json, body=options.get("body"))
            options["body"] = self._as_json(json)
            options["content_type"] = options.get("content_type") or JSON_TYPE
        if cookies:
            options["headers"] = self._with_cookies(options.get("headers"), cookies)
        return await self.request(with_query(path, params), method=method, **options)

    async def _send(self, path: str, method: str, data: Any, **options: Any) -> Any:
        path, *others = self._with_body(path, data, **options)
        return await self.request(path, method, *others)

    def _with_body(
        self,
        path: str,
        data: Any = None,
        *,
        body: Any = None,
        files: Any = None,
        headers: Mapping[str, Any] | None = None,
        content_type: str | None = None,
        params: Any = None,
        json: Any = None,
        cookies: Mapping[str, Any] | None = None,
    ) -> tuple[str, Any, Mapping[str, Any] | None, str | None]:
        """Return the path, body, headers and content type for `request`."""
        check_alone(json=json, data=data, body=body, files=files or None)
        data = body if data is None else data
        if json is not None:
            data, content_type = self._as_json(json), content_type or JSON_TYPE
        if files:  # only a multipart body can have files
            data, content_type = encode_form(data or {}, files)
        if cookies:
            headers = self._with_cookies(headers, cookies)
        return with_query(path, params), data, headers, content_type

    def _as_json(self, value: Any) -> bytes:
        text = self.app.JSON.dumps(value)
        return text.encode() if isinstance(text, str) else text

    def _with_cookies(
        self, headers: Mapping[str, Any] | None, cookies: Mapping[str, Any]
    ) -> dict[str, Any]:
        return with_cookies({**self.default_headers, **(headers or {})}, cookies)

    # Streams and websockets.

    @asynccontextmanager
    async def stream(
        self, method: str, path: str, **options: Any
    ) -> AsyncIterator[StreamedResponse]:
        """Send a request, and yield its response when its head has arrived.

        The options are those of `get` and `post`. The client disconnects at the end of the block.
        Redirections are not followed.
        """
        path, *others = self._with_body(path, **options)
        asked, url = self._with_kept(self._asked(path, method, *others))
        async with self._connected() as connection:
            connection.write(asked.head + asked.content)
            head = await read_head(connection.reader, asked.method)
            self._keep(url, head.headers)
            yield StreamedResponse(head, connection, self.app.JSON)

    @asynccontextmanager
    async def websocket(
        self,
        path: str,
        *,
        subprotocols: Sequence[str] = (),
        params: Any = None,
        headers: Mapping[str, Any] | None = None,
        cookies: Mapping[str, Any] | None = None,
    ) -> AsyncIterator[ClientSocket]:
        """Connect to a websocket; close it at the end of the block.

        Raises:
            WebsocketRefused: the handshake was answered with another status than 101.
        """
        path, _, headers, _ = self._with_body(
            path, params=params, headers=headers, cookies=cookies
        )
        asked, url = self._with_kept(self._asked(path, "GET", None, headers, None))
        async with self._connected() as connection:
            ws = await open_socket(
                connection, asked.path, asked.fields, subprotocols, self.app.JSON
            )
            self._keep(url, ws.headers)
            try:
                yield ws
            finally:
                await ws.leave()

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[Connection]:
        """Connect; disconnect at the end, then raise unexpected errors of the application."""
        seen = self._unexpected
        with raised(seen, enabled=self.raise_errors):
            connection = await self._connect(seen)
            try:
                yield connection
            finally:
                await connection.leave()


# Python's warning about a missing await shows these names.
for verb in ("request", "get", "head", "delete", "options", "connect", "post", "put", "patch"):
    getattr(Exchanges, verb).__qualname__ = f"Client.{verb}"


def with_query(path: str, params: Any) -> str:
    """Add parameters to the query string of a path; raise a `TypeError` for one without text."""
    if params is None:
        return path
    pairs = params.items() if isinstance(params, Mapping) else params
    query = query_string(pairs)
    if not query:
        return path
    return f"{path}{'&' if '?' in path else '?'}{query}"


def check_alone(**bodies: Any) -> None:
    """Raise a `ValueError` for a request with a JSON body and another body."""
    given = [name for name, value in bodies.items() if value is not None]
    if bodies["json"] is not None and len(given) > 1:
        raise ValueError(f"`json` is the whole body: it cannot be given with `{given[1]}`")
