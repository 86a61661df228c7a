"""A response whose body the application writes piece by piece, while it runs."""

from __future__ import annotations

import asyncio

from ..errors import ClientDisconnected
from ..h1.body_encoders import ChunkedEncoder
from ..response import Response
from .answering import may_go_on, serialize_response
from .exchange import Connection, end
from .writer import SLICE

__all__ = ["OpenResponse"]


class OpenResponse:
    """A response with its head sent: `write` its body, then `end` it.

    Several tasks may write. Each piece stays whole, however long it is.
    The connection goes on to its next request at the end. If the application returns before the
    end, or raises, the connection is aborted, so that no client takes a part for the whole.
    """

    def __init__(self, connection: Connection, response: Response) -> None:
        """Send the head of `response`, whose body is any async iterator: it is not read.

        Raises:
            ValueError: the response can't be sent; nothing was.
        """
        request = connection.request
        request.keep_alive = may_go_on(connection, request, response)
        serialized = serialize_response(request, response, connection.registry.date)
        request.keep_alive = serialized.keep_alive
        self._connection = connection
        self._encoder = serialized.encoder
        self._response = response
        self._turn = asyncio.Lock()
        self._long = 0  # the long pieces that are being written, or wait for their turn
        if connection.reader.body is not None:
            connection.reader.body.answer_begins()
        connection.opened = self
        connection.writer.begin(serialized.head)

    def put(self, data: bytes) -> bool:
        """Write a short piece of the body at once; return whether to `drain` before the next one.

        For pieces of at most `SLICE` bytes, unless `busy`. Nothing is written of a body that the
        response can't have, such as that to a HEAD.

        Raises:
            RuntimeError: a long piece is being written.
            ValueError: the body would be longer than its Content-Length.
        """
        if self._long:
            raise RuntimeError("Another task writes a long piece: await `write`")
        connection = self._connection
        if connection.opened is not self:
            return True
        return self._encoder is not None and connection.writer.put(data, self._encoder)

    @property
    def busy(self) -> bool:
        """Whether long pieces are being written: `write` waits for its turn then."""
        return self._long > 0

    async def drain(self) -> None:
        """Wait until the client reads; raise `ClientDisconnected` if it has gone."""
        if self._connection.opened is not self:
            raise ClientDisconnected("The response has ended")
        await self._connection.writer.drain()

    async def write(self, data: bytes) -> None:
        """Write a piece of the body, of any length; wait while the client does not read.

        If the caller is cancelled within a piece of more than `SLICE` bytes, the connection is
        aborted: the client could not tell where the piece ends.

        Raises:
            ValueError: the body would be longer than its Content-Length.
            ClientDisconnected: the client has gone, or the response has ended.
        """
        if len(data) <= SLICE and not self._long:
            if self.put(data):
                await self.drain()
            return
        self._long += 1
        try:
            async with self._turn:
                await self._write_long(data)
        finally:
            self._long -= 1

    async def _write_long(self, data: bytes) -> None:
        connection, writer = self._connection, self._connection.writer
        if connection.opened is not self:
            await self.drain()
        elif self._encoder is not None and data:
            end = writer.body_sent + len(data)
            try:
                await writer.put_long(data, self._encoder)
            except asyncio.CancelledError:
                if connection.opened is self and writer.body_sent < end:
                    self.cut()
                raise

    def end(self, trailers: bytes = b"") -> None:
        """End the body, and go on to the next request; do nothing if it has ended.

        `trailers` are lines of fields, each with its CRLF, which follow a chunked body (RFC 9112
        7.1.2); a body of another kind has none.

        Raises:
            ValueError: the body is shorter than its Content-Length; the connection is aborted.
            RuntimeError: another task still writes a long piece; the connection is aborted.
        """
        connection = self._connection
        if connection.opened is not self:
            return
        if self._turn.locked():
            self.cut()
            raise RuntimeError("The response has ended while a piece of its body was written")
        if self._encoder is not None:
            try:
                last = self._encoder.end()
            except ValueError:
                self.cut()
                raise
            if trailers and isinstance(self._encoder, ChunkedEncoder):
                last = last[:-2] + trailers + last[-2:]
            connection.writer.write(last)
        self._finish(keep_alive=connection.request.keep_alive)

    def cut(self) -> None:
        """Abort the connection: the client gets no whole response."""
        self._connection.abort()
        self._finish(keep_alive=False)

    def _finish(self, *, keep_alive: bool) -> None:
        connection = self._connection
        connection.opened = None
        connection.responded = connection.request
        size = connection.writer.body_sent
        end(connection, connection.request, self._response, size, keep_alive=keep_alive)
