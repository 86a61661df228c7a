"""Names, for those who import the websocket's from here."""

from roll_websocket import ConnectionClosed, WSProtocol, broadcast

__all__ = ["ConnectionClosed", "WSProtocol", "broadcast"]
