"""ASGI: an application of Roll on the servers of others."""

from .serve import serve_scope

__all__ = ["serve_scope"]
