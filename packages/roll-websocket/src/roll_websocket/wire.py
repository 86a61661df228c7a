"""The protocol without I/O: bytes in, whole messages out.

The layer below parses frames, answers pings and closes. Three things are added here. Messages
are put together, within their limit and as valid UTF-8. What the layer refuses too early is let
through (a ping in a nearly full message, a close in the middle of one). And reading can be held
between two frames: a chunk of a few bytes may hold thousands of messages, or inflate to
hundreds of megabytes, so what it holds is taken out only as fast as it is wanted.
"""

import codecs
import logging
import re
from collections import deque
from collections.abc import Generator, Sequence
from struct import pack
from typing import cast

from websockets.exceptions import PayloadTooBig
from websockets.extensions import ServerExtensionFactory
from websockets.extensions.permessage_deflate import ServerPerMessageDeflateFactory
from websockets.frames import Close, CloseCode, Frame, Opcode
from websockets.protocol import State
from websockets.server import ServerProtocol
from websockets.speedups import apply_mask
from websockets.streams import StreamReader
from websockets.typing import Origin, Subprotocol

from roll_websocket.handshake import Origins

__all__ = ["MAX_CONTROL", "Wire"]

LOGGER = logging.getLogger("roll_websocket")

# RFC 6455 5.5: the longest payload of a control frame.
MAX_CONTROL = 125

# Frames taken from one chunk before other connections have their turn: about half a millisecond.
FRAMES_PER_TURN = 64

# Windows of 4 KiB both ways: about 43 KiB for a connection instead of the 99 of the default
# windows, for a few percent of the ratio.
DEFLATE: Sequence[ServerExtensionFactory] = (
    ServerPerMessageDeflateFactory(
        server_max_window_bits=12, client_max_window_bits=12, compress_settings={"memLevel": 5}
    ),
)

UTF8 = codecs.getincrementaldecoder("utf-8")


# The first byte of a whole message: FIN, no reserved bit, text or binary (RFC 6455 5.2).
FIN = 0x80
WHOLE = {FIN | opcode: opcode for opcode in (Opcode.TEXT, Opcode.BINARY)}
MASK = 0x80
EXTENDED_16 = 126
EXTENDED_64 = 127
# With the mask, by how the length is written.
HEAD_SIZES = 6, 8, 14


class HeldReader(StreamReader):
    """The layer's buffer, that can be held between two frames."""

    held = False
    idle = False

    def at_eof(self) -> Generator[None, None, bool]:
        """What the layer asks before each frame: False when there may be one."""
        while self.held or not (self.buffer or self.eof):
            self.idle = True
            yield
        self.idle = False
        return not self.buffer

    def read_exact(self, n: int) -> Generator[None, None, bytearray]:
        """`n` bytes; when they are all there is, as with most long messages, without a copy."""
        while len(self.buffer) < n and not self.eof:
            yield
        if len(self.buffer) == n:
            data, self.buffer = self.buffer, bytearray()
            return data
        return (yield from super().read_exact(n))


