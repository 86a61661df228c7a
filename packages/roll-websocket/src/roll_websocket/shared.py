"""A message that is sent to many connections."""

from typing import TYPE_CHECKING

from roll_websocket.frames import message_frame, packed_frame, plain_frame

if TYPE_CHECKING:
    from roll_websocket.deflate import Deflate

__all__ = ["Shared"]


class Shared:
    """A message, framed and compressed once for all connections with the same compression."""

    def __init__(self, message: object) -> None:
        self.opcode, self.payload = message_frame(message)
        self.plain = plain_frame(self.opcode, self.payload)
        self.packed: dict[int, bytes] = {}

    def frame(self, deflate: "Deflate | None") -> bytes:
        """Return the frame for a connection, which calls `deflate.restart()` when it sends it."""
        if deflate is None:
            return self.plain
        window = deflate.local_max_window_bits
        if window not in self.packed:
            self.packed[window] = packed_frame(self.opcode, deflate.pack_alone(self.payload))
        return self.packed[window]
