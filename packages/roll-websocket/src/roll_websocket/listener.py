"""A server of its own: what is needed to serve WebSockets alone, on any asyncio server."""

import asyncio
import inspect
import logging
from collections.abc import Awaitable, Callable
from typing import Any, cast

from websockets.datastructures import Headers
from websockets.exceptions import SecurityError
from websockets.http11 import Request, Response
from websockets.streams import StreamReader

from roll_websocket.errors import HandshakeError
from roll_websocket.protocol import WSProtocol

__all__ = ["Head", "Listener"]

LOGGER = logging.getLogger("roll_websocket")


class Head:
    """The head of a request, as a handler gets it."""

    def __init__(self, request: Request) -> None:
        self.method = request.method
        self.path = request.path
        self.version = request.protocol.removeprefix("HTTP/")
        self.headers: dict[str, str] = {}
        for name, value in request.headers.raw_items():
            key = name.upper()
            known = self.headers.get(key)
            self.headers[key] = value if known is None else f"{known}, {value}"


Handler = Callable[[Head, WSProtocol], Awaitable[object]]


class Listener:
    """The protocol factory of an asyncio server that serves `handler(request, ws)`.

    `options` are those of `WSProtocol.handshake`; TypeError for another. Every path is the
    handler's: it may look at `request.path` and close.
    """

    def __init__(
        self, handler: Handler, *, protocol: type[WSProtocol] = WSProtocol, **options: Any
    ) -> None:
        inspect.signature(protocol.handshake).bind(None, **options)
        self.handler = handler
        self.protocol = protocol
        self.options = options
        self.running: dict[asyncio.Task[None], WSProtocol] = {}
        self.openings: set[Opening] = set()
        self.stopped = False

    def __call__(self) -> asyncio.Protocol:
        """The protocol of a new connection."""
        return Opening(self)

    def start(self, head: Head, ws: WSProtocol) -> None:
        """Run the handler in a task of its own."""
        task = asyncio.get_running_loop().create_task(self.run(head, ws))
        self.running[task] = ws
        task.add_done_callback(self.running.pop)

    async def run(self, head: Head, ws: WSProtocol) -> None:
        """Run the handler; what it raises is logged."""
        try:
            await ws.run(self.call(head, ws))
        except Exception:
            LOGGER.exception("The handler of %s failed", head.path)

    def call(self, head: Head, ws: WSProtocol) -> Awaitable[object]:
        """Call the handler; one that cannot be called fails where it is awaited, as any other.

        No coroutine around all handlers: it would take 0.25 KiB of each connection.
        """
        try:
            return self.handler(head, ws)
        except Exception as error:  # noqa: BLE001 - raised again, and logged, by who awaits it
            return failed(error)

    async def stop(self, grace: float = 5) -> None:
        """Close all connections with 1001; handlers still running after `grace` are cancelled.

        A client that has not read everything `TIMEOUT` seconds later is aborted. Connections
        that have not become websockets are closed, and so is whatever comes from now on.
        """
        self.stopped = True
        for opening in tuple(self.openings):
            opening.transport.close()
        for ws in self.running.values():
            ws.shutdown()
        for patience in (grace, self.protocol.TIMEOUT):
            await self.ended(patience)
            for task in self.running:
                task.cancel()
        await self.ended(None)

    async def ended(self, patience: float | None) -> None:
        """Wait until no handler runs, or so many seconds."""
        if self.running:
            await asyncio.wait(self.running, timeout=patience)


async def failed(error: Exception) -> None:
    """What raises this when it is awaited."""
    raise error


class Opening(asyncio.Protocol):
    """A connection until its request is whole; the layer below parses it."""

    transport: asyncio.Transport
    patience: asyncio.TimerHandle

    def __init__(self, listener: Listener) -> None:
        self.listener = listener
        self.reader = StreamReader()
        self.parser = Request.parse(self.reader.read_line)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client has `TIMEOUT` seconds for its request."""
        self.transport = cast(asyncio.Transport, transport)
        self.listener.openings.add(self)
        if self.listener.stopped:
            self.transport.close()
        timeout = self.listener.protocol.TIMEOUT
        self.patience = asyncio.get_running_loop().call_later(timeout, self.transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        """The client has gone before it asked for anything."""
        self.leave()

    def data_received(self, data: bytes) -> None:
        """Take a piece of the request."""
        if self.transport.is_closing():
            return
        self.reader.feed_data(data)
        try:
            next(self.parser)
        except StopIteration as stop:
            self.open(Head(stop.value))
        except EOFError:
            self.refuse(HandshakeError(400, "Bad request: a line ends with CR and LF."))
        except (NotImplementedError, SecurityError, ValueError) as error:
            self.refuse(HandshakeError(400, f"Bad request: {error}."))

    def open(self, head: Head) -> None:
        """Hand the connection over to a WSProtocol, and what followed the request."""
        ws = self.listener.protocol(head)
        try:
            answer = ws.handshake(**self.listener.options)
        except HandshakeError as error:
            self.refuse(error)
            return
        self.leave()
        self.transport.write(answer)
        self.transport.set_protocol(ws)
        ws.connection_made(self.transport)
        self.listener.start(head, ws)
        if self.reader.buffer:
            ws.data_received(bytes(self.reader.buffer))

    def leave(self) -> None:
        """This is no opening any more."""
        self.patience.cancel()
        self.listener.openings.discard(self)

    def refuse(self, error: HandshakeError) -> None:
        """Answer with an error and close."""
        body = error.message.encode()
        headers = Headers(error.headers)
        headers.update({"Content-Type": "text/plain; charset=utf-8", "Connection": "close"})
        headers["Content-Length"] = str(len(body))
        self.transport.write(Response(error.status, "Refused", headers, body).serialize())
        self.transport.close()
