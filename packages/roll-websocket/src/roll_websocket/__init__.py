"""WebSocket connections (RFC 6455) on asyncio, on the Sans-I/O layer of `websockets`."""

from roll_websocket.broadcast import broadcast
from roll_websocket.checks import check_protocol
from roll_websocket.codec import Codec, StrictJSON
from roll_websocket.errors import ConnectionClosed, HandshakeError, InvalidMessage
from roll_websocket.handshake import HandshakeRequest
from roll_websocket.listener import Listener
from roll_websocket.options import check_options
from roll_websocket.protocol import WSProtocol

__all__ = [
    "Codec",
    "ConnectionClosed",
    "HandshakeError",
    "HandshakeRequest",
    "InvalidMessage",
    "Listener",
    "StrictJSON",
    "WSProtocol",
    "__version__",
    "broadcast",
    "check_options",
    "check_protocol",
]

__version__ = "0.1.0"
