"""Listening sockets and graceful shutdown."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import socket
import ssl
import sys
import threading
import warnings
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from operator import methodcaller
from typing import Any
from weakref import WeakSet

from .connection.protocol import HTTPProtocol
from .connection.registry import ConnectionRegistry, fail
from .limits import Limits

logger = logging.getLogger("roll_http")

__all__ = ["Server", "serve_until_signalled", "throttle_accept_errors"]

# How many connections may wait to be accepted. asyncio would also accept that many in a row, and
# when file descriptors run out it logs each: that loop keeps to asyncio's own number.
BACKLOG = 2048
ACCEPTED_IN_A_ROW = 100

# Turns of the loop in which a connection just accepted is made, and what its socket holds is read.
LAST_TURNS = 6

# Turns in which asyncio makes the transport of a connection that it has accepted.
ACCEPT_TURNS = 2

# Seconds for the first requests of the last connections, when the server has drained.
FIRST_REQUESTS = 0.05

# Seconds for the TLS handshakes that have begun when the server stops.
LAST_HANDSHAKES = 1.0

# What asyncio says when it can't accept for want of file descriptors or memory.
ACCEPT_ERROR = "socket.accept() out of system resource"
# What it then tries again a second later, a hundred times, though the server was closed since.
ACCEPT_AGAIN = "_start_serving"
ACCEPT_ERROR_INTERVAL = 1.0


# Whoever bound a Unix socket may serve on: from Python 3.13, asyncio would remove its file.
UNIX_OPTIONS: dict[str, Any] = {"cleanup_socket": False} if sys.version_info >= (3, 13) else {}


class Server:
    """Serves the connections of listening sockets, in the running loop.

    `factory` makes the protocol of a connection; `tls` is the context for TLS, if any.
    """

    def __init__(
        self,
        factory: Callable[[], HTTPProtocol],
        limits: Limits | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._factory = factory
        self._limits = limits or Limits()
        self._tls = tls
        self._servers: list[asyncio.Server] = []
        self._draining = False  # each connection has one more request
        self._arriving: WeakSet[HTTPProtocol] = WeakSet()  # over TLS, before the handshake's end

    @property
    def sockets(self) -> tuple[Any, ...]:
        """The listening sockets."""
        return tuple(sock for server in self._servers for sock in server.sockets)

    @property
    def connections(self) -> Iterator[HTTPProtocol]:
        """The connections it accepted that are still open."""
        for connection in ConnectionRegistry.running():
            if isinstance(connection, HTTPProtocol) and connection.owner is self:
                yield connection

    async def listen(self, host: str, port: int) -> None:
        """Listen on an address; a port of 0 takes a free one. Raises `OSError` when it can't."""
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
        for sock in server.sockets:
            with contextlib.suppress(OSError), sock.dup() as duplicate:
                duplicate.listen(BACKLOG)

    def _connect(self) -> asyncio.Protocol:
        try:
            protocol = self._factory()
        except Exception:  # the loops would say nothing, and leave the connection as it is
            logger.exception("No protocol could be made for a connection")
            return _Nobody()
        protocol.owner = self
        protocol.must_close = self._draining
        if self._tls is not None:
            self._arriving.add(protocol)
        return protocol

    async def stop(self, graceful_timeout: float | None = None) -> None:
        """Stop accepting, let the running requests end, and close every connection.

        Connections that wait to be accepted are accepted first, and idle ones are read once more:
        a request that was sent is answered. What still runs after `graceful_timeout` seconds (by
        default the limits') is cancelled, and its connection aborted. To `drain` first spares
        those whose request is still on its way.
        """
        timeout = self._limits.graceful_timeout if graceful_timeout is None else graceful_timeout
        self._announce_end()
        await self._stop_accepting()
        if self._draining:
            await self._all_gone(FIRST_REQUESTS)
        try:
            async with asyncio.timeout(timeout):
                await self._close_connections()
        except TimeoutError:
            await self.stop_now()

    async def drain(self, seconds: float) -> None:
        """Go on serving for so long, but let each answer be the last of its connection.

        A connection that is closed while it is idle may cross a request on its way, which is
        lost (RFC 9112 9.5): a proxy that keeps connections open answers its client 502. So
        whoever stops while others go on serving drains first. Nobody waits where no connection
        is open.
        """
        self._draining = True
        self._announce_end()
        if any(self.connections):
            await asyncio.sleep(seconds)

    def _announce_end(self) -> None:
        """Have each connection say that its next answer is its last."""
        for connection in self.connections:
            connection.must_close = True

    async def retire(self, seconds: float) -> None:
        """Do what `drain` does, under its old name."""
        warnings.warn("Server.retire is now Server.drain", DeprecationWarning, stacklevel=2)
        await self.drain(seconds)

    async def stop_now(self) -> None:
        """Cancel what runs, and abort every connection."""
        for server in self._servers:
            server.close()
        self._tell_all(methodcaller("cancel"))
        await self._all_gone(1)

    def _tell_all(self, what: Callable[[HTTPProtocol], Any]) -> None:
        for connection in self.connections:
            try:
                what(connection)
            except Exception:  # noqa: BLE001 - the other connections are still to be told
                fail(connection)

    async def _all_gone(self, seconds: float) -> None:
        """Wait until no connection is left, for so long at most."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while any(self.connections):
                    await ConnectionRegistry.running().changed()

    async def _close_connections(self) -> None:
        self._announce_end()
        while True:
            for _ in range(LAST_TURNS):
                await asyncio.sleep(0)
            self._tell_all(methodcaller("shutdown"))
            if not any(self.connections):
                return
            await ConnectionRegistry.running().changed()

    async def _stop_accepting(self) -> None:
        await self._stop_reading()
        # Closing a listening socket resets the connections that wait in it: its duplicate keeps
        # it open until they are taken out.
        duplicates = []
        for sock in self.sockets:
            with contextlib.suppress(OSError):  # no descriptor is left: who waits there is lost
                duplicates.append(sock.dup())
        for server in self._servers:
            server.close()
        accepted = [sock for duplicate in duplicates for sock in _accept_all(duplicate)]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LAST_HANDSHAKES):
                taken = [self._take_connection(sock) for sock in accepted]
                await asyncio.gather(*taken, return_exceptions=True)  # whoever left has left
                await self._end_handshakes()

    async def _stop_reading(self) -> None:
        """Have asyncio's own loop accept nothing more, and finish what it has accepted.

        It accepts a connection in one turn of the loop, and makes its transport in a task, which
        fails when the server was closed in between. uvloop does both at once.
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
        while any(not connection.made for connection in self._arriving):
            await ConnectionRegistry.running().changed()


