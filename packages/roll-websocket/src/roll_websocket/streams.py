"""Messages in pieces, both ways."""

import asyncio
import io
from collections.abc import AsyncIterable
from contextlib import AsyncExitStack, aclosing
from functools import partial
from typing import Any, Self, cast

from websockets.frames import Opcode

from roll_websocket.connection import Connection
from roll_websocket.frames import message_frame
from roll_websocket.inbox import Piece
from roll_websocket.outbox import WITHIN

__all__ = ["Stream", "receive", "receive_whole", "send_pieces"]

BROKEN = 1011, "A message could not be sent to its end."


class Stream:
    """The pieces of one message: `str` for text, `bytes` for binary."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.begun = False
        self.ended = False
        self.taken = False
        """Whether a piece was returned. Then `recv` skips the rest of the message."""

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> str | bytes:
        """Return the next piece. Raise the exceptions of `recv`, also within the message."""
        connection = self.connection
        if not (self.begun or self.ended):
            await self.begin()
        if self.ended or connection.stream is not self:
            raise StopAsyncIteration
        piece = await receive(connection)
        self.taken = True
        if isinstance(piece, Piece) and not piece.last:
            return piece.data
        self.ended = True
        connection.stream = None
        if isinstance(piece, Piece):
            if not piece.data:  # The last frame was empty.
                raise StopAsyncIteration
            return piece.data
        return piece

    async def begin(self) -> None:
        """Skip the rest of the last message, and begin the next one."""
        connection = self.connection
        await skip(connection)
        self.begun = True
        connection.stream = self
        if not connection.wire.inbox.messages:
            connection.wire.begin_stream()


async def skip(connection: Connection) -> None:
    """Skip the rest of a message that was not read to its end."""
    stream = connection.stream
    while isinstance(stream, Stream) and stream.taken and connection.stream is stream:
        piece = await receive(connection)
        if not isinstance(piece, Piece) or piece.last:
            connection.stream = None


async def receive(connection: Connection, whole: bool = False) -> str | bytes | Piece:
    """Return the next message or piece. Raise ConnectionClosed if there will be none.

    `whole` joins the pieces of a message. A second coroutine around this one would do that too,
    but would take 0.22 KiB of each connection that waits.
    """
    wire = connection.wire
    while not wire.inbox.messages:
        if connection.ending.close is not None:
            raise connection.ending.exception
        if wire.held:
            # The message has begun, and its rest is read once this waits.
            connection.loop.call_soon(connection.intake.schedule, connection.step)
        await wire.inbox.wait()
    message = wire.inbox.pop()
    if wire.held and wire.inbox.hungry:
        connection.intake.read_on(connection.step)
    if whole and isinstance(message, Piece):
        return await join(connection, message)
    return message


async def receive_whole(connection: Connection) -> str | bytes | Piece:
    """Return the next message as a whole, after a stream that was not read to its end."""
    await skip(connection)
    message = await receive(connection, True)
    connection.stream = None
    return message


# Python's warning shows these names to users who forgot the await.
receive.__qualname__ = receive_whole.__qualname__ = "WSProtocol.recv"


async def join(connection: Connection, first: Piece) -> str | bytes:
    """Join the pieces of a message. A cancelled call loses none of them."""
    # One object for each piece would take many times the memory.
    joined: Any = io.StringIO() if isinstance(first.data, str) else io.BytesIO()
    size, piece = 0, first
    try:
        while True:
            joined.write(piece.data)
            size += piece.size
            connection.check_size(size)
            if piece.last:
                return cast("str | bytes", joined.getvalue())
            piece = cast(Piece, await receive(connection))
    except asyncio.CancelledError:
        connection.wire.inbox.put_back(Piece(joined.getvalue(), False, size))
        raise


async def send_pieces(
    connection: Connection, pieces: AsyncIterable[str | bytes | bytearray | memoryview]
) -> None:
    """Send pieces as the frames of one message, whose place is that of this call."""
    sender = Sender(connection)
    try:
        async with AsyncExitStack() as stack:
            if hasattr(pieces, "aclose"):
                await stack.enter_async_context(aclosing(cast("Any", pieces)))
            await sender.begin()
            async for piece in pieces:
                await sender.send(*message_frame(piece))
            await sender.end()
    finally:
        sender.leave()


class Sender:
    """A message that is sent in pieces."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.task = asyncio.current_task()
        self.opcode: Opcode | None = None
        self.open = False
        """Whether frames were sent, but not the last one."""

    async def begin(self) -> None:
        """Hold other messages back, once those before are sent.

        Raises RuntimeError if the pieces of another message come from here: neither would end.
        """
        outbox = self.connection.outbox
        if outbox.ready():
            outbox.begin_message(self)
        elif outbox.sender is not None and outbox.sender.task is self.task:
            raise RuntimeError(WITHIN)
        else:
            await self.connection.turn(partial(outbox.begin_message, self), True)

    async def send(self, opcode: Opcode, payload: bytes) -> None:
        """Send a piece."""
        if self.opcode is None:
            self.opcode = opcode
            await self.write(opcode, payload, False)
        elif opcode is self.opcode:
            await self.write(Opcode.CONT, payload, False)
        else:
            raise TypeError("The pieces of a message are all str, or all bytes")

    async def end(self) -> None:
        """Send an empty last frame, because it is not known in advance which piece is the last."""
        if self.open:
            await self.write(Opcode.CONT, b"", True)

    async def write(self, opcode: Opcode, payload: bytes, last: bool) -> None:
        """Write a frame when the peer reads."""
        connection = self.connection

        def write() -> None:
            connection.write(connection.wire.pack_piece(opcode, payload, last))
            self.open = not last

        if connection.outbox.ready_for_control():
            write()
        else:
            await connection.turn(write, False)

    def leave(self) -> None:
        """Close the connection if the message is incomplete, so that the peer drops it."""
        if self.open and self.connection.ending.close is None:
            self.connection.begin_close(*BROKEN)
        self.connection.outbox.end_message(self)
