"""The handshake of a websocket over ASGI."""

from __future__ import annotations

import asyncio
from typing import Any

from roll_http.body import again
from roll_http.connection.answering import serialize_response
from roll_websocket import ConnectionClosed

from .connection import ASGIConnection
from .head import head_of
from .http import answered
from .sending import close_unsent, start_of
from .websocket import ASGIWebsocket

__all__ = ["serve_websocket"]


async def serve_websocket(app: Any, scope: Any, receive: Any, send: Any) -> None:
    """Run the handler of a websocket until it ends, or refuse the handshake."""
    await receive()  # websocket.connect
    connection = WebsocketConnection(app, scope, receive, send)
    head = head_of({**scope, "method": "GET"})
    head.upgrade = "websocket"
    request = connection.request = app.Request(app, connection)
    request.set_head(head)
    made = response = connection.response = app.Response(app, connection)
    response.request = request
    try:
        response = await answered(app, request, response)
        if not connection.switched and not connection.gone:
            await refuse(connection, request, response)
        elif connection.unclosed is not None:
            raise again(connection.unclosed)  # the server closes it
    except (ConnectionClosed, OSError):
        pass  # the client has disconnected
    finally:
        try:
            await close_unsent(None, made, response)  # a refusal sends no stream
        finally:
            if not connection.switched:  # the websocket reports its own end
                connection.report(response)
            connection.end()


async def refuse(connection: WebsocketConnection, request: Any, response: Any) -> None:
    """Answer a handshake with the response if the server can send it, or else with a 403."""
    if "websocket.http.response" not in (connection.scope.get("extensions") or {}):
        await connection.send({"type": "websocket.close"})
        return
    request.keep_alive, request.version = True, "1.1"
    head, body, *_ = serialize_response(request, response, "")
    await connection.send({**start_of(head), "type": "websocket.http.response.start"})
    await connection.send({"type": "websocket.http.response.body", "body": body})
    connection.body_sent = len(body)


class WebsocketConnection(ASGIConnection):
    """The connection of a handshake, until a websocket takes it over."""

    switched = False
    """Whether the application has taken the websocket."""

    _early: asyncio.Future[Any] | None = None
    """The message that `watch_disconnect` waits for, until the websocket takes it."""

    unclosed: Exception | None = None
    """The error of a server that did not accept the close, such as daphne for a code of 1011."""

    @property
    def gone(self) -> bool:
        """Whether the server has reported the disconnect of the client."""
        return self._gone

    def websocket(self, request: Any) -> ASGIWebsocket:
        """Return the websocket that the handler gets."""
        return ASGIWebsocket(request, self._next_message, self.send, self)

    def watch_disconnect(self) -> None:
        """Notice a disconnect before the answer; until then, the server sends no other message."""
        if self._early is None:
            self._early = asyncio.ensure_future(self._receive())
            self._early.add_done_callback(self._look_at)

    def _look_at(self, early: asyncio.Future[Any]) -> None:
        failed = early.cancelled() or early.exception() is not None
        if not failed and early.result()["type"] == "websocket.disconnect":
            self.lose()

    async def _next_message(self) -> Any:
        early, self._early = self._early, None
        return await (self._receive() if early is None else early)

    def end(self) -> None:
        """Receive no more messages, and forget the request."""
        if self._early is not None:
            self._early.cancel()
        super().end()

    def switch(self, protocol: Any, head: bytes) -> None:
        """Pass the connection to the websocket; its `run` accepts the handshake."""
        self.switched = True

    def eof_received(self) -> None:
        """Note that the client has disconnected."""
        self.lose()
