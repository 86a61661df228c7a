"""A client in process: the real protocol, without a socket."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping
from typing import Any

from ..application import Roll
from ..observe import when_answered
from .encoding import encode_data, encode_form, encode_head
from .responses import parse_response
from .transport import Transport

__all__ = ["Client"]

PATIENCE = 1.0
"""Seconds that a handler has to see that its websocket is gone, before it is cancelled."""


class Client:
    """Sends requests to an application, and gives its own responses back.

    `protocol` is the connection of the last request: `protocol.transport.data` has the exact
    bytes of the answer, `protocol.request` and `protocol.response` are the last ones.
    """

    content_type: str = "application/json; charset=utf-8"
    """How data that are neither text nor bytes are encoded, unless the request says so itself."""

    def __init__(self, app: Roll) -> None:
        self.app = app
        # A subclass may have some; what is added here is this client's alone.
        self.default_headers: dict[str, Any] = dict(getattr(type(self), "default_headers", {}))
        self.protocol: Any = None

    async def request(
        self,
        path: str,
        method: str = "GET",
        body: Any = b"",
        headers: Mapping[str, Any] | None = None,
        content_type: str | None = None,
    ) -> Any:
        """Send a request, and return the application's `Response`, with the body that was sent.

        A `body` that is neither text nor bytes is encoded as `content_type` says, else the
        headers, else the client's own `content_type`. `method` may be in any case.

        The client is gone once it has its response, a 101 too: a websocket's handler has ended
        by then.

        Raises:
            asyncio.IncompleteReadError: the connection was closed before the response's end.
        """
        method = method.upper()
        content, content_type = self._encode(body, headers, content_type)
        head = self._head(path, method, content, headers, content_type)
        # No request is answered by what another one left on its connection. The attribute may be
        # another's before this one ends.
        self.protocol = protocol = self.app.factory()
        transport = Transport(protocol)
        answered: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        ends: list[Awaitable[Any]] = [transport.closed.wait(), transport.switched.wait()]
        if not hasattr(type(protocol), "on_answered"):  # it does not say when it has answered
            ends.append(transport.read_response(method))
        over = [asyncio.ensure_future(end) for end in ends]
        when_answered(protocol, lambda *exchange: answered.set_result(exchange))
        protocol.connection_made(transport)
        ended = when_released(protocol)
        try:
            protocol.data_received(head + content)
            await asyncio.wait({answered, *over}, return_when=asyncio.FIRST_COMPLETED)
            current = (getattr(protocol, name, None) for name in ("request", "response"))
            request, response = answered.result()[:2] if answered.done() else current
            own = answered.done()  # a websocket that has been left is reported later
        finally:
            for waiting in over:
                waiting.cancel()
            transport.lose()
        if transport.switched.is_set():
            await see_out(protocol, ended)
        protocol.request, protocol.response = request, response
        if not own:  # what was sent is another's
            response = None
        return await self._response(response, protocol, transport.data, method)

    def _encode(
        self, data: Any, headers: Mapping[str, Any] | None, content_type: str | None
    ) -> tuple[bytes, str | None]:
        if data is None:
            return b"", content_type
        if isinstance(data, str):
            return data.encode(), content_type
        if isinstance(data, bytes | bytearray | memoryview):
            return bytes(data), content_type
        asked = content_type or self._asked_type(headers) or self.content_type
        return encode_data(data, asked, self.app.JSON)

    def _asked_type(self, headers: Mapping[str, Any] | None) -> str | None:
        fields = {**self.default_headers, **(headers or {})}
        return next((fields[name] for name in fields if name.lower() == "content-type"), None)

    def _head(
        self,
        path: str,
        method: str,
        body: bytes,
        headers: Mapping[str, Any] | None,
        content_type: str | None,
    ) -> bytes:
        fields = {**self.default_headers, **(headers or {})}
        if content_type:  # it has the boundary of a multipart body
            fields = {name: fields[name] for name in fields if name.lower() != "content-type"}
            fields["Content-Type"] = content_type
        given = {name.lower() for name in fields}
        if "host" not in given:
            fields["Host"] = "127.0.0.1"
        if body and not given & {"content-length", "transfer-encoding"}:
            fields["Content-Length"] = len(body)
        return encode_head(method, path, fields)

    async def _response(self, response: Any, protocol: Any, data: bytes, method: str) -> Any:
        sent = await parse_response(data, method)
        if response is None:
            # The application's own is nowhere: what was sent, in the same clothes.
            response = self.app.Response(self.app, protocol)
            response.status = sent.status
            response.headers.update(sent.headers)
        length = sent.headers["Content-Length"]
        if length is not None and "content-length" not in map(str.lower, response.headers):
            response.headers["Content-Length"] = int(length)
        response.body = sent.body
        return response

    async def get(self, path: str, **kwargs: Any) -> Any:
        """Send a GET; takes what `request` takes."""
        return await self.request(path, method="GET", **kwargs)

    async def head(self, path: str, **kwargs: Any) -> Any:
        """Send a HEAD."""
        return await self.request(path, method="HEAD", **kwargs)

    async def delete(self, path: str, **kwargs: Any) -> Any:
        """Send a DELETE."""
        return await self.request(path, method="DELETE", **kwargs)

    async def options(self, path: str, **kwargs: Any) -> Any:
        """Send an OPTIONS."""
        return await self.request(path, method="OPTIONS", **kwargs)

    async def connect(self, path: str, **kwargs: Any) -> Any:
        """Send a CONNECT."""
        return await self.request(path, method="CONNECT", **kwargs)

    async def post(self, path: str, data: Any = None, **kwargs: Any) -> Any:
        """Send a POST, with `data` (or `body`), encoded as `request` says, and `files`.

        `files` map names to a content, or to a tuple `(content, filename[, charset])`, or are a
        list of such pairs. None is no file.
        """
        return await self._send(path, "POST", data, **kwargs)

    async def put(self, path: str, data: Any = None, **kwargs: Any) -> Any:
        """Send a PUT, like `post`."""
        return await self._send(path, "PUT", data, **kwargs)

    async def patch(self, path: str, data: Any = None, **kwargs: Any) -> Any:
        """Send a PATCH, like `post`."""
        return await self._send(path, "PATCH", data, **kwargs)

    async def _send(
        self,
        path: str,
        method: str,
        data: Any,
        *,
        body: Any = None,
        files: Any = None,
        headers: Mapping[str, Any] | None = None,
        content_type: str | None = None,
    ) -> Any:
        if data is None:
            data = body
        if files:  # which only a multipart body can have
            data, content_type = encode_form(data or {}, files)
        return await self.request(path, method, data, headers, content_type)


def when_released(protocol: Any) -> asyncio.Future[None]:
    """Return a future that is done when a handler that took the connection over has ended.

    For a class that does not tell, it is done.
    """
    released = asyncio.get_running_loop().create_future()
    release = getattr(protocol, "release", None)
    if release is None:
        released.set_result(None)
        return released

    def released_now() -> None:
        release()
        released.set_result(None)

    protocol.release = released_now
    return released


async def see_out(protocol: Any, ended: asyncio.Future[None]) -> None:
    """Wait for the end of a handler whose connection is gone; cancel it if it is slow."""
    await asyncio.wait([ended], timeout=PATIENCE)
    if not ended.done():
        protocol.cancel()
        await asyncio.wait([ended], timeout=PATIENCE)
