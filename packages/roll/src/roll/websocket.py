"""Names, for those who import the websocket's from here."""

from roll_websocket import ConnectionClosed, InvalidMessage, WSProtocol, broadcast

__all__ = ["ConnectionClosed", "InvalidMessage", "WSProtocol", "broadcast"]
