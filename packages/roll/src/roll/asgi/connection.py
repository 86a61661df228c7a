"""The stand-in for the protocol of a connection on another server."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from time import perf_counter
from typing import Any

from roll_http import ClientDisconnected
from roll_http.body import BodyStream
from roll_http.connection.observers import report as tell

from ..answered import watch
from ..observe import when_answered
from .head import address_of
from .open_response import OpenResponse
from .sending import respond

__all__ = ["ASGIConnection", "Body"]

CLIENT_GONE = "The client has gone"


class Body(BodyStream):
    """A body that is received from the server while it is read."""

    __slots__ = ("_connection",)

    def __init__(self, length: int | None, connection: ASGIConnection) -> None:
        super().__init__(length)
        self._connection = connection

    def _on_wait(self) -> None:
        self._connection.listen()

    def _on_room(self) -> None:
        self._connection.room.set()


class ASGIConnection:
    """A request on a connection of another server: its messages, its client and its end.

    It is the `request.protocol`. It receives messages of the server only after something has
    waited for one: for the body, or for the disconnect of the client.
    """

    on_answered: Callable[[Any, Any, int], None] | None = None
    """A function, called once with the request, the response and the sent bytes of its body."""

    def __init__(self, app: Any, scope: Mapping[str, Any], receive: Any, send: Any) -> None:
        self.app = app
        self.scope = scope
        self.limits = app.limits
        self.peer = address_of(scope)
        self.secure = scope.get("scheme", "http") in {"https", "wss"}
        self.request: Any = None
        self.response: Any = None
        self.body: Body | None = None
        self.received_at = perf_counter()
        self.body_sent = 0
        """The number of bytes of the body that were sent."""
        self.reported = False
        for report in app.answer_reports:
            when_answered(self, report)
        if "answered" in app.hooks:
            watch(app, self)
        self.room = asyncio.Event()
        self.on_gone: Callable[[], object] | None = None
        self.responded: Any = None
        self.send = send
        self._receive = receive
        self._gone = False
        self._task: Any = asyncio.current_task()
        self._streaming = False
        self._listener: asyncio.Task[None] | None = None
        self._on_shutdown: Callable[[], object] | None = None

    @property
    def stopping(self) -> bool:
        """Whether a stop of the application has begun."""
        given: bool = self.app.stop_notice.given
        return given

    @property
    def on_shutdown(self) -> Callable[[], object] | None:
        """A function, called when a stop of the application begins."""
        return self._on_shutdown

    @on_shutdown.setter
    def on_shutdown(self, call: Callable[[], object] | None) -> None:
        notice = self.app.stop_notice
        if self._on_shutdown is not None:
            notice.discard(self._on_shutdown)
        if call is not None:
            notice.add(call)
        self._on_shutdown = call

    @property
    def gone(self) -> bool:
        """Whether the server has reported the disconnect of the client."""
        self.listen()
        return self._gone

    def listen(self) -> None:
        """Receive the messages of the server from now on."""
        if self._listener is None:
            self._listener = asyncio.ensure_future(self._listen())

    async def _listen(self) -> None:
        while True:
            try:
                message = await self._receive()
            except Exception as error:  # noqa: BLE001 - the handler that waits for the body gets it
                self._fail(error)
                return
            if message["type"] == "http.disconnect":
                break
            body = self.body
            if body is not None:
                if data := message.get("body", b""):
                    body.feed(data)
                if not message.get("more_body", False):
                    body.end()
                while body.full and not body.complete:
                    self.room.clear()
                    await self.room.wait()
        self.lose()

    def _fail(self, error: Exception) -> None:
        """Raise an error of the server, or of the host, in the handler that waits for the body."""
        if self.body is None:
            raise error
        self.body.fail(error)

    def lose(self) -> None:
        """Note that the client has disconnected."""
        self._gone = True
        if self.on_gone is not None:
            self.on_gone()
        if self.body is not None:
            self.body.fail(ClientDisconnected(CLIENT_GONE))
        if self._streaming or (self.request is not None and self.request.cancel_on_disconnect):
            self.cancel()

    def cancel(self) -> None:
        """Cancel the handler, or the stream that it has started."""
        self._task.cancel()

    def stream(self) -> None:
        """Cancel the current task, which streams a response, when the client disconnects."""
        self._streaming = True
        self.listen()
        if self._gone:
            raise ClientDisconnected(CLIENT_GONE)

    def respond(self, response: Any) -> Coroutine[Any, Any, None]:
        """Send the response now, before the application returns, as `HTTPProtocol` does."""
        self.responded = self.request
        return respond(self, self.request, response)

    def open_response(self, response: Any) -> Any:
        """Return an object that writes the body in pieces, as `HTTPProtocol` does."""
        self.responded = self.request
        return OpenResponse(self, response)

    def report(self, response: Any) -> None:
        """Report once that the response was sent or lost."""
        if not self.reported and self.on_answered is not None:
            tell(self.on_answered, self.request, response, self.body_sent)
        self.reported = True

    def end(self) -> None:
        """Receive no more messages, and forget the request.

        The request refers to this connection: such a cycle would keep its body in memory until the
        next garbage collection.
        """
        self._streaming = False
        if self.on_shutdown is not None:
            self.on_shutdown = None
        if self._listener is not None:
            self._listener.cancel()
        self.request = self.response = self.responded = self.body = self.on_gone = None
