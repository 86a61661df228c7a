"""The request and response classes, which applications import from `roll.io`."""

from .request import Request
from .response import Response

__all__ = ["Request", "Response"]
