"""The lifespan of an application on an ASGI server."""

from __future__ import annotations

from typing import Any

__all__ = ["serve_lifespan"]


async def serve_lifespan(app: Any, receive: Any, send: Any) -> None:
    """Start the application, and shut it down, when the server asks for it."""
    await receive()  # lifespan.startup
    try:
        await app.startup()
    except Exception as error:
        await send({"type": "lifespan.startup.failed", "message": repr(error)})
        raise
    await send({"type": "lifespan.startup.complete"})
    await receive()  # lifespan.shutdown
    await app.shutdown()  # logs the exceptions of its listeners
    await send({"type": "lifespan.shutdown.complete"})
