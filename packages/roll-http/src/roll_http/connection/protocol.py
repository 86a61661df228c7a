"""One connection: the callbacks of asyncio become transitions of its state.

`h1/state.py` lists the states, and which state may follow which. `pipeline.py` answers the
requests, `ending.py` ends the connection.
"""

from __future__ import annotations

import asyncio
import warnings
from contextvars import copy_context
from typing import Any, cast

from .._core import is_native
from ..application import Application
from ..errors import ClientDisconnected
from ..h1.head import RequestError
from ..h1.state import ANSWERING, CLOSED, CLOSING, HEAD, IDLE, LINGERING, SKIPPING_BODY, SWITCHED
from ..limits import NEVER, Limits
from .gone import add_advice, refuse_gone
from .incoming_body import CLIENT_GONE
from .pipeline import PipelinedConnection
from .reader import Reader
from .registry import ConnectionRegistry
from .writer import Writer

__all__ = ["HTTPProtocol"]


class HTTPProtocol(PipelinedConnection, asyncio.Protocol):
    """One connection of an `Application`.

    For each request, the connection makes an `app.Request` and an `app.Response`, awaits
    `app(request, response)` in a task and a context of their own, and sends the response that the
    application returns.
    """

    owner: object = None
    """The server that accepted the connection, and that will end it."""

    def __init__(self, app: Application) -> None:
        super().__init__(app)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        refuse_gone(cls)

    @property
    def made(self) -> bool:
        """Whether the connection is established, its TLS handshake included."""
        return hasattr(self, "transport")

    @property
    def secure(self) -> bool:
        """Whether the connection uses TLS."""
        return self.transport.get_extra_info("sslcontext") is not None

    @property
    def switched(self) -> bool:
        """Whether the connection was handed over to another protocol."""
        return self.state == SWITCHED

    @property
    def last(self) -> bool:
        """The old name of `must_close`; deprecated."""
        _warn_of_last()
        return self.must_close

    @last.setter
    def last(self, value: bool) -> None:
        _warn_of_last()
        self.must_close = value

    # Callbacks of asyncio. asyncio would hide an error of this package: end the connection.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin a new connection."""
        self.transport = cast(asyncio.Transport, transport)
        self._loop = _loop_of(self.app)
        try:
            self._open()
        except Exception:  # noqa: BLE001
            self.fail()

    def _open(self) -> None:
        self.registry = registry = ConnectionRegistry.of(self._loop)
        _check_limits(self.limits)
        self.writer = Writer(self.transport)
        self.reader = Reader(self.transport, self.limits)
        self._context = copy_context()
        most = self.limits.connections
        full = most is not None and registry.count(self.app) >= most
        registry.add(self, self.limits.shortest_timeout, self._loop)
        opened = getattr(self.owner, "opened", None)  # only a `Server` has it
        if opened is not None:
            opened(self)
        self.read_deadline = registry.now + self.limits.keep_alive_timeout
        try:
            self._peer = address_of(self.transport)
        except OSError:  # the client has reset the connection already
            self.transport.abort()
            return
        if full:
            self.refuse(RequestError(503, "Too many connections"))

    def _receive(self, data: bytes) -> None:
        """Handle bytes from the client, for `data_received`."""
        try:
            state = self.state
            if state <= HEAD:
                self.reader.receive(data)
                self._advance()
            elif state <= SKIPPING_BODY:
                self.reader.receive(data)
                if self.reader.in_body:
                    self.feed_body()
                else:
                    self.reader.update_reading()
            elif state == LINGERING:
                self._drop(data)
        except Exception:  # noqa: BLE001
            self.fail()

    if not is_native:
        data_received = _receive  # without the call that the base class would cost

    def eof_received(self) -> bool:
        """Handle the end of the client's input; return True to keep the connection for an answer.

        A request that the client has sent is still answered: bytes and files are sent to their
        end, a stream is cancelled. Over TLS the connection ends, because asyncio has no
        half-closed TLS connections.
        """
        waits = False
        try:
            self._notice_gone()
            asked = self.state == ANSWERING or (self.state == IDLE and self.reader.has_bytes)
            waits = asked and not self.secure
            if not waits and self.state < CLOSING:
                self._begin_closing()
        except Exception:  # noqa: BLE001
            self.fail()
        return waits

    def connection_lost(self, exc: Exception | None) -> None:
        """Handle the end of the connection."""
        if self.state != SWITCHED:
            self.state = CLOSED
        self.read_deadline = self.write_deadline = NEVER
        self.registry.discard(self)
        try:
            self.writer.lose()
            self.reader.close()
            self._notice_gone()
            self.reader.body = None  # it knows this connection: a cycle of references
        except Exception:  # noqa: BLE001
            self.fail()

    def _notice_gone(self) -> None:
        self.gone = True
        if self.reader.body is not None:
            self.reader.body.lose(CLIENT_GONE)
        if self._exchange is not None:
            self._exchange.notice_gone()
        if self.on_gone is not None:
            self.on_gone()

    def pause_writing(self) -> None:
        """Stop writing: the client reads slowly, and the transport's buffer is full."""
        try:
            self.writer.paused = True
            self._watch_writing()
            self._read_unread()
        except Exception:  # noqa: BLE001
            self.fail()

    def resume_writing(self) -> None:
        """Write on: the client has read enough of the transport's buffer."""
        try:
            self.stop_watching()
            self.writer.resume()
            # Not now: asyncio calls `connection_lost` twice if this callback closes the transport.
            self._advance_soon()
        except Exception:  # noqa: BLE001
            self.fail()

    # Upgrades.

    def switch(self, protocol: asyncio.Protocol, head: bytes = b"") -> None:
        """Hand the connection over to another protocol, for an upgrade (RFC 9110 7.8).

        Call it while the request is answered. `head`, the 101 response, is written; then
        `protocol` gets the transport, and the bytes that followed the request. The server keeps
        track of the connection until the application returns; what the application returns is
        not sent. At a graceful shutdown, the server calls the protocol's `shutdown()`, if it has
        one.

        Raises:
            ClientDisconnected: the connection is closed, or closing.
            RuntimeError: no request is being answered, another protocol has the connection, or the
                request's body has not been read to its end. Nothing was written then.
            TypeError: `head` is not bytes, or `protocol` is not an asyncio protocol.
        """
        _check_switch(protocol, head)
        if self.state in {IDLE, HEAD, SKIPPING_BODY, SWITCHED}:
            raise RuntimeError(
                "No request is being answered on this connection, so it cannot be switched"
            )
        if self.state != ANSWERING or self.transport.is_closing():
            raise ClientDisconnected("The client has gone")
        self._check_whole()
        self._successor = protocol
        self.state = SWITCHED
        self.writer.uncork()
        self.writer.write(head)
        self.read_deadline = self.write_deadline = NEVER
        unread = self.reader.forget()
        self.reader.update_reading()
        self.transport.set_protocol(protocol)
        try:
            self._begin_successor(protocol, unread)
        except BaseException:  # otherwise nothing would close the transport
            self.abort()
            raise

    def _check_whole(self) -> None:
        """Check that the whole request has arrived: the other protocol begins after it."""
        body = self.reader.body
        if body is None or body.complete:
            return
        if self.gone:
            raise ClientDisconnected(CLIENT_GONE)
        raise RuntimeError(
            "The body of the request has not arrived: `await request.read()` before `switch`,"
            " because the other protocol begins after the whole request"
        )

    def _begin_successor(self, protocol: asyncio.Protocol, unread: bytes) -> None:
        protocol.connection_made(self.transport)
        if unread:
            protocol.data_received(unread)
        if self.gone and not protocol.eof_received():
            self.transport.close()


