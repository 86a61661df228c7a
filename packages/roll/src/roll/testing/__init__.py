"""Clients for the tests of an application; `roll.testing.plugin` is the pytest plugin."""

from .client import Client
from .encoding import encode_multipart, encode_path
from .events import ReceivedEvent
from .live import LiveClient
from .responses import LiveResponse
from .sockets import ClientSocket, WebsocketRefused
from .streams import StreamedResponse
from .transport import Transport

__all__ = [
    "Client",
    "ClientSocket",
    "LiveClient",
    "LiveResponse",
    "ReceivedEvent",
    "StreamedResponse",
    "Transport",
    "WebsocketRefused",
    "encode_multipart",
    "encode_path",
]