class _Nobody(asyncio.Protocol):
    """Has nothing to do with a connection."""

    def connection_made(self, transport: Any) -> None:
        transport.abort()


def _accept_all(listener: socket.socket) -> Iterator[socket.socket]:
    listener.setblocking(False)
    with listener, contextlib.suppress(OSError):
        while True:
            accepted, _ = listener.accept()
            accepted.setblocking(False)
            yield accepted


def throttle_accept_errors(loop: asyncio.AbstractEventLoop) -> None:
    """Report a want of file descriptors once a second, instead of hundreds of times.

    Everything else goes to the exception handler that was set before.
    """
    previous = loop.get_exception_handler()
    last = float("-inf")

    def handle(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        nonlocal last
        message = context.get("message", "")
        if ACCEPT_AGAIN in message:
            return
        if message == ACCEPT_ERROR:
            now = loop.time()
            if now - last < ACCEPT_ERROR_INTERVAL:
                return
            last = now
        if previous is None:
            loop.default_exception_handler(context)
        else:
            previous(loop, context)

    loop.set_exception_handler(handle)


@contextlib.asynccontextmanager
async def signalled(*signals: signal.Signals) -> AsyncIterator[asyncio.Queue[signal.Signals]]:
    """A queue of the signals that come, instead of what they would do by themselves.

    Once one has come, SIGTERM stays ignored until the loop is closed. Outside of the main thread
    none ever come.
    """
    loop = asyncio.get_running_loop()
    queue: asyncio.Queue[signal.Signals] = asyncio.Queue()
    told = False

    def take(number: signal.Signals) -> None:
        nonlocal told
        told = True
        queue.put_nowait(number)

    if threading.current_thread() is not threading.main_thread():
        signals = ()
    for number in signals:
        loop.add_signal_handler(number, take, number)
    try:
        yield queue
    finally:
        for number in signals:
            if told and number is signal.SIGTERM:
                loop.add_signal_handler(number, _ignore)
            else:
                loop.remove_signal_handler(number)


def _ignore() -> None:
    """Do nothing about a signal."""


async def serve_until_signalled(server: Server) -> None:
    """Serve until SIGINT or SIGTERM, then stop gracefully; SIGQUIT or a second SIGINT hurries.

    Who hurries cancels the requests that run. A SIGTERM that is repeated changes nothing, until
    the loop is closed: what follows, as an application's own shutdown, is not interrupted either.
    In another thread than the main one, which gets the signals, it serves until it is cancelled.
    """
    async with signalled(signal.SIGINT, signal.SIGTERM, signal.SIGQUIT) as queue:
        first = await queue.get()
        stopping = asyncio.ensure_future(server.stop(0 if first is signal.SIGQUIT else None))
        hurry = asyncio.ensure_future(_hurried(queue))
        await asyncio.wait({stopping, hurry}, return_when=asyncio.FIRST_COMPLETED)
        if not stopping.done():
            stopping.cancel()
            await server.stop_now()
        hurry.cancel()


async def _hurried(queue: asyncio.Queue[signal.Signals]) -> None:
    while await queue.get() is signal.SIGTERM:
        pass
