"""The names of roll-websocket that applications import from `roll.websocket`."""

from roll_websocket import ConnectionClosed, InvalidMessage, WSProtocol, broadcast

__all__ = ["ConnectionClosed", "InvalidMessage", "WSProtocol", "broadcast"]
