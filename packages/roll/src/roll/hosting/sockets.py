"""A websocket to an ASGI application."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from functools import partial
from http import HTTPStatus
from typing import Any

from roll_http import ClientDisconnected, HttpError
from roll_http.h1.statuses import set_status
from roll_websocket import ConnectionClosed, HandshakeError
from roll_websocket.errors import consists_of

from ..errors import ends_task, notify
from ..upgrade import fields_of, report, report_end
from ..views import Refused
from .fields import set_fields, text_of
from .scope import websocket_scope

__all__ = ["serve_websocket"]


async def serve_websocket(host: Any, app: Any, request: Any, response: Any) -> Any:
    """Run the application for a websocket until it has ended; return the response.

    Raises:
        HttpError: the handshake is refused, and nothing has been sent yet.
    """
    request.keep_alive = False  # frames may follow a handshake
    ws = make_websocket(app, request)
    handshake(ws, (), host.settings)
    scope = websocket_scope(request, host.prefix, host.state)
    watch = getattr(request.protocol, "watch_disconnect", None)
    session = Session(host, ws, scope["subprotocols"], watch)
    task = asyncio.ensure_future(host.application(scope, session.receive, session.send))
    request.protocol.on_gone = session.lose
    kept = False
    try:
        await asyncio.wait({task, session.decided}, return_when=asyncio.FIRST_COMPLETED)
        if session.accepted:
            await converse(session, app, request, response, task)
            return response
        if not session.decided.done():
            await finished(session, task)
            raise unanswered(session, request.protocol)
        kept = True
        app.kept_tasks.keep(task)  # it may run on after its refusal
        return refused(session, response)
    finally:
        if not kept:
            await ended(task)
        # Otherwise the connection refers to the request, and the error of the task to this frame:
        # cycles of references.
        task.add_done_callback(partial(forget, request.protocol))
        del task


async def finished(session: Session, task: asyncio.Future[Any]) -> None:
    """Wait for the application, and raise its exception, but not that the client has left."""
    try:
        await task
    except (ClientDisconnected, ExceptionGroup) as error:
        if not (session.gone and consists_of(ClientDisconnected, error)):
            raise
    finally:
        del task  # its error refers to this frame: a cycle of references


def unanswered(session: Session, connection: Any) -> Exception:
    """Return the error of an application that has returned without an answer.

    If its client has gone, it has made no mistake. Then reset the connection, as `_give_up` of a
    request does: a half-closed client would take a response for the one of the application.
    """
    if not session.gone:
        return RuntimeError(f"{session.host} has returned without an answer to a websocket")
    abort = getattr(connection, "abort", None)  # there is none over ASGI
    if abort is not None:
        abort()
    return ClientDisconnected("The client has gone")


def forget(connection: Any, _: object) -> None:
    connection.on_gone = None


def make_websocket(app: Any, request: Any) -> Any:
    make = getattr(request.protocol, "websocket", app.WebsocketProtocol)
    ws = make(request)
    ws.on_lost = request.protocol.eof_received
    return ws


def handshake(ws: Any, headers: Any, settings: dict[str, Any]) -> bytes:
    """Return the head of the answer to a handshake; raise `HttpError` if it is refused."""
    try:
        head: bytes = ws.handshake(headers, **settings)
    except HandshakeError as error:
        raise Refused(error.status, error.message, dict(error.headers)) from error
    return head


async def ended(task: asyncio.Future[Any]) -> None:
    """Cancel the application, unless it has returned, and wait for it."""
    if not task.done():
        task.cancel()
        await asyncio.wait({task})
    if not task.cancelled():
        task.exception()  # otherwise asyncio logs the reported error again


def refused(session: Session, response: Any) -> Any:
    """Return the response to a handshake that the application has not accepted.

    Raises:
        HttpError: 403 if the application has not sent a response.
    """
    if session.denial is None:
        raise HttpError(HTTPStatus.FORBIDDEN)
    set_status(response, session.denial["status"])
    set_fields(response.headers, session.denial.get("headers", ()))
    response.body = session.body
    return response


async def converse(
    session: Session, app: Any, request: Any, response: Any, task: asyncio.Future[Any]
) -> None:
    """Answer the handshake, send the events, and wait until the websocket has ended."""
    headers = fields_of(response, session.fields)
    ws = session.ws
    chosen = {"subprotocols": () if session.subprotocol is None else [session.subprotocol]}
    request.protocol.switch(ws, handshake(ws, headers, session.host.settings | chosen))
    running = ws.run(run(session, app, request, task))
    del task  # its error refers to this frame: a cycle of references
    try:
        await running
    except BaseException as error:
        if ends_task(error, request):
            raise
        await report(app, "websocket_error", request, ws, error)
    finally:
        await notify(app, "websocket_disconnect", request, ws)
        report_end(request, response, ws)


async def run(session: Session, app: Any, request: Any, task: asyncio.Future[Any]) -> None:
    try:
        await app.hook("websocket_connect", request, session.ws)
    except BaseException:
        task.cancel()  # do not wait for a slow client to close
        raise
    session.open()
    try:
        await finished(session, task)
    finally:
        del task  # as above


class Session:
    """The messages of a websocket in both directions."""

    def __init__(
        self,
        host: Any,
        ws: Any,
        offered: Iterable[str],
        watch: Callable[[], None] | None = None,
    ) -> None:
        """`watch` begins to look for a disconnect over ASGI; Roll's own server always looks."""
        loop = asyncio.get_running_loop()
        self.host = host
        self.ws = ws
        self.offered = tuple(offered)
        """The subprotocols that the client speaks."""
        self.decided: asyncio.Future[None] = loop.create_future()
        """Done when the application has accepted or refused the handshake, or has ended."""
        self.opened: asyncio.Future[bool] = loop.create_future()
        """Whether messages may be sent: False if the client has disconnected before."""
        self.accepted = False
        self.gone = False
        """Whether the client has disconnected: `send` raises `ClientDisconnected`."""
        self.subprotocol: str | None = None
        self.fields: list[tuple[str, str]] = []
        self.denial: Any = None
        self._watch = watch
        self._closes = False  # the application has sent its close
        self.body = b""
        self._connected = False
        self._order = asyncio.Lock()  # messages that wait for `opened` take it in their order
        self._late = 0  # the number of these messages

    def open(self) -> None:
        """Let messages be sent from now on, unless the client has disconnected."""
        if not self.opened.done():
            self.opened.set_result(True)

    def lose(self) -> None:
        """Note that the client has disconnected."""
        self.gone = True
        if not self.opened.done():
            self.opened.set_result(False)

    async def receive(self) -> dict[str, Any]:
        """Return the next message: the connect, those of the client, the disconnect."""
        if not self._connected:
            self._connected = True
            return {"type": "websocket.connect"}
        if not self.opened.done() and self._watch is not None:
            self._watch()
        # The application may receive messages in one task, and accept in another.
        if not await asyncio.shield(self.opened):
            return {"type": "websocket.disconnect", "code": 1006, "reason": ""}
        try:
            message = await self.ws.recv()
        except ConnectionClosed as error:
            return {"type": "websocket.disconnect", "code": error.code, "reason": error.reason}
        kind = "text" if isinstance(message, str) else "bytes"
        return {"type": "websocket.receive", kind: message}

    async def send(self, message: Any) -> None:
        """Take a message.

        Raises:
            ClientDisconnected: the connection has ended.
            RuntimeError: the message is not allowed now.
            ValueError: the client has not offered the subprotocol.
        """
        if self.accepted:
            if self._late or not (self.opened.done() and self.opened.result()):
                await self._until_open()  # other tasks send before the handshake
            await self._send_open(message["type"], message)
        elif self.decided.done():
            raise RuntimeError(f"{self.host} has sent {message['type']!r} after its refusal")
        else:
            await self._decide(message["type"], message)

    async def _decide(self, kind: str, message: Any) -> None:
        if kind == "websocket.accept" and self.denial is None:
            self._take_accept(message)
            self.accepted = True
            self.decided.set_result(None)
            if not await asyncio.shield(self.opened):
                raise ClientDisconnected("The client has gone")
        elif kind == "websocket.close":
            self.decided.set_result(None)
        elif kind == "websocket.http.response.start" and self.denial is None:
            self.denial = message
        elif kind == "websocket.http.response.body" and self.denial is not None:
            self.body += message.get("body", b"")
            if not message.get("more_body", False):
                self.decided.set_result(None)
        else:
            where = "within its refusal" if self.denial else "before 'websocket.accept'"
            raise RuntimeError(f"{self.host} has sent {kind!r} {where}")

    async def _until_open(self) -> None:
        """Wait until messages may be sent, behind those that wait already."""
        self._late += 1
        try:
            async with self._order:
                if not await asyncio.shield(self.opened):
                    raise ClientDisconnected("The client has gone")
        finally:
            self._late -= 1

    def _take_accept(self, message: Any) -> None:
        fields = [(text_of(name), text_of(value)) for name, value in message.get("headers") or ()]
        named = [value for name, value in fields if name.lower() == "sec-websocket-protocol"]
        chosen = message.get("subprotocol") or (named[0] if named else None)
        # A browser fails the connection for another one (RFC 6455 4.1), and tells no reason.
        if chosen is not None and chosen not in self.offered:
            offer = ", ".join(map(repr, self.offered)) or "none"
            raise ValueError(
                f"{self.host} has accepted with the subprotocol {chosen!r}: the client offers"
                f" {offer}"
            )
        self.subprotocol, self.fields = chosen, fields

    async def _send_open(self, kind: str, message: Any) -> None:
        if kind == "websocket.close":
            self._closes = True
            await self.ws.close(message.get("code", 1000), message.get("reason") or "")
            return
        if kind == "websocket.send" and self._closes:
            raise RuntimeError(f"{self.host} has sent {kind!r} after 'websocket.close'")
        if kind != "websocket.send":
            raise RuntimeError(f"{self.host} has sent {kind!r} after 'websocket.accept'")
        content = content_of(message)
        try:
            await self.ws.send(content)
        except ConnectionClosed as error:
            self.gone = True
            raise ClientDisconnected("The client has gone") from error


def content_of(message: Any) -> str | bytes:
    """Return the content of a message to a client.

    Raises:
        TypeError: its `text` is not a str, or its `bytes` are not bytes.
    """
    text, data = message.get("text"), message.get("bytes")
    if isinstance(text, str):
        return text
    if text is None and isinstance(data, bytes | bytearray | memoryview):
        return bytes(data)
    raise TypeError(
        "A 'websocket.send' has a str as `text` or bytes as `bytes`, not"
        f" {type(data if text is None else text).__name__}"
    )
