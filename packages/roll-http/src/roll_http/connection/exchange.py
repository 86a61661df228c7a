"""A request whose answer takes more than one step: the handler waits, or the response is long."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from typing import Any, Protocol

from ..application import Application
from ..cancellation import cancel_task, ends_task
from ..errors import ClientDisconnected, HttpError
from ..files import FileBody, is_file
from ..h1.body_encoders import BodyEncoder, ContentLengthEncoder
from ..h1.head import Head, RequestError
from ..h1.serialize import Serialized
from ..request import Request
from ..response import Response
from .closing import close_stream, close_streamed, stream_of
from .observers import report
from .plain_answers import serialize_plain, unsendable
from .reader import Reader
from .registry import ConnectionRegistry
from .writer import Writer

__all__ = ["Connection", "Exchange", "end"]

logger = logging.getLogger("roll_http")

# The parts of what an exchange sends.
_NOTHING, _STREAM, _WHOLE = range(3)


class Connection(Protocol):
    """The interface of a connection that an exchange uses."""

    app: Application
    gone: bool
    must_close: bool
    on_answered: Callable[[Any, Any, int], None] | None
    on_shutdown: Callable[[], None] | None
    opened: Any
    reader: Reader
    registry: ConnectionRegistry
    request: Any
    responded: Any
    response: Any
    state: int
    transport: asyncio.Transport
    write_deadline: float
    writer: Writer

    @property
    def exchange(self) -> Exchange: ...
    @property
    def stopping(self) -> bool: ...
    def open_body(self, request: Request, head: Head) -> None: ...
    def feed_body(self) -> None: ...
    def finish(self, keep_alive: bool) -> None: ...
    def release(self) -> None: ...
    def refuse(self, error: RequestError) -> None: ...
    def abort(self) -> None: ...
    def stop_watching(self) -> None: ...
    def fail(self) -> None: ...


class Exchange:
    """One request whose answer takes more than one step, and the sending of its response."""

    __slots__ = ("_connection", "_sending", "_streaming", "is_last", "task")

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._sending = _NOTHING
        self._streaming: asyncio.Task[Any] | None = None  # the task that sends a stream
        self.is_last = False
        """Whether the connection ends after this answer, even if its head said keep-alive."""
        self.task: asyncio.Task[None] | None = None
        """The task that runs `answer`; None in its first step."""

    async def send(
        self, head: Head, serialized: Serialized, response: Response, unsent: Sequence[Any]
    ) -> None:
        """Send a response that is too long to be written at once, or comes from a stream.

        `unsent` are the streams of other responses. They are closed after the sending, because the
        sent stream may read them.
        """
        connection = self._connection
        request = connection.request
        connection.writer.body_sent = 0  # nothing may be written: do not report the last body
        keep_alive = False
        try:
            response, serialized = await self._prepare(head, serialized, response)
            keep_alive, sending = serialized.keep_alive, self._send(serialized, response)
            del serialized  # thousands of clients may wait for a chunk: keep little for each
            try:
                await sending
            finally:
                for stream in unsent:
                    await close_stream(stream)
        except ClientDisconnected:
            connection.abort()
        except BaseException:
            connection.abort()
            end(connection, request, response, connection.writer.body_sent, keep_alive=False)
            raise
        size = connection.writer.body_sent
        end(connection, request, response, size, keep_alive=keep_alive and not self.is_last)

    async def _prepare(
        self, head: Head, serialized: Serialized, response: Response
    ) -> tuple[Response, Serialized]:
        """Open a file: an error can be answered as long as no head was sent."""
        stream, encoder = serialized.stream, serialized.encoder
        if not is_file(stream) or encoder is None:
            return response, serialized
        try:
            await stream.prepare(getattr(encoder, "remaining", None))
        except (OSError, ValueError) as error:
            await stream.aclose()
            response = unsendable(self._connection, head, error)
            return response, serialize_plain(self._connection, head, response)
        return response, serialized

    def _send(self, serialized: Serialized, response: Response) -> Coroutine[Any, Any, None]:
        # Not a coroutine, because each chunk of a stream would pass through one more.
        head, body, stream, encoder, _ = serialized
        if stream is None:
            return self._send_bytes(head, body)
        return self._send_stream(head, stream, encoder, stream_of(response))

    async def _send_bytes(self, head: bytes, body: bytes) -> None:
        self._begin_whole()
        self._connection.writer.begin(head)
        await self._connection.writer.send_bytes(body)

    def _begin_whole(self) -> None:
        """Drop the rest of the request's body: a response of bytes or a file does not need it.

        Otherwise a client that writes its whole request before it reads would wait for this server
        to read, while this server waits for the client to read.
        """
        self._sending = _WHOLE
        body = self._connection.reader.body
        if body is not None and body.receiving:
            body.discard()
            self._connection.feed_body()

    async def _send_stream(
        self, head: bytes, stream: AsyncIterator[Any], encoder: BodyEncoder | None, body: Any
    ) -> None:
        connection = self._connection
        try:
            if is_file(stream) or getattr(stream, "finite", False):
                self._begin_whole()
            else:
                self._sending = _STREAM
                self._streaming = asyncio.current_task()
            if encoder is None:
                connection.writer.begin(head)
            elif self._sending == _STREAM and connection.gone:
                connection.abort()
            else:
                connection.writer.begin(head)
                head = b""
                await self._send_chunks(stream, encoder)
                if connection.stopping and connection.on_shutdown is not None:
                    self.is_last = True  # it began after the stop, which has ended it
        except BaseException as error:
            waits = not (connection.gone or connection.transport.is_closing())
            connection.abort()
            if not ends_task(error, self.task):
                self._log_cut(error)
            elif not isinstance(error, asyncio.CancelledError):
                raise
            elif not self._uncancel():
                if waits:
                    what = "A streamed response was cut, because its task was cancelled, for %s"
                    logger.exception(what, asked_for(connection.request))
                raise
        finally:
            self._sending, self._streaming = _NOTHING, None
            await close_streamed(stream, body)

    def _log_cut(self, error: BaseException) -> None:
        """Log the error that is being handled, and has cut a stream: it can't be answered."""
        if isinstance(error, HttpError):
            # The stream reads the request's body, and that is malformed or late.
            what = "A streamed response was cut after its head was sent: %s, for %s"
            logger.warning(what, error, asked_for(self._connection.request))
        elif isinstance(error, ClientDisconnected):
            return
        elif self._sending == _WHOLE or not self._connection.gone:
            what = "A streamed response failed after its head was sent, for %s"
            logger.exception(what, asked_for(self._connection.request))

    def _send_chunks(
        self, stream: AsyncIterator[Any], encoder: BodyEncoder
    ) -> Coroutine[Any, Any, None]:
        if is_file(stream) and isinstance(encoder, ContentLengthEncoder):
            return self._send_file_first(stream, encoder)
        return self._connection.writer.send_stream(stream, encoder)

    async def _send_file_first(self, file: FileBody, encoder: ContentLengthEncoder) -> None:
        await self._send_file(file, encoder)
        await self._connection.writer.send_stream(file, encoder)

    async def _send_file(self, file: FileBody, encoder: ContentLengthEncoder) -> None:
        """Send as much of a file as the system can send without reading it (sendfile)."""
        connection = self._connection
        writer = connection.writer
        if not writer.takes_file(file, encoder):
            return
        await writer.flush()
        # The file bypasses the transport, which then does not notice a slow reader.
        connection.write_deadline = 0  # each tick of the clock checks the progress
        try:
            await writer.send_file(file, encoder, connection.registry.now)
        finally:
            connection.stop_watching()

    def _uncancel(self) -> bool:
        """Return whether the stream was cancelled only because the client disconnected."""
        task = asyncio.current_task()
        return self._connection.gone and task is not None and task.uncancel() == 0

    def notice_gone(self) -> None:
        """Cancel a streamed response, or a handler with `cancel_on_disconnect`.

        Called when the client has closed its side, maybe only its sending direction
        (RFC 9112 9.6). So bytes and files, which need no more work of the application, are still
        sent to their end.
        """
        request = self._connection.request
        if self._sending == _WHOLE:
            return
        if self._sending == _STREAM:
            cancel_task(self._streaming or self.task)  # another task of the handler may send
        elif request is not None and request.cancel_on_disconnect:
            self.cancel()

    def cancel(self) -> None:
        """Cancel the handler, or the sending of its response."""
        cancel_task(self.task or asyncio.current_task())


def asked_for(request: Any) -> str:
    """Return method and target of a request for a log; no client can forge a line with them."""
    return f"{getattr(request, 'method', None)} {getattr(request, 'url', None)!r}"


def end(
    connection: Connection, request: Request, response: Response, size: int, *, keep_alive: bool
) -> None:
    """Report the answer to `on_answered`, and let the connection go on even if that raises.

    The answer is reported however it ended: `size` is the part of its body that was written.
    """
    try:
        if connection.on_answered is not None:
            report(connection.on_answered, request, response, size)
    except BaseException:
        connection.abort()
        raise
    finally:
        connection.finish(keep_alive)
