"""An ASGI application in the place of a handler."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Coroutine
from typing import Any

from .._core.outcomes import raised
from ..events import NOTHING
from .http import Exchange
from .scope import http_scope
from .sockets import serve_websocket

__all__ = ["Host"]


class Host:
    """A host calls an ASGI application for each request below the path of its mount."""

    def __init__(self, application: Any, prefix: str, settings: dict[str, Any]) -> None:
        self.application = application
        self.prefix = prefix
        self.settings = settings
        """The handshakes of websockets that are served."""
        self.state: dict[str, Any] = {}
        """The state that the lifespan has set; each request gets a copy."""
        self._running = 0
        self._idle: asyncio.Event | None = None
        # Lists of routes show this name.
        self.__qualname__ = f"mount of {type(application).__qualname__}"

    def __str__(self) -> str:
        return f"The application mounted at {self.prefix or '/'!r}"

    async def __call__(self, app: Any, request: Any, response: Any) -> Any:
        """Answer a request for `app`; return the response.

        Raises the exceptions of the application, if it has not sent a response yet.
        """
        if (
            "request" in app.hooks
            and (sent := app.hook("request", request, response)) is not NOTHING
            and await sent
        ):
            return response
        if request.upgrade is not None and is_websocket(request):
            return await self._counted(serve_websocket(self, app, request, response))
        exchange = Exchange(self, app, request, response)
        scope = http_scope(request, self.prefix, self.state)
        called = self.application(scope, exchange.receive, exchange.send)
        return await self._counted(finish(exchange, called))

    async def _counted(self, serving: Coroutine[Any, Any, Any]) -> Any:
        self._running += 1
        try:
            return await serving
        finally:
            self._running -= 1
            if self._idle is not None and not self._running:
                self._idle.set()

    async def go_on(self, exchange: Exchange, begun: Awaitable[Any] | None) -> Any:
        """Continue a request that the native core has begun; return the response.

        `begun` is the rest of the application's coroutine; None if the application has returned.
        """
        app, request, response = exchange.app, exchange.request, exchange.response
        try:
            return await self._counted(finish(exchange, begun))
        except BaseException as error:  # noqa: BLE001 - the cycle handles it
            return await app._cycle(request, response, True, (self, raised(error)))  # noqa: SLF001

    async def until_idle(self) -> None:
        """Wait until all requests have ended: applications may run on after their responses."""
        if self._running:
            self._idle = asyncio.Event()
            await self._idle.wait()


async def finish(exchange: Exchange, called: Awaitable[Any] | None) -> Any:
    """Await an application; return the response, or raise the error to answer."""
    try:
        if called is not None:
            await called
    except BaseException as error:
        if exchange.take_error(error):
            raise
        return exchange.response
    return exchange.ended()


def is_websocket(request: Any) -> bool:
    """Tell whether a request asks for a websocket (RFC 6455 4.2.1)."""
    names = request.upgrade.lower().split(",")
    return request.method == "GET" and "websocket" in map(str.strip, names)
