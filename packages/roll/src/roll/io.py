"""Names, for those who import the messages from here."""

from .request import Request
from .response import Response

__all__ = ["Request", "Response"]
