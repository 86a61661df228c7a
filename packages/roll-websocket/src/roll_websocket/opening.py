"""A connection until it is a WebSocket, or is refused."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Generator
from http import HTTPStatus
from inspect import isawaitable
from typing import Any, Protocol, cast

from websockets.exceptions import SecurityError
from websockets.http11 import Request
from websockets.streams import StreamReader

from roll_websocket.errors import HandshakeError
from roll_websocket.protocol import WSProtocol
from roll_websocket.refusal import refusal
from roll_websocket.request import ListenerRequest

__all__ = ["Opening", "Owner"]

LOGGER = logging.getLogger("roll_websocket")

FAILED = HandshakeError(500, HTTPStatus.INTERNAL_SERVER_ERROR.phrase)
UNAVAILABLE = HandshakeError(503, HTTPStatus.SERVICE_UNAVAILABLE.phrase)


class Owner(Protocol):
    """What an opening needs of its listener."""

    protocol: type[WSProtocol]
    options: dict[str, Any]
    openings: set["Opening"]
    stopped: bool

    def check(self, request: ListenerRequest) -> Awaitable[object] | None:
        """Raise HandshakeError to refuse a request, in the call or in what it returns to await."""

    def start(self, request: ListenerRequest, ws: WSProtocol) -> None:
        """Run the handler."""


class Opening(asyncio.Protocol):
    """A connection until its handshake; the Sans-I/O layer parses the request."""

    transport: asyncio.Transport
    patience: asyncio.TimerHandle

    def __init__(self, listener: Owner) -> None:
        self.listener = listener
        self.reader = StreamReader()
        self.parser: Generator[None, None, Request] = Request.parse(self.read_line)
        self.begun = False
        """Whether the request line has come."""
        self.method: str | None = None
        """The method of a request whose head is complete."""
        self.refused = False
        self.checking: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Give the client `TIMEOUT` seconds for its request."""
        self.transport = cast(asyncio.Transport, transport)
        # Now: uvloop asks the socket each time, which fails once the client has gone.
        peer = transport.get_extra_info("peername")
        self.client: tuple[str, int] | None = peer[:2] if isinstance(peer, tuple) else None
        self.listener.openings.add(self)
        if self.listener.stopped:
            self.transport.close()
        self.watch()

    def watch(self) -> None:
        """Schedule `expire` in `TIMEOUT` seconds."""
        loop = asyncio.get_running_loop()
        self.patience = loop.call_later(self.listener.protocol.TIMEOUT, self.expire)

    def expire(self) -> None:
        """Leave the client, but first answer if the listener is to blame."""
        if self.refused or self.checking is None:
            self.transport.abort()
            return
        self.fail(TimeoutError("`process_request` took too long."))
        self.checking.cancel()
        self.watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Clean up: the client has gone before its handshake."""
        self.leave()
        if self.checking is not None:
            self.checking.cancel()

    def data_received(self, data: bytes) -> None:
        """Process bytes of the request."""
        if self.refused or self.transport.is_closing():
            return
        try:
            self.reader.feed_data(data)
            if self.checking is None:
                self.parse()
            else:
                self.transport.pause_reading()
        except Exception:  # a fault of our own: no other connection hears of it
            LOGGER.exception("A connection failed before it was a WebSocket")
            self.transport.abort()

    def read_line(self, *limits: Any) -> Generator[None, None, bytearray]:
        """Return the next line, without empty lines before the request line (RFC 9112 2.2)."""
        line = yield from self.reader.read_line(*limits)
        while not self.begun and line == b"\r\n":
            line = yield from self.reader.read_line(*limits)
        self.begun = True
        return line

    def parse(self) -> None:
        """Parse the request; check it when it is complete."""
        request = None
        try:
            next(self.parser)
        except StopIteration as stop:
            request = stop.value
        except EOFError:
            self.refuse(HandshakeError(400, "Bad request: a line ends with CR and LF."))
        # The parser of websockets raises these: for a body, for a long line, for other faults.
        except (NotImplementedError, SecurityError, ValueError) as error:
            self.refuse(HandshakeError(400, f"Bad request: {error}."))
        # Not above: the traceback of an error in the check would show `stop`, which
        # includes the request with its cookies.
        if request is not None:
            self.check(request)

    def check(self, parsed: Request) -> None:
        """Have the listener check the request, then open the connection."""
        self.method = parsed.method
        try:
            request = ListenerRequest(parsed, self.client)
            checked = self.listener.check(request)
            if isawaitable(checked):
                self.patience.cancel()
                self.watch()
                loop = asyncio.get_running_loop()
                self.checking = loop.create_task(self.wait_for(checked, request))
            else:
                self.go_on(checked, request)
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:  # noqa: BLE001 - answered there
            self.fail(error)

    async def wait_for(self, checked: Awaitable[object], request: ListenerRequest) -> None:
        """Open the connection once the check has passed."""
        try:
            self.go_on(await checked, request)
        except asyncio.CancelledError as error:
            if not (self.refused or self.transport.is_closing()):
                self.fail(error)  # The check itself raised it.
            raise
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:
            if isinstance(error, GeneratorExit) and not self.is_checking():
                raise  # The task is gone, and its loop may be, too.
            self.fail(error)

    def is_checking(self) -> bool:
        """Return whether the task of the check runs."""
        try:
            return asyncio.current_task() is self.checking
        except RuntimeError:
            return False

    def go_on(self, result: object, request: ListenerRequest) -> None:
        """Open the connection; raise TypeError if the check returned anything."""
        if result is not None:
            raise TypeError(f"`process_request` returns None, or raises, not {result!r}")
        if not (self.refused or self.transport.is_closing()):
            self.open(request)

    def open(self, request: ListenerRequest) -> None:
        """Hand the transport over to a WSProtocol, with the bytes that followed the request."""
        ws = self.listener.protocol(request)
        answer = ws.handshake(**self.listener.options)
        self.leave()
        self.checking = None
        self.transport.write(answer)
        self.transport.set_protocol(ws)
        ws.connection_made(self.transport)
        self.listener.start(request, ws)
        self.transport.resume_reading()
        if self.reader.buffer:
            ws.data_received(bytes(self.reader.buffer))

    def leave(self) -> None:
        """Stop the timeout, and leave the listener's set."""
        self.patience.cancel()
        self.listener.openings.discard(self)

    def fail(self, error: BaseException) -> None:
        """Refuse the request: an error other than HandshakeError is logged, and a 500 or 503."""
        if not isinstance(error, HandshakeError):
            LOGGER.error("A handshake failed", exc_info=error)
            error = UNAVAILABLE if isinstance(error, TimeoutError) else FAILED
        try:
            self.refuse(error)
        except Exception:
            LOGGER.exception("A handshake could not be refused")
            self.transport.abort()

    def refuse(self, error: HandshakeError) -> None:
        """Answer with an error; close when the client closes or the timeout ends.

        Closing at once would reset the connection where the client is still sending, and the
        answer could be lost.
        """
        if self.refused or self.transport.is_closing():
            return
        self.refused = True
        self.transport.write(self.answer(error))
        self.transport.resume_reading()
        if not self.transport.can_write_eof():  # TLS
            self.transport.close()
            return
        with contextlib.suppress(OSError):  # the client has reset the connection
            self.transport.write_eof()

    def answer(self, error: HandshakeError) -> bytes:
        """Return the answer of an error, or a 500 for one that has none."""
        try:
            return refusal(error, self.method)
        except Exception:
            LOGGER.exception("A handshake could not be refused as it was asked")
            return refusal(FAILED, self.method)
