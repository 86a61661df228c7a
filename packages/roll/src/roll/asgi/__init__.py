"""ASGI: an application of Roll on other ASGI servers."""

from .serve import serve_scope

__all__ = ["serve_scope"]
