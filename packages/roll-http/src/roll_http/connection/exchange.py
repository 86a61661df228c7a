"""One request and its answer: the state that ends with them."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Coroutine
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from ..errors import ClientDisconnected, HttpError
from ..files import FileBody
from ..h1.body_encoders import Delimiting, Measured
from ..h1.head_parser import BadRequest, Head
from ..h1.serialize import render, render_common
from ..response import Response
from .registry import NEVER, Pace
from .writer import SLICE

if TYPE_CHECKING:
    from ..request import Request
    from .protocol import HTTPProtocol

__all__ = ["Exchange"]

logger = logging.getLogger("roll_http")

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class Exchange:
    """A request that is being answered on a connection."""

    __slots__ = (
        "_connection",
        "_expects_continue",
        "_pace",
        "_request",
        "_streaming",
        "_whole",
        "task",
    )

    def __init__(self, connection: HTTPProtocol) -> None:
        self._connection = connection
        self._request: Request | None = None
        self._expects_continue = False
        self._pace: Pace | None = None
        self._streaming = False
        self._whole = False  # the answer that is being sent is bytes or a file
        self.task: asyncio.Task[None] | None = None
        """What `run` runs in; not known in its first step, when that is made at once."""

    async def run(self, head: Head) -> None:
        """Have the application answer, and send what it gives; then the connection goes on."""
        connection = self._connection
        app = connection.app
        response: Response | None = None
        try:
            try:
                request = app.Request(app, connection)
                request.set_head(head)
                self._request = request
                if head.length or head.chunked:
                    self._open_body(request, head)
                response = app.Response(app, connection)
                response.request = request
                response = await app(request, response)
            except asyncio.CancelledError:
                if self._is_cancelled():
                    self._give_up()
                    raise
                response = self._failed("was cancelled by itself", head)
            except (KeyboardInterrupt, SystemExit, GeneratorExit):
                self._give_up()
                raise
            except BaseException as error:  # noqa: BLE001 - whatever an application raises is answered
                if connection.gone and isinstance(error, ClientDisconnected):
                    return connection.finish(False)
                response = self._answer(error, head)
            if connection.switched:
                return connection.release()
            rest = self._send(head, response)
            if rest is not None:
                await rest
        except Exception:  # noqa: BLE001 - the fault is ours: nothing may wait for ever
            connection.fail()
        return None

    def _give_up(self) -> None:
        """The task was cancelled, or the program ends: there will be no answer."""
        connection = self._connection
        connection.release()
        if not connection.transport.is_closing():
            with contextlib.suppress(RuntimeError):  # a task may be destroyed after its loop
                connection.abort()

    def forget(self) -> None:
        """The exchange has ended: break the circle of request, body and exchange."""
        self._request = self.task = None

    def _is_cancelled(self) -> bool:
        """Somebody wants the task to end, unlike a handler that awaits something cancelled."""
        task = asyncio.current_task()
        return task is not None and task.cancelling() > 0

    def _answer(self, error: BaseException, head: Head) -> Response:
        if isinstance(error, HttpError):
            with contextlib.suppress(AttributeError, ValueError):  # a subclass without a status
                return self._plain(error.status, error.message)
        return self._failed("raised", head)

    def _failed(self, what: str, head: Head) -> Response:
        """Log the error in flight, and answer it; nothing of it reaches the client."""
        # Not what the request says: that may be what failed.
        logger.exception("The application %s for %s %r", what, head.method, head.target)
        return self._plain(HTTPStatus.INTERNAL_SERVER_ERROR)

    def _plain(self, status: HTTPStatus, text: Any = None) -> Response:
        """A response that is a text, by default the phrase of its status."""
        # Not of the application's own class: that may be what failed.
        response = Response(self._connection.app, self._connection)
        response.request = self._request
        response.status = status
        response.headers["Content-Type"] = "text/plain; charset=utf-8"
        response.body = response.status.phrase if text is None else text
        return response

    # The response.

    def _send(self, head: Head, response: Response | None) -> Coroutine[Any, Any, None] | None:
        """Send the response; what can't be sent at once is to be awaited."""
        connection, request = self._connection, self._request
        if request is None or response is None:
            self._refuse_nothing(head)
            return None
        request.method = head.method  # it decides, whatever became of it since
        if connection.last or (connection.receiver.in_body and self._will_not_skip_body(response)):
            request.keep_alive = False
        self._expects_continue = False  # nothing comes before an answer that has begun
        date = connection.clock.date
        try:
            rendered = render_common(request, response, date) or render(request, response, date)
        except Exception:  # noqa: BLE001 - a header's `str()` may raise anything
            response = self._failed("gave a response that can't be sent", head)
            request.keep_alive = False
            rendered = render(request, response, date)
        start, body, stream, delimiting = rendered
        if stream is not None:
            if isinstance(stream, FileBody):
                self._begin_whole()
            sending = self._send_stream(start, stream, delimiting)
            return self._send_long(request, response, sending)
        if len(body) > SLICE:
            self._begin_whole()
            connection.sender.begin(start)
            sending = connection.sender.send_bytes(body)
            return self._send_long(request, response, sending)
        connection.sender.write(start + body)
        if connection.on_answered is None:
            connection.finish(request.keep_alive)
        else:
            self._end(request, response, 0 if connection.sender.lost else len(body))
        return None

    def _refuse_nothing(self, head: Head) -> None:
        if self._request is not None:  # else it could not be made, and that was logged
            logger.error("The application gave no response to %s %r", head.method, head.target)
        self._connection.refuse(BadRequest(500, "Internal Server Error"))

    async def _send_long(
        self, request: Request, response: Response, sending: Coroutine[Any, Any, None]
    ) -> None:
        try:
            await sending
        except ClientDisconnected:
            self._connection.abort()
        except BaseException:
            self._connection.abort()
            self._connection.finish(False)
            raise
        self._end(request, response, self._connection.sender.body_sent)

    def _end(self, request: Request, response: Response, size: int) -> None:
        """The response was sent: let the connection go on, whatever an observer does."""
        connection = self._connection
        try:
            if connection.on_answered is not None:
                connection.on_answered(request, response, size)
        except BaseException:
            connection.abort()
            raise
        finally:
            connection.finish(request.keep_alive)

    def _begin_whole(self) -> None:
        """Drop the rest of the request's body: the answer, bytes or a file, does not depend on it.

        A client that writes all of its request before it reads would otherwise wait for us to
        read, while we wait for it to do so.
        """
        self._whole = True
        if self._connection.receiver.in_body:
            self._connection.receiver.discard_body()
            self._connection.pump()

    async def _send_stream(
        self, head: bytes, stream: AsyncIterator[Any], delimiting: Delimiting | None
    ) -> None:
        connection = self._connection
        sender = connection.sender
        self._streaming = not self._whole
        try:
            if delimiting is None:
                sender.begin(head)
            elif self._streaming and connection.gone:
                connection.abort()
            else:
                sender.begin(head)
                if isinstance(stream, FileBody) and isinstance(delimiting, Measured):
                    await self._send_file(stream, delimiting)
                await sender.send_stream(stream, delimiting)
        except asyncio.CancelledError:
            connection.abort()
            if not self._uncancel():
                raise
        except ClientDisconnected:
            connection.abort()
        except HttpError as error:  # a body that is malformed or late, if the stream reads one
            logger.warning("A streamed response ended with its head sent: %s", error)
            connection.abort()
        except Exception:
            if self._whole or not connection.gone:
                logger.exception("A streamed response failed after its head was sent")
            connection.abort()
        finally:
            self._streaming = False
            await _close_stream(stream)

    async def _send_file(self, file: FileBody, delimiting: Measured) -> None:
        """Send of a file what can be sent without reading it."""
        connection = self._connection
        sender = connection.sender
        if not sender.takes_file(file, delimiting):
            return
        await sender.flush()
        # The transport, past which it goes, will not say that the client reads slowly.
        connection.write_deadline = 0  # looked at by each look of the clock
        try:
            await sender.send_file(file, delimiting, connection.clock.now)
        finally:
            connection.write_deadline = NEVER

    def _uncancel(self) -> bool:
        """Whether it was only the client's going that cancelled the stream."""
        task = asyncio.current_task()
        return self._connection.gone and task is not None and task.uncancel() == 0

    # The request's body.

    def _open_body(self, request: Request, head: Head) -> None:
        receiver = self._connection.receiver
        body = receiver.take_body(head)
        if body is not None:
            request.attach_whole(body)
            return
        self._expects_continue = head.expects_continue
        request.attach_body(receiver.open_body(head, self))
        self._connection.pump()
        if self._connection.gone:
            self._connection.end_body()

    @property
    def _has_ended(self) -> bool:
        """Who still reads its body has nothing to do with the connection."""
        return self._request is None

    def body_awaited(self) -> None:
        """The handler has all that came, and waits for more: watch the time."""
        connection = self._connection
        if self._expects_continue and not connection.receiver.has_body_bytes:
            connection.sender.uncork()
            connection.sender.write(CONTINUE)
        self._expects_continue = False
        if self._pace is None:
            self._pace = Pace(connection.clock.now)
        self._pace.restart(connection.clock.now)
        connection.read_deadline = 0  # sampled at each look of the clock

    def body_received(self) -> None:
        """The handler waits no longer."""
        if not self._has_ended:
            self._connection.read_deadline = NEVER

    def body_taken(self) -> None:
        """The handler took so much that there is room."""
        if not self._has_ended and self._connection.receiver.held_back:
            self._connection.pump()

    def check_pace(self) -> None:
        """End the wait of a handler whose client is too slow."""
        connection = self._connection
        stream = connection.receiver.stream
        if self._pace is None or not stream.awaited:
            connection.read_deadline = NEVER
        elif self._pace.too_slow(connection.clock.now, stream.received, connection.limits):
            connection.last = True
            stream.fail(HttpError(HTTPStatus.REQUEST_TIMEOUT, "The body took too long"))

    def _will_not_skip_body(self, response: Response) -> bool:
        """The rest of the body is not worth reading, or will not come before a 100."""
        receiver = self._connection.receiver
        waits = self._expects_continue and not receiver.has_body_bytes  # RFC 9110 10.1.1
        if waits or response.status is HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            return True
        return receiver.unread > self._connection.limits.unread_body

    # Ends.

    def notice_gone(self) -> None:
        """The client sends no more: cancel a streamed response, or a handler that asked for it.

        The client may have closed one direction only (RFC 9112 9.6): bytes and files, which need
        no more work of the application, are sent to their end.
        """
        request = self._request
        if request is None or self._whole:
            return
        if self._streaming or request.cancel_on_disconnect:
            self.cancel()

    def cancel(self) -> None:
        """Cancel the handler, or what sends its response."""
        task = self.task
        if task is None and self._request is not None:
            task = asyncio.current_task()
        if task is not None and not task.cancelling():  # once: it may be cleaning up
            task.cancel()


async def _close_stream(stream: AsyncIterator[Any]) -> None:
    """End a generator that may not have run out: its `finally` blocks run now."""
    close = getattr(stream, "aclose", None)
    if close is not None:
        try:
            await close()
        except Exception:
            logger.exception("A streamed response failed while it was closed")