class Wire(ServerProtocol):
    """One connection: the messages that wait, and how it ended.

    `messages` are those nobody took yet, `size` the sum of their lengths; `max_queue` and
    `read_limit` bound these two (`read_limit` is passed by one message at most).
    """

    reader: HeldReader

    def __init__(
        self,
        *,
        max_size: int | None,
        compression: bool,
        origins: Origins,
        subprotocols: Sequence[str],
    ) -> None:
        super().__init__(
            state=State.OPEN,
            # The layer counts control frames too: room for one beside a full message.
            max_size=None if max_size is None else max_size + MAX_CONTROL,
            extensions=DEFLATE if compression else None,
            origins=allowed(origins),
            logger=LOGGER,
        )
        self.limit = max_size
        self.known = subprotocols
        self.messages: deque[str | bytes] = deque()
        self.pongs: list[bytes] = []
        self.size = 0
        self.turn = FRAMES_PER_TURN
        self.max_queue = 0
        self.read_limit = 0
        self.fragments: bytearray | None = None
        self.decoder: codecs.IncrementalDecoder | None = None
        self.reader = HeldReader()
        self.parser = self.parse()
        next(self.parser)

    def select_subprotocol(self, subprotocols: Sequence[Subprotocol]) -> Subprotocol | None:
        """The first of the client's that is known; None goes on without one."""
        return next((name for name in subprotocols if name in self.known), None)

    @property
    def full(self) -> bool:
        """Whether enough messages wait."""
        return len(self.messages) >= self.max_queue or self.size >= self.read_limit

    @property
    def hungry(self) -> bool:
        """Whether few enough wait to read on."""
        half = len(self.messages) <= self.max_queue // 2
        return half and self.size <= self.read_limit // 2

    def pop(self) -> str | bytes:
        """Take the oldest message."""
        message = self.messages.popleft()
        self.size -= len(message)
        return message

    def release(self) -> bool:
        """End a hold that holds nothing back."""
        self.reader.held = bool(self.reader.buffer) or self.reader.eof
        return not self.reader.held

    def drop(self) -> None:
        """Forget the messages: nobody is going to take them."""
        self.messages.clear()
        self.size = 0

    def hold(self) -> None:
        """Parse no further frame; after the last one, what comes is discarded without this."""
        self.reader.held = not self.eof_sent

    def step(self) -> None:
        """Go on after a hold."""
        self.turn = FRAMES_PER_TURN
        self.reader.held = False
        if self.state is not State.CLOSED:
            next(self.parser)

    def end(self) -> Close:
        """What closed the connection (RFC 6455 7.1.5)."""
        first = self.close_rcvd if self.close_rcvd_then_sent else self.close_sent
        return first or Close(CloseCode.ABNORMAL_CLOSURE, "")

    def receive_data(self, data: bytes | bytearray) -> None:
        """Parse a chunk, by the short way when it is one whole message and nothing else."""
        if not self.reader.idle or self.close_sent or not self.take(data):
            super().receive_data(data)

    def take(self, data: bytes | bytearray) -> bool:
        """Take a chunk that is one message in one plain frame, the most common there is.

        The layer judges everything else: whatever is wrong or unusual is left to it.
        """
        start, length = payload(data)
        kind = WHOLE.get(data[0]) if start else None
        if kind is None or self.fragments is not None or start + length != len(data):
            return False
        if self.limit is not None and length > self.limit:
            return False
        body = apply_mask(memoryview(data)[start:], data[start - 4 : start])
        if kind is Opcode.BINARY:
            self.put(body)
            return True
        try:
            self.put(body.decode())
        except UnicodeDecodeError:
            return False
        return True

    def pack(self, opcode: Opcode, data: bytes) -> bytes:
        """The frame of a message, by the short way when nothing changes it."""
        if self.extensions or self.debug:
            self.send_frame(Frame(opcode, data))
            return b"".join(self.data_to_send())
        size = len(data)
        if size < EXTENDED_16:
            return bytes((FIN | opcode, size)) + data
        if size < 1 << 16:
            return pack("!BBH", FIN | opcode, EXTENDED_16, size) + data
        return pack("!BBQ", FIN | opcode, EXTENDED_64, size) + data

    def recv_frame(self, frame: Frame) -> None:
        """Take one frame; called by the layer's parser."""
        if frame.opcode is Opcode.CLOSE:
            # A close in the middle of a message ends it: the layer would call it an error.
            self.current_size = None
        super().recv_frame(frame)
        self.events.clear()
        if frame.opcode is Opcode.PONG:
            self.pongs.append(bytes(frame.data))
        elif frame.opcode < Opcode.CLOSE:
            self.collect(frame)
        self.turn -= 1
        if self.turn <= 0:
            self.hold()

    def collect(self, frame: Frame) -> None:
        """Put messages together."""
        if frame.fin and self.fragments is None:
            self.check_size(len(frame.data))
            self.put(
                str(frame.data, "utf-8") if frame.opcode is Opcode.TEXT else bytes(frame.data)
            )
            return
        if self.fragments is None:
            self.fragments = bytearray()
            self.decoder = UTF8() if frame.opcode is Opcode.TEXT else None
        self.check_size(len(self.fragments) + len(frame.data))
        self.fragments += frame.data
        if self.decoder is not None:
            # Decoded for its errors only, so that a bad message fails at once.
            self.decoder.decode(bytes(frame.data), frame.fin)
        if frame.fin:
            whole, self.fragments = self.fragments, None
            self.put(bytes(whole) if self.decoder is None else whole.decode())

    def put(self, message: str | bytes) -> None:
        """Queue a message, unless the connection is closing; hold when that is enough."""
        if self.state is State.OPEN:
            self.messages.append(message)
            self.size += len(message)
            if self.full:
                self.hold()

    def check_size(self, size: int) -> None:
        """Fail the connection past the limit."""
        if self.limit is not None and size > self.limit:
            raise PayloadTooBig(size, self.limit)

    def fail(self, code: CloseCode | int, reason: str = "") -> None:
        """Fail the connection (RFC 6455 7.1.7), naming our limit rather than the layer's."""
        if code == CloseCode.MESSAGE_TOO_BIG:
            reason = f"A message may have {self.limit} bytes."
        self.fragments = self.decoder = None
        self.reader.held = False
        super().fail(code, reason)


def payload(data: bytes | bytearray) -> tuple[int, int]:
    """Where the payload of a masked frame starts, and its length; 0, 0 when this is unclear."""
    if len(data) < HEAD_SIZES[0]:
        return 0, 0
    length = data[1] - MASK
    if 0 <= length < EXTENDED_16:
        return HEAD_SIZES[0], length
    if length == EXTENDED_16:
        return HEAD_SIZES[1], int.from_bytes(data[2:4])
    if length == EXTENDED_64:
        return HEAD_SIZES[2], int.from_bytes(data[2:10])
    return 0, 0


def allowed(origins: Origins) -> list[Origin | re.Pattern[str] | None] | None:
    """The origins in the terms of the layer.

    A request without Origin does not come from a browser (RFC 6455 4.2.1): it is let through.
    """
    if origins is None:
        return None
    listed = [origins] if isinstance(origins, str) else origins
    return [None, *cast(Sequence[Origin | re.Pattern[str]], listed)]
