"""WebSocket connections on asyncio, on the Sans-I/O layer of websockets."""

__version__ = "0.1.0"
