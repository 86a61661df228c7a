"""A single ASGI application on Roll's own server."""

from __future__ import annotations

from typing import Any

from .application import Roll

__all__ = ["alone"]


def alone(application: Any) -> Roll:
    """Return a `Roll` that serves one ASGI application at `/` and nothing else."""
    app = Roll()
    app.mount("/", application)
    return app
