"""A message that many connections send."""

from typing import TYPE_CHECKING

from roll_websocket.frames import message_frame, packed_frame, plain_frame

if TYPE_CHECKING:
    from roll_websocket.deflate import Deflate

__all__ = ["Shared"]


class Shared:
    """A message, framed and compressed once for all that take the same frame."""

    def __init__(self, message: object) -> None:
        self.opcode, self.payload = message_frame(message)
        self.plain = plain_frame(self.opcode, self.payload)
        self.packed: dict[int, bytes] = {}

    def frame(self, deflate: "Deflate | None") -> bytes:
        """The frame for a connection; with compression, it has to `restart` when it sends it."""
        if deflate is None:
            return self.plain
        window = deflate.local_max_window_bits
        if window not in self.packed:
            self.packed[window] = packed_frame(self.opcode, deflate.pack_alone(self.payload))
        return self.packed[window]
