"""A client in process: the real protocol, without a socket."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..exchanges import when_answered
from .encoding import encode_body, encode_head
from .responses import parse_response
from .transport import Transport

if TYPE_CHECKING:
    from ..application import Roll

__all__ = ["Client"]


class Client:
    """Sends requests to an application, and gives its own responses back.

    `protocol` is the connection of the last request: `protocol.transport.data` has the exact
    bytes of the answer.
    """

    content_type: str = "application/json; charset=utf-8"
    """How the data of a request are encoded, when it does not say so itself."""

    def __init__(self, app: Roll) -> None:
        self.app = app
        self.default_headers: dict[str, Any] = {}
        self.protocol: Any = None

    async def request(
        self,
        path: str,
        method: str = "GET",
        body: bytes = b"",
        headers: Mapping[str, Any] | None = None,
        content_type: str | None = None,
    ) -> Any:
        """Send a request, and return the application's `Response`, with its body as bytes.

        Raises:
            asyncio.IncompleteReadError: the connection was closed before the response's end.
        """
        # No request is answered by what another one left on its connection.
        self.protocol = self.app.factory()
        transport = Transport(self.protocol)
        answered: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        when_answered(self.protocol, lambda _, response, __: answered.set_result(response))
        self.protocol.connection_made(transport)
        closed = asyncio.ensure_future(transport.closed.wait())
        try:
            self.protocol.data_received(
                self._head(path, method, body, headers, content_type) + body
            )
            await asyncio.wait({answered, closed}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            closed.cancel()
            self.protocol.connection_lost(None)
        return await self._response(answered, method, transport.data)

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

    async def _response(self, answered: asyncio.Future[Any], method: str, data: bytes) -> Any:
        if answered.done():
            response = answered.result()
            if not isinstance(response.body, bytes):
                response.body = (await parse_response(data, method)).body
            return response
        # The request never reached the application: what was sent, in the same clothes.
        sent = await parse_response(data, method)
        response = self.app.Response(self.app, self.protocol)
        response.status, response.body = sent.status, sent.body
        response.headers.update(sent.headers)
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
        """Send a POST, with `data` (or `body`) and `files`, encoded as `content_type` says.

        `files` map names to a content, or to a tuple `(content, filename[, charset])`, or are a
        list of such pairs.
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
        content = b""
        content_type = content_type or self._asked_type(headers) or self.content_type
        given = body if data is None else data
        if given is not None or files:
            content, content_type = encode_body(given, content_type, files)
        return await self.request(path, method, content, headers, content_type)

    def _asked_type(self, headers: Mapping[str, Any] | None) -> str | None:
        fields = {**self.default_headers, **(headers or {})}
        return next((fields[name] for name in fields if name.lower() == "content-type"), None)
