"""An application of ASGI by itself, on Roll's own server."""

from __future__ import annotations

from typing import Any

from .application import Roll

__all__ = ["alone"]


def alone(application: Any) -> Roll:
    """Return a `Roll` that serves nothing but an application of ASGI."""
    app = Roll()
    app.mount("/", application)
    return app
