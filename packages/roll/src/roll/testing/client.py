"""A client in the process of the application: the real protocol, without a socket."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from email.message import Message
from types import TracebackType
from typing import Any, Final, Self

from ..application import Roll
from ..observe import when_answered
from .asked import Asked
from .connection import PATIENCE, InProcess, settle
from .exchanges import Exchanges
from .responses import parse_response
from .transport import Transport
from .unexpected import Seen, observed

__all__ = ["Client"]


ADDED: Final = {"Content-Length": int, "Content-Type": str}
"""The header fields that a connection adds to a response, with functions for their values."""


class Client(Exchanges):
    """A client that sends requests to an application, and returns its `Response` objects.

    `protocol` is the connection of the last request. `protocol.transport.data` has the exact bytes
    of the answer. `protocol.request` and `protocol.response` are those of the last request.

    `async with Client(app) as client` starts the application, and shuts it down at the end.
    """

    def __init__(self, app: Roll) -> None:
        super().__init__(app)
        self.protocol: Any = None

    async def __aenter__(self) -> Self:
        await self.app.startup()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.app.shutdown()

    @property
    def _host(self) -> str:
        return "127.0.0.1"

    @property
    def _unexpected(self) -> Seen:
        return Seen()

    async def _connect(self, seen: Seen) -> InProcess:
        self.protocol = self.app.factory()
        with observed(seen):
            return InProcess(self.protocol)

    async def _exchange(self, asked: Asked, seen: Seen) -> tuple[Any, Message]:
        """Send a request; return the application's `Response`, with the body that was sent.

        The client disconnects after its response, also after a 101: then the handler of the
        websocket has ended when this returns.
        """
        # Each request has its own connection, so that no data of another request remain. Another
        # request may replace the attribute before this one ends.
        self.protocol = protocol = self.app.factory()
        transport = Transport(protocol)
        answered: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        ends: list[Awaitable[Any]] = [transport.closed.wait(), transport.switched.wait()]
        if not hasattr(type(protocol), "on_answered"):  # a class without this event
            ends.append(transport.read_response(asked.method))
        over = [asyncio.ensure_future(end) for end in ends]
        when_answered(protocol, lambda *exchange: settle(answered, exchange))
        with observed(seen):
            protocol.connection_made(transport)
        ended = when_released(protocol)
        try:
            protocol.data_received(asked.head + asked.content)
            await asyncio.wait({answered, *over}, return_when=asyncio.FIRST_COMPLETED)
            current = (getattr(protocol, name, None) for name in ("request", "response"))
            request, response = answered.result()[:2] if answered.done() else current
            own = answered.done()  # a websocket is reported later, when it has ended
        finally:
            for waiting in over:
                waiting.cancel()
            await until_returned(protocol)
            transport.lose()
        if transport.switched.is_set():
            await see_out(protocol, ended)
        protocol.request, protocol.response = request, response
        if not own:  # another response was sent
            response = None
        return await self._response(response, protocol, transport.data, asked.method)

    async def _response(
        self, response: Any, protocol: Any, data: bytes, method: str
    ) -> tuple[Any, Message]:
        sent = await parse_response(data, method)
        if response is None:
            # The response of the application is not known: make one of the bytes that were sent.
            response = self.app.Response(self.app, protocol)
            response.status = sent.status
            response.headers.update(sent.headers)
        # The fields that the connection has added to describe the body.
        known = set(map(str.lower, response.headers))
        for name, convert in ADDED.items():
            if name in sent.headers and name.lower() not in known:
                response.headers[name] = convert(sent.headers[name])
        response.body = sent.body
        return response, sent.headers


def when_released(protocol: Any) -> asyncio.Future[None]:
    """Return a future that is done when a handler that took the connection over has ended.

    It is done at once for a class that does not report the end.
    """
    released = asyncio.get_running_loop().create_future()
    release = getattr(protocol, "release", None)
    if release is None:
        settle(released, None)
        return released

    def released_now() -> None:
        release()
        settle(released, None)

    protocol.release = released_now
    return released


async def see_out(protocol: Any, ended: asyncio.Future[None]) -> None:
    """Wait for the end of a handler whose connection has ended; cancel it if it is slow."""
    await asyncio.wait([ended], timeout=PATIENCE)
    if not ended.done():
        protocol.cancel()
        await asyncio.wait([ended], timeout=PATIENCE)


async def until_returned(protocol: Any) -> None:
    """Wait until mounted applications have ended: they may have background tasks."""
    ends = asyncio.get_running_loop().time() + PATIENCE
    while getattr(protocol, "responded", None) is not None:
        if asyncio.get_running_loop().time() > ends:
            return
        await asyncio.sleep(0)
