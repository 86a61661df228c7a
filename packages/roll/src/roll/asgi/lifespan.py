"""The life of an application, as an ASGI server tells it."""

from __future__ import annotations

from typing import Any

__all__ = ["serve_lifespan"]


async def serve_lifespan(app: Any, receive: Any, send: Any) -> None:
    """Start the application up, and shut it down, when the server says so."""
    await receive()  # lifespan.startup
    try:
        await app.startup()
    except Exception as error:
        await send({"type": "lifespan.startup.failed", "message": repr(error)})
        raise
    await send({"type": "lifespan.startup.complete"})
    await receive()  # lifespan.shutdown
    await app.shutdown()  # logs what its listeners raise
    await send({"type": "lifespan.shutdown.complete"})
