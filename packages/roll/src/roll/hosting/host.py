"""An application of ASGI in the place of a handler."""

from __future__ import annotations

import asyncio
from typing import Any

from ..events import NOTHING
from .http import Exchange
from .scope import http_scope
from .sockets import serve_websocket

__all__ = ["Host"]


class Host:
    """Calls an application of ASGI for each request below the path where it is mounted."""

    def __init__(self, application: Any, prefix: str, settings: dict[str, Any]) -> None:
        self.application = application
        self.prefix = prefix
        self.settings = settings
        """Those of the handshakes of websockets."""
        self.state: dict[str, Any] = {}
        """What its lifespan has set; each request gets a copy."""
        self._running = 0
        self._idle: asyncio.Event | None = None
        # For lists of routes.
        self.__qualname__ = f"mount of {type(application).__qualname__}"

    def __str__(self) -> str:
        return f"The application mounted at {self.prefix or '/'!r}"

    async def __call__(self, app: Any, request: Any, response: Any) -> Any:
        """Answer a request, as `app` would; return the response.

        Raises what the application raises before it has sent a response.
        """
        if (
            "request" in app.hooks
            and (sent := app.hook("request", request, response)) is not NOTHING
            and await sent
        ):
            return response
        self._running += 1
        try:
            if request.upgrade is not None and is_websocket(request):
                return await serve_websocket(self, app, request, response)
            return await self._serve(app, request, response)
        finally:
            self._running -= 1
            if self._idle is not None and not self._running:
                self._idle.set()

    async def _serve(self, app: Any, request: Any, response: Any) -> Any:
        exchange = Exchange(self, app, request, response)
        scope = http_scope(request, self.prefix, self.state)
        try:
            await self.application(scope, exchange.receive, exchange.send)
        except BaseException as error:  # noqa: BLE001 - raised again, or logged
            return exchange.failed(error)
        return exchange.ended()

    async def until_idle(self) -> None:
        """Wait until no request is served: applications may run behind their responses."""
        if self._running:
            self._idle = asyncio.Event()
            await self._idle.wait()


def is_websocket(request: Any) -> bool:
    """Tell whether a request asks for a websocket (RFC 6455 4.2.1)."""
    names = request.upgrade.lower().split(",")
    return request.method == "GET" and "websocket" in map(str.strip, names)
