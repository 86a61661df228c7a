"""The base classes of request, response and connection: a native core can replace them."""

from .bases import ConnectionBase, RequestBase, ResponseBase

__all__ = ["ConnectionBase", "RequestBase", "ResponseBase"]
