"""The command `roll`: serve an application, list its routes, check it for production."""

from .main import main

__all__ = ["main"]
