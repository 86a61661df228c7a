"""The protocol without I/O: bytes in, whole messages out.

The layer below parses frames, answers pings and closes. Three things are added here. Messages
are put together, within their limit and as valid UTF-8. Frames that the layer refuses too early
are accepted (a ping in a nearly full message, a close in the middle of one). And parsing can stop
between two frames. A chunk of a few bytes may contain thousands of messages, or inflate to
hundreds of megabytes, so frames are parsed only as fast as the handler needs them.
"""

import codecs
import logging
import re
from collections.abc import Generator, Sequence
from typing import TYPE_CHECKING, cast

from websockets.exceptions import PayloadTooBig, ProtocolError
from websockets.extensions import ServerExtensionFactory
from websockets.frames import Close, CloseCode, Frame, Opcode
from websockets.http11 import Request, Response
from websockets.protocol import State
from websockets.server import ServerProtocol
from websockets.streams import StreamReader
from websockets.typing import Origin, Subprotocol

from roll_websocket.frames import SHORTEST, is_length, plain_frame, plain_message
from roll_websocket.handshake import Origins
from roll_websocket.inbox import Inbox, Piece

if TYPE_CHECKING:
    from roll_websocket.deflate import Deflate

__all__ = ["MAX_CONTROL", "Wire"]

LOGGER = logging.getLogger("roll_websocket")

# RFC 6455 5.5: the longest payload of a control frame.
MAX_CONTROL = 125

# Frames taken from one chunk before other connections have their turn: about half a millisecond.
FRAMES_PER_TURN = 64

# A frame that inflates to more bytes counts as several: 64 could inflate to 64 MiB, for 0.3 s.
BYTES_PER_FRAME = 4096

# Data that cannot be compressed grow: mostly by 1/400, with the smallest blocks of zlib by 1/25.
GROWTH = 16

# The first two bytes of a frame.
HEAD = 1

UTF8 = codecs.getincrementaldecoder("utf-8")


def factories() -> Sequence[ServerExtensionFactory]:
    """Return the compression extensions, imported when first needed."""
    from roll_websocket.deflate import FACTORIES  # noqa: PLC0415 - it takes 0.25 ms at the start

    return FACTORIES


class HeldReader(StreamReader):
    """The input buffer of the Sans-I/O layer, which can stop parsing between two frames.

    It also checks the lengths of frames, because the layer takes any number.
    """

    held = False
    between = False
    expected = 0
    """What is read next: `HEAD`, an extended length of the form 126 or 127, or 0 for the rest."""

    def at_eof(self) -> Generator[None, None, bool]:
        """Wait for the next frame; return True at the end of the input."""
        while self.held or not (self.buffer or self.eof):
            self.between = True
            yield
        self.between = False
        self.expected = HEAD
        return not self.buffer

    def read_exact(self, n: int) -> Generator[None, None, bytearray]:
        """Return `n` bytes, uncopied if they are the whole buffer, as for long messages.

        Raises ProtocolError if they are a length that no frame may have (RFC 6455 5.2).
        """
        while len(self.buffer) < n and not self.eof:
            yield
        if len(self.buffer) == n:
            data, self.buffer = self.buffer, bytearray()
        else:
            data = yield from super().read_exact(n)
        if self.expected:
            self.check(data)
        return data

    def check(self, data: bytearray) -> None:
        """Note the form of the length in the first two bytes of a frame, or check the length."""
        if self.expected == HEAD:
            form = data[1] & 0x7F
            self.expected = form if form in SHORTEST else 0
            return
        form, self.expected = self.expected, 0
        if not is_length(form, int.from_bytes(data)):
            raise ProtocolError("invalid length")


