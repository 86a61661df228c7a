"""The bases of request, response and connection: a native core can take their place."""

from .bases import ConnectionBase, RequestBase, ResponseBase

__all__ = ["ConnectionBase", "RequestBase", "ResponseBase"]