def _check_limits(limits: Any) -> None:
    if not isinstance(limits, Limits):
        kind = type(limits).__name__
        raise TypeError(f"The `limits` of an application are a roll_http.Limits, not {kind}")


def _check_switch(protocol: Any, head: Any) -> None:
    if not isinstance(head, bytes | bytearray | memoryview):
        raise TypeError(f"The head of a switch is bytes, not {type(head).__name__}")
    if isinstance(protocol, type) or not hasattr(protocol, "connection_made"):
        raise TypeError(
            f"{protocol!r} is not an asyncio.Protocol object, so it cannot take over a connection"
        )


def _warn_of_last() -> None:
    warnings.warn("HTTPProtocol.last is now must_close", DeprecationWarning, stacklevel=3)


add_advice(HTTPProtocol)


def _loop_of(app: Any) -> asyncio.AbstractEventLoop:
    """Return the running loop; before it runs, as in a test's set-up, the application's own."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        loop: asyncio.AbstractEventLoop | None = getattr(app, "loop", None)
        if loop is None:
            raise
        return loop


def address_of(transport: asyncio.BaseTransport) -> tuple[str, int] | None:
    """Return the address of a client, host and port; None over a Unix socket.

    Raises:
        OSError: the client has gone, so that its address is unknown.
    """
    try:
        address = transport.get_extra_info("peername")
    except ValueError as error:  # uvloop, when the transport is closed
        raise ConnectionResetError("The client has gone") from error
    if isinstance(address, tuple):
        return address[0], address[1]
    # A client without an address would pass for one that comes through a Unix socket.
    if isinstance(transport.get_extra_info("sockname"), tuple):
        raise ConnectionResetError("The client has gone")
    return None