class Wire(ServerProtocol):
    """The protocol state of one connection, with the received messages in `inbox`."""

    # Slots, because CPython shares the keys of up to 30 attributes only, and the layer has many.
    __slots__ = (
        "decoder",
        "fragments",
        "inbox",
        "known",
        "limit",
        "pongs",
        "streaming",
        "turn",
    )

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
            # The layer counts control frames too, so leave room for one beside a full message.
            max_size=None if max_size is None else max_size + MAX_CONTROL,
            extensions=factories() if compression else None,
            origins=allowed(origins),
            logger=LOGGER,
        )
        self.limit = max_size
        # A str is one name: `in` would search for a part of it.
        self.known = (subprotocols,) if isinstance(subprotocols, str) else subprotocols
        self.inbox = Inbox()
        self.pongs: list[bytes] = []
        self.turn = FRAMES_PER_TURN
        self.fragments: bytearray | None = None
        self.decoder: codecs.IncrementalDecoder | None = None
        self.streaming = False
        """Whether the handler reads the current or the next message in pieces."""
        self.reader = HeldReader()
        self.parser = self.parse()
        next(self.parser)

    def accept(self, request: Request) -> Response:
        """Answer a handshake; allow for compressed messages that are larger than their content."""
        response = super().accept(request)
        if self.extensions and self.max_message_size is not None:
            self.max_message_size += self.max_message_size // GROWTH
        return response

    def select_subprotocol(self, subprotocols: Sequence[Subprotocol]) -> Subprotocol | None:
        """Return the first known subprotocol in the list of the client, or None."""
        return next((name for name in subprotocols if name in self.known), None)

    # Holding.

    @property
    def held(self) -> bool:
        """Whether parsing is stopped."""
        return self.reader.held

    @property
    def stalled(self) -> bool:
        """Return whether enough waits: messages, or a part of a message for which no task waits.

        The handler may read the rest of that message in pieces.
        """
        if self.close_sent is not None:
            return False
        much = self.fragments is not None and len(self.fragments) >= self.inbox.limit
        return self.inbox.full or (much and not self.inbox.awaited)

    def hold(self) -> None:
        """Stop parsing. After the close, the layer discards input anyway."""
        self.reader.held = not self.eof_sent

    def release(self) -> bool:
        """Resume parsing if no input waits. Return whether it was resumed."""
        self.reader.held = bool(self.reader.buffer) or self.reader.eof
        return not self.reader.held

    def step(self) -> None:
        """Parse the input that waits, up to the next stop."""
        self.turn = FRAMES_PER_TURN
        self.reader.held = False
        if self.state is not State.CLOSED:
            next(self.parser)

    # Receiving.

    def take(self, data: bytes | bytearray) -> bool:
        """Parse a chunk that is exactly one plain message; return False for any other chunk."""
        if not self.reader.between or self.fragments is not None or self.close_sent:
            return False
        message = plain_message(data, self.limit)
        if message is None:
            return False
        self.put(message)
        return True

    def recv_frame(self, frame: Frame) -> None:
        """Process a frame; the parser of the layer calls it."""
        if frame.opcode is Opcode.CLOSE:
            # A close frame may come within a message: the layer would treat it as an error.
            self.current_size = None
        super().recv_frame(frame)
        self.events.clear()
        if frame.opcode is Opcode.PONG:
            self.pongs.append(bytes(frame.data))
        elif frame.opcode < Opcode.CLOSE:
            if self.close_sent is None:
                self.collect(frame)
            elif not frame.fin:
                self.current_size = 0  # as in `append`
        self.turn -= 1
        if self.deflate is not None:
            self.turn -= self.deflate.take_cost() // BYTES_PER_FRAME
        if self.turn <= 0:
            self.hold()

    def collect(self, frame: Frame) -> None:
        """Add a data frame to its message, within the limit."""
        size = len(self.fragments or b"") + len(frame.data)
        if self.limit is not None and size > self.limit:
            if self.inbox.awaited or not self.fragments or len(frame.data) > self.limit:
                raise PayloadTooBig(size, self.limit)
            # No task has called `recv` yet. In pieces, the message may have any length.
            self.begin_stream()
        if self.fragments is None and frame.fin:
            self.put(
                str(frame.data, "utf-8") if frame.opcode is Opcode.TEXT else bytes(frame.data)
            )
        else:
            self.append(frame)

    def append(self, frame: Frame) -> None:
        """Add a fragment to one bytearray: one object for each byte takes 33 times the memory."""
        if self.fragments is None:
            self.fragments = bytearray()
            self.decoder = UTF8() if frame.opcode is Opcode.TEXT else None
        if not frame.fin:
            self.current_size = 0  # The layer limits each frame, `collect` the message.
        if self.streaming:
            self.deliver(frame)
            return
        self.fragments += frame.data
        if self.decoder is not None:
            # Decode it to find errors, so that a malformed message fails at once.
            self.decoder.decode(bytes(frame.data), frame.fin)
        if frame.fin:
            whole, self.fragments = self.fragments, None
            self.put(bytes(whole) if self.decoder is None else whole.decode())
        elif self.stalled:
            self.hold()

    def deliver(self, frame: Frame) -> None:
        """Deliver a fragment as a piece."""
        data = bytes(frame.data)
        piece = data if self.decoder is None else self.decoder.decode(data, frame.fin)
        if frame.fin:
            self.fragments = None
        if piece or frame.fin:
            self.put(Piece(piece, frame.fin, len(data)))

    def begin_stream(self) -> None:
        """Deliver the next message in pieces, or the rest of one that has begun."""
        self.streaming = True
        if not self.fragments:
            return
        data, self.fragments = bytes(self.fragments), bytearray()
        if self.decoder is None:
            self.put(Piece(data, False, len(data)))
        else:
            self.decoder = UTF8()
            self.put(Piece(self.decoder.decode(data), False, len(data)))

    def put(self, message: str | bytes | Piece) -> None:
        """Put a message into the inbox. Stop when it is full."""
        if self.streaming and (not isinstance(message, Piece) or message.last):
            self.streaming = False
        self.inbox.put(message)
        if self.inbox.full:
            self.hold()

    # Sending.

    @property
    def deflate(self) -> "Deflate | None":
        """The negotiated compression, or None."""
        return cast("Deflate", self.extensions[0]) if self.extensions else None

    def pack(self, opcode: Opcode, payload: bytes) -> bytes:
        """Return the frame of a whole message."""
        if not self.extensions and not self.debug:
            return plain_frame(opcode, payload)
        return self.pack_piece(opcode, payload, True)

    def pack_piece(self, opcode: Opcode, payload: bytes, last: bool) -> bytes:
        """Return the frame of a piece of a message."""
        self.send_frame(Frame(opcode, payload, last))
        return b"".join(self.data_to_send())

    # Ending.

    def end(self) -> Close:
        """Return the close frame that decides the code and reason (RFC 6455 7.1.5)."""
        first = self.close_rcvd if self.close_rcvd_then_sent else self.close_sent
        return first or Close(CloseCode.ABNORMAL_CLOSURE, "")

    def send_close(self, code: CloseCode | int | None = None, reason: str = "") -> None:
        """Send a close frame; drop the messages of the peer from now on, without their work."""
        super().send_close(code, reason)
        self.fragments = self.decoder = None
        self.streaming = False
        if self.deflate is not None:
            self.deflate.drop()

    def fail(self, code: CloseCode | int, reason: str = "") -> None:
        """Fail the connection (RFC 6455 7.1.7). The reason names our limit, not the layer's."""
        if code == CloseCode.MESSAGE_TOO_BIG:
            reason = f"A message may have {self.limit} bytes."
        self.fragments = self.decoder = None
        self.reader.held = False
        super().fail(code, reason)


def allowed(origins: Origins) -> list[Origin | re.Pattern[str] | None] | None:
    """Return the origins as the layer expects them.

    A request without Origin does not come from a browser (RFC 6455 4.2.1): it is allowed.
    """
    if origins is None:
        return None
    listed = [origins] if isinstance(origins, str) else origins
    return [None, *cast(Sequence[Origin | re.Pattern[str]], listed)]
