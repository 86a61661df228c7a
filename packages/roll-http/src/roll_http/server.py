"""Listening sockets and graceful shutdown."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import ssl
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator
from operator import methodcaller
from typing import Any
from weakref import WeakSet

from .application import check_application
from .callables import is_plain, takes
from .connection.protocol import HTTPProtocol
from .connection.registry import ConnectionRegistry, fail
from .limits import Limits, check

logger = logging.getLogger("roll_http")

__all__ = ["Server"]

# How many connections may wait to be accepted.
BACKLOG = 2048
# asyncio takes its own backlog also for the number of connections to accept in a row. When file
# descriptors run out, it logs an error for each. So asyncio gets its own default.
ACCEPTED_IN_A_ROW = 100

# The turns of the loop needed to set up an accepted connection and to read its socket.
LAST_TURNS = 6

# The turns of the loop that asyncio needs to make the transport of an accepted connection.
ACCEPT_TURNS = 2

# Seconds that a connection accepted since `drain` gets for its request, if `drain` was shorter.
FIRST_REQUESTS = 0.05

# Seconds that the TLS handshakes in progress get when the server stops.
LAST_HANDSHAKES = 1.0

# Other processes may still serve a Unix socket: from Python 3.13, asyncio would remove its file.
UNIX_OPTIONS: dict[str, Any] = {"cleanup_socket": False} if sys.version_info >= (3, 13) else {}


class Server:
    """A server for the connections of listening sockets, in the running loop.

    `factory` makes the protocol of a connection; `tls` is the context for TLS, if any.

    Raises:
        ValueError: `factory` is not a plain function or needs arguments, or `limits` or `tls` have
            a wrong type.
    """

    def __init__(
        self,
        factory: Callable[[], HTTPProtocol],
        limits: Limits | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        if not is_plain(factory):
            raise ValueError(f"The factory of protocols is a plain function, not {factory!r}")
        if limits is not None and not isinstance(limits, Limits):
            raise ValueError(f"`limits` cannot be {limits!r}: write `Limits(...)`")
        if tls is not None and not isinstance(tls, ssl.SSLContext):
            raise ValueError(f"`tls` is not {tls!r}: write `ssl.create_default_context(...)`")
        if not takes(factory, 0):
            raise ValueError(f"The factory of protocols is called without arguments: {factory!r}")
        self._factory = factory
        self._limits = limits or Limits()
        self._tls = tls
        self._servers: list[asyncio.Server] = []
        self._checked = False  # the application, at the first connection
        self._ending = False  # each connection gets one more response
        self._drained: float | None = None  # the seconds of `drain`, once it was called
        self._late: WeakSet[HTTPProtocol] = WeakSet()  # made since then
        self._arriving: WeakSet[HTTPProtocol] = WeakSet()  # over TLS, until the handshake is done

    @property
    def sockets(self) -> tuple[Any, ...]:
        """The listening sockets."""
        return tuple(sock for server in self._servers for sock in server.sockets)

    @property
    def connections(self) -> Iterator[HTTPProtocol]:
        """The open connections that this server accepted."""
        for connection in ConnectionRegistry.running():
            if isinstance(connection, HTTPProtocol) and connection.owner is self:
                yield connection

    async def listen(self, host: str, port: int) -> None:
        """Listen on an address; a port of 0 takes a free one.

        Raises:
            OSError: the address can't be bound.
        """
        loop = asyncio.get_running_loop()
        server = await loop.create_server(
            self._connect, host, port, backlog=ACCEPTED_IN_A_ROW, **self._tls_options
        )
        self._take(server)

    async def serve(self, sockets: Iterable[socket.socket]) -> None:
        """Accept the connections of sockets that are bound already."""
        loop = asyncio.get_running_loop()
        for sock in sockets:
            create, options = loop.create_server, self._tls_options
            if sock.family == getattr(socket, "AF_UNIX", None):
                create = loop.create_unix_server  # type: ignore[assignment]  # same arguments
                options |= UNIX_OPTIONS
            server = await create(self._connect, sock=sock, backlog=ACCEPTED_IN_A_ROW, **options)
            self._take(server)

    @property
    def _tls_options(self) -> dict[str, Any]:
        if self._tls is None:
            return {}
        return {"ssl": self._tls, "ssl_handshake_timeout": self._limits.tls_handshake_timeout}

    def _take(self, server: asyncio.Server) -> None:
        self._servers.append(server)
        self._ending = False
        for sock in server.sockets:
            with contextlib.suppress(OSError), sock.dup() as duplicate:
                duplicate.listen(BACKLOG)

    def _check(self, protocol: Any) -> None:
        """Raise `TypeError` if the application lacks a member; checked once, not per request."""
        if isinstance(protocol, HTTPProtocol):
            check_application(protocol.app)
        self._checked = True

    def _connect(self) -> asyncio.Protocol:
        try:
            protocol = self._factory()
            if not self._checked:
                self._check(protocol)
            protocol.owner = self
        except Exception:  # the loops would not log it, and would leave the connection open
            logger.exception("No protocol could be made for a connection")
            return _Abort()
        if self._tls is not None:
            self._arriving.add(protocol)
        return protocol

    def opened(self, connection: HTTPProtocol) -> None:
        """Note a new connection, which calls this.

        The loops make a connection some turns after its protocol, and over TLS after the
        handshake. Meanwhile, the end may have been announced to the others.
        """
        if self._ending:
            connection.must_close = True
        if self._drained is not None:
            self._late.add(connection)

    async def stop(self, graceful_timeout: float | None = None) -> None:
        """Stop accepting, let the running requests end, and close every connection.

        Connections that wait to be accepted are accepted first. Idle connections are read once
        more, so that a request that has arrived is answered. After `graceful_timeout` seconds (by
        default that of the limits), the requests that still run are cancelled, and their
        connections are aborted. Call `drain` first to spare requests that are still on the way.
        Raises `ValueError` for a timeout that is not a number of seconds.
        """
        timeout = self._limits.graceful_timeout if graceful_timeout is None else graceful_timeout
        check("graceful_timeout", "float", timeout)  # before anything is stopped
        self._announce_end()
        await self._stop_accepting()
        try:
            async with asyncio.timeout(timeout):
                await self._answer_late()
                await self._close_connections()
        except TimeoutError:
            await self.stop_now()

    async def drain(self, seconds: float) -> None:
        """Serve for `seconds` more, but close each connection after its next response.

        Closing an idle connection can race with a new request, which is then lost (RFC 9112 9.5):
        a proxy that keeps connections open answers 502. So drain before `stop` when other
        processes go on serving. Without open connections, return at once. A connection that is
        accepted from now on has `seconds` for its request, also after `stop` is called.
        Raises `ValueError` if `seconds` is not a number of seconds.
        """
        check("seconds", "float", seconds)
        self._drained = seconds
        self._announce_end()
        if any(self.connections):
            await asyncio.sleep(seconds)

    def _announce_end(self) -> None:
        """Make the next response of each connection say `Connection: close`."""
        self._ending = True
        for connection in self.connections:
            connection.must_close = True

    async def retire(self, seconds: float) -> None:
        """Call `drain`; deprecated, its old name."""
        warnings.warn("Server.retire is now Server.drain", DeprecationWarning, stacklevel=2)
        await self.drain(seconds)

    async def stop_now(self) -> None:
        """Cancel the running requests, and abort every connection."""
        for server in self._servers:
            server.close()
        self._call_on_all(methodcaller("cancel"))
        await self._all_gone(1)

    def _call_on_all(self, method: Callable[[HTTPProtocol], Any]) -> None:
        for connection in self.connections:
            try:
                method(connection)
            except Exception:  # noqa: BLE001 - the call on the other connections must follow
                fail(connection)

    async def _all_gone(
        self, seconds: float, wanted: Callable[[HTTPProtocol], bool] = lambda _: True
    ) -> None:
        """Wait until none of the wanted connections is left, `seconds` at most."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while any(map(wanted, self.connections)):
                    await ConnectionRegistry.running().changed()

    async def _answer_late(self) -> None:
        """Wait until the connections accepted since `drain` are answered, or had their time."""
        if self._drained is not None:
            late = self._late
            await self._all_gone(max(FIRST_REQUESTS, self._drained), lambda one: one in late)

    async def _close_connections(self) -> None:
        self._announce_end()
        while True:
            for _ in range(LAST_TURNS):
                await asyncio.sleep(0)
            self._call_on_all(methodcaller("shutdown"))
            if not any(self.connections):
                return
            await ConnectionRegistry.running().changed()

    async def _stop_accepting(self) -> None:
        await self._stop_reading()
        # Closing a listening socket resets the connections that wait in it. A duplicate keeps the
        # socket open until these are accepted.
        duplicates = []
        for sock in self.sockets:
            with contextlib.suppress(OSError):  # no descriptor is left: these connections are lost
                duplicates.append(sock.dup())
        for server in self._servers:
            server.close()
        accepted = [sock for duplicate in duplicates for sock in _accept_all(duplicate)]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LAST_HANDSHAKES):
                taken = [self._take_connection(sock) for sock in accepted]
                await asyncio.gather(*taken, return_exceptions=True)  # some clients have left
                await self._end_handshakes()

    async def _stop_reading(self) -> None:
        """Let asyncio's own loop accept nothing more, and finish what it has accepted.

        That loop accepts a connection in one turn, and makes its transport in a task, which fails
        when the server is closed in between. uvloop does both in one step.
        """
        loop = asyncio.get_running_loop()
        if isinstance(loop, asyncio.SelectorEventLoop):
            for sock in self.sockets:
                loop.remove_reader(sock.fileno())
            for _ in range(ACCEPT_TURNS):
                await asyncio.sleep(0)

    async def _take_connection(self, sock: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        await loop.connect_accepted_socket(self._connect, sock, **self._tls_options)

    async def _end_handshakes(self) -> None:
        while any(not getattr(connection, "made", True) for connection in self._arriving):
            await ConnectionRegistry.running().changed()


class _Abort(asyncio.Protocol):
    """A protocol that aborts its connection at once."""

    def connection_made(self, transport: Any) -> None:
        transport.abort()


def _accept_all(listener: socket.socket) -> Iterator[socket.socket]:
    listener.setblocking(False)
    with listener, contextlib.suppress(OSError):
        while True:
            accepted, _ = listener.accept()
            accepted.setblocking(False)
            yield accepted
