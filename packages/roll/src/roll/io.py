"""Names, for those who import the messages from here."""

from roll_http import Response

from .request import Request

__all__ = ["Request", "Response"]
