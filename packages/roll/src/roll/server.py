"""The server of an application, whose graceful shutdown waits for the application's tasks."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from typing import Any

from roll_http import Server

__all__ = ["AppServer"]


class AppServer(Server):
    """A server for one application.

    `factory` makes the protocol of each connection; by default, the application's own does.
    """

    def __init__(
        self,
        app: Any,
        tls: ssl.SSLContext | None = None,
        factory: Callable[[], Any] | None = None,
    ) -> None:
        super().__init__(factory or app.factory, app.limits, tls)
        self._app = app
        self._stops = False
        app.running_servers.add(self)

    async def stop(self, graceful_timeout: float | None = None) -> None:
        """Stop the server gracefully, then wait for the tasks of the application.

        Give the notice of the stop first, unless another server goes on serving the application.
        Both steps together take at most `graceful_timeout` seconds; the default is that of the
        application's limits. The tasks continue while another server serves the application.
        """
        seconds = self._app.limits.graceful_timeout
        if graceful_timeout is not None:
            seconds = graceful_timeout
        self._stops = True
        if all(server._stops for server in self._app.running_servers):  # noqa: SLF001 - its own class
            self._app.kept_tasks.expect_end(seconds)
            self._app.stop_notice.give()
        await super().stop(seconds)
        if self._is_last:
            await self._app.kept_tasks.end(seconds)
        self._app.running_servers.discard(self)

    async def stop_now(self) -> None:
        """Cancel the running requests; with the last server, cancel the application's tasks."""
        await super().stop_now()
        if self._is_last:
            await self._app.kept_tasks.cancel()

    @property
    def _is_last(self) -> bool:
        return set(self._app.running_servers) <= {self}
