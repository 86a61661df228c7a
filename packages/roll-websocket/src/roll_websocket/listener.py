"""A listener that serves only WebSockets, on any asyncio server."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from roll_websocket.checks import check_grace, check_handlers, check_names, check_protocol
from roll_websocket.errors import HandshakeError
from roll_websocket.handshake import HandshakeRequest
from roll_websocket.opening import Opening
from roll_websocket.options import check_options
from roll_websocket.protocol import WSProtocol

__all__ = ["Handler", "Listener"]

LOGGER = logging.getLogger("roll_websocket")

LAST_SECOND = 1.0
"""Seconds for the cleanup of handlers that are cancelled a second time, by `stop`."""

Handler = Callable[[Any, Any], Awaitable[object]]
"""Called with the HandshakeRequest and the WSProtocol."""

Hook = Callable[[Any], Awaitable[None] | None]
"""Called with the HandshakeRequest."""


class Listener:
    """A protocol factory for `loop.create_server`, which runs `handler(request, ws)`.

    `handler` serves every path. A mapping of paths to handlers serves these paths; other paths
    get a 404. `process_request(request)`, a plain or an `async` function, may refuse a request:
    it raises HandshakeError, which is sent as the answer. After `TIMEOUT` seconds, the answer is a
    503. `options` are those of `WSProtocol.handshake`, for all connections.
    Raises ValueError for an unknown option, a value that cannot work, a handler that cannot be
    called, and for constants of `protocol` that cannot work.
    """

    def __init__(
        self,
        handler: Handler | Mapping[str, Handler],
        *,
        process_request: Hook | None = None,
        protocol: type[WSProtocol] = WSProtocol,
        **options: Any,
    ) -> None:
        check_protocol(protocol)
        check_names(protocol.handshake, options)
        check_options(options)
        check_handlers(handler, process_request)
        self.handler = handler
        self.process_request = process_request
        self.protocol = protocol
        self.options = options
        self.running: dict[asyncio.Task[None], WSProtocol] = {}
        self.openings: set[Opening] = set()
        self.stopped = False

    def __call__(self) -> asyncio.Protocol:
        """Return the protocol of a new connection."""
        return Opening(self)

    def check(self, request: HandshakeRequest) -> Awaitable[object] | None:
        """Raise HandshakeError to refuse a request. An awaitable result may raise it, too."""
        if isinstance(self.handler, Mapping) and request.path not in self.handler:
            raise HandshakeError(404, "There is no WebSocket at this path.")
        return None if self.process_request is None else self.process_request(request)

    def start(self, request: HandshakeRequest, ws: WSProtocol) -> None:
        """Run the handler in its own task."""
        task = asyncio.get_running_loop().create_task(self._run(request, ws))
        self.running[task] = ws
        task.add_done_callback(self.running.pop)

    async def _run(self, request: HandshakeRequest, ws: WSProtocol) -> None:
        """Run the handler, and log what it raises."""
        try:
            await ws.run(self._call(request, ws))
        except (KeyboardInterrupt, SystemExit, asyncio.CancelledError):
            raise
        except BaseException:  # an application may raise classes of its own
            LOGGER.exception("The handler of %s failed", request.path)

    def _call(self, request: HandshakeRequest, ws: WSProtocol) -> Awaitable[object]:
        """Call the handler. If the call fails, return an awaitable that raises its exception.

        This is not a coroutine, which would take 0.25 KiB of each connection.
        """
        handler = self.handler
        try:
            found = handler[request.path] if isinstance(handler, Mapping) else handler
            return found(request, ws)
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:  # noqa: BLE001 - raised again, and logged, by who awaits it
            return failed(error)

    async def stop(self, grace: float = 5) -> None:
        """Close all connections with 1001 and wait for their handlers.

        Handlers that still run after `grace` seconds are cancelled; `TIMEOUT` seconds later, their
        connections are aborted. A handler that does not end a second after that is given up, and
        the log has its path. Connections that are not yet WebSockets are closed, and new
        connections too. Raises ValueError if `grace` is not a number of seconds.
        """
        check_grace(grace)
        self.stopped = True
        for opening in tuple(self.openings):
            opening.transport.close()
        for ws in tuple(self.running.values()):
            ws.shutdown()
        for patience in (grace, self.protocol.TIMEOUT):
            await self._ended(patience)
            for task in self.running:
                task.cancel()
        await self._ended(LAST_SECOND)
        for ws in self.running.values():
            LOGGER.error("The handler of %s does not end when it is cancelled", ws.path)

    async def _ended(self, patience: float | None) -> None:
        """Wait until no handler runs, at most `patience` seconds."""
        if self.running:
            await asyncio.wait(self.running, timeout=patience)


async def failed(error: BaseException) -> None:
    """Raise an exception when awaited."""
    try:
        raise error
    finally:
        del error  # otherwise this frame refers to the error, which refers to this frame
