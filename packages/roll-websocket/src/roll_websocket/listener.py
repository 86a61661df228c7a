"""A server of its own: what is needed to serve WebSockets alone, on any asyncio server."""

import asyncio
import contextlib
import inspect
import logging
from collections.abc import Awaitable, Callable
from typing import Any, cast

from websockets.datastructures import Headers
from websockets.exceptions import SecurityError
from websockets.http11 import Request, Response
from websockets.streams import StreamReader

from roll_websocket.errors import HandshakeError
from roll_websocket.options import check_options
from roll_websocket.protocol import WSProtocol

__all__ = ["Head", "Listener"]

LOGGER = logging.getLogger("roll_websocket")


class Head:
    """The head of a request, as a handler gets it."""

    def __init__(self, request: Request) -> None:
        self.method = request.method
        self.path = request.path
        self.version = request.protocol.removeprefix("HTTP/")
        fields: dict[str, list[str]] = {}
        for name, value in request.headers.raw_items():
            fields.setdefault(name.upper(), []).append(value)
        self.headers = {name: ", ".join(values) for name, values in fields.items()}


Handler = Callable[[Head, WSProtocol], Awaitable[object]]


class Listener:
    """The protocol factory of an asyncio server that serves `handler(request, ws)`.

    `options` are those of `WSProtocol.handshake`; ValueError for another, and for a value that
    cannot be used. Every path is the handler's: it may look at `request.path` and close.
    """

    def __init__(
        self, handler: Handler, *, protocol: type[WSProtocol] = WSProtocol, **options: Any
    ) -> None:
        check_names(protocol, options)
        check_options(options)
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
        for ws in tuple(self.running.values()):
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


def check_names(protocol: type[WSProtocol], options: dict[str, Any]) -> None:
    """Raise ValueError for an option that the protocol does not take."""
    signature = inspect.signature(protocol.handshake)
    try:
        signature.bind(None, **options)
    except TypeError as error:
        known = ", ".join(list(signature.parameters)[1:])
        raise ValueError(f"Unknown option: {error}. The options are {known}.") from None


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
        self.refused = False

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
        if self.refused or self.transport.is_closing():
            return
        try:
            self.parse(data)
        except Exception:  # a fault of our own: no other connection hears of it
            LOGGER.exception("A connection failed before it was a WebSocket")
            self.transport.abort()

    def parse(self, data: bytes) -> None:
        """Parse a piece of the request; open the connection when that was the last."""
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
        try:
            ws = self.listener.protocol(head)
            answer = ws.handshake(**self.listener.options)
        except HandshakeError as error:
            self.refuse(error)
            return
        except Exception:
            LOGGER.exception("The handshake of %s failed", head.path)
            self.refuse(HandshakeError(500, "Internal Server Error"))
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
        """Answer with an error, and close when the client does, or its time is over.

        Closing at once would reset the connection where the client is still sending, and the
        answer could be lost.
        """
        self.refused = True
        body = error.message.encode()
        headers = Headers(error.headers)
        headers.update({"Content-Type": "text/plain; charset=utf-8", "Connection": "close"})
        headers["Content-Length"] = str(len(body))
        self.transport.write(Response(error.status, "Refused", headers, body).serialize())
        if not self.transport.can_write_eof():  # TLS
            self.transport.close()
            return
        with contextlib.suppress(OSError):  # the client has reset the connection
            self.transport.write_eof()
