"""The messages of an ASGI application that make a response."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable
from typing import Any, Final

from roll_http import ClientDisconnected, FileBody
from roll_http.h1.statuses import set_status

from .._core.bases import CONCLUDING, DONE, NEW, OPEN, STARTED
from ..upgrade import close_unless_upgraded
from .fields import copied, put_back, set_fields
from .hints import early_hints, trailer_lines
from .outgoing import begin, drop_length
from .receiving import Receiving

__all__ = ["Sending"]


class Sending(Receiving):
    """The half of an exchange that takes the messages of the response."""

    __slots__ = ()

    async def take(self, message: Any) -> None:
        """Take a message, for `send`.

        Raises:
            ClientDisconnected: the client has disconnected, and this is not the first message
                since.
            RuntimeError: the message is not allowed now.
            TypeError, ValueError: the message has a wrong or missing value.
        """
        self.queued -= 1
        kind = message["type"]
        while kind == "http.response.body" and self.opening is not None:
            await self.opening.wait()  # another task sends the first piece
        if self.refusal is not None and self.state != OPEN:
            return  # the server answers
        if self.told:  # a piece was dropped: what follows must not look like a whole response
            raise ClientDisconnected("The client has gone")
        if kind == "http.response.body":
            if self.state == STARTED and not message.get("more_body", False):
                await self._send_whole(checked(message.get("body", b"")))
            elif self.state in {STARTED, OPEN} and not self.ending:
                await self._send_part(message)
            else:
                self._refuse(kind)
        elif kind == "http.response.start" and self.state == NEW:
            self._start(message)
        else:
            await self._send_other(kind, message)

    def _start(self, message: Any) -> None:
        headers = self.response.headers
        kept = copied(headers)
        try:
            set_fields(headers, message.get("headers", ()))
            set_status(self.response, message["status"])
        except BaseException:
            put_back(headers, kept)  # an application may answer that by a page of its own
            raise
        self.length = headers.pop("Content-Length", None)
        self.trailers = b"" if message.get("trailers", False) else None
        self.state = STARTED

    def _refuse(self, kind: str) -> None:
        state = DONE if self.ending else self.state
        raise RuntimeError(f"{self.host} has sent {kind!r} {WHERE[state]}")

    async def _send_other(self, kind: str, message: Any) -> None:
        if kind == "http.response.pathsend" and self.state == STARTED:
            await self._send_file(message["path"])
        elif kind == "http.response.trailers" and self._takes_trailers():
            self.trailers = (self.trailers or b"") + trailer_lines(message.get("headers", ()))
            if not message.get("more_trailers", False) and self.outgoing is not None:
                await self._end()
        elif kind == "http.response.early_hint" and self.state == NEW:
            early_hints(self.connection, self.request, message.get("links", ()))
        elif kind.startswith("http.response."):
            self._refuse(kind)
        else:
            raise ValueError(f"{self.host} has sent {kind!r}, which does not belong to a response")

    def _takes_trailers(self) -> bool:
        return self.trailers is not None and self.state in {STARTED, OPEN}

    async def _send_whole(self, body: Any) -> None:
        response, length = self.response, self.length
        response.body = body
        if length is not None and (type(body) is not bytes or length != str(len(body))):
            response.headers["Content-Length"] = length
        if self.trailers is not None:
            await self._send_part({"body": body, "more_body": False})
            return
        response = await self.concluded()
        if response.body is not body:
            drop_length(response, length)
        self.state = DONE
        sending = self.connection.respond(response)
        if sending is None:
            self._finish()
        else:
            await self.until_sent(sending)

    async def _send_file(self, path: Any) -> None:
        """Send a whole file; raise an `OSError` or a `ValueError` if it cannot be read."""
        file = FileBody(path, 0, sys.maxsize)
        # Before the head, so that a HEAD fails as a GET does, and the application may answer.
        await file.prepare(None)
        if self.state != STARTED:  # another task has sent meanwhile
            await file.aclose()
            self._refuse("http.response.pathsend")
        if self.trailers is not None:
            async for part in file:
                await self._send_part({"body": part, "more_body": True})
            await self._send_part({})
            return
        if self.length is None:
            self.length = str(file.remaining)
        await self._send_whole(file)

    async def _send_part(self, message: Any) -> None:
        data = checked(message.get("body", b""))
        if self.connection.gone and not await self._takes():
            return
        if self.outgoing is None:
            if self.length is not None:
                self.response.headers["Content-Length"] = self.length
            await self._open()
        await self._write(data, last=not message.get("more_body", False))

    async def _open(self) -> None:
        """Send the head. Other tasks that send a piece wait meanwhile: listeners may take time."""
        opening = self.opening = asyncio.Event()
        try:
            self.outgoing = await begin(self)
            self.state = OPEN
        except ValueError:
            self.state = NEW  # the application may answer this with its own error page
            self.trailers = None
            self.response.headers.clear()
            raise
        finally:
            self.opening = None
            opening.set()

    async def _takes(self) -> bool:
        """Return False after the client has disconnected; raise `ClientDisconnected` the second
        time.

        The first message after the disconnect is dropped: `receive` may not have reported the
        disconnect to the application yet.
        """
        if self.told:
            raise ClientDisconnected("The client has gone")
        self.told = True
        await asyncio.sleep(0)
        return False

    async def drain(self) -> None:
        """Wait until the client reads, after `put` was called."""
        assert self.outgoing is not None  # `put` comes from it
        try:
            await self.outgoing.drain()
        except ClientDisconnected:
            if self.state != DONE:  # otherwise the end was sent meanwhile, behind this piece
                await self._takes()

    async def _write(self, data: bytes, *, last: bool) -> None:
        assert self.outgoing is not None  # begun before
        self.put = None  # pieces of other tasks wait behind this one
        self.ending = self.ending or last
        try:
            await self.outgoing.write(data)
        except ClientDisconnected:
            if self.state != DONE:  # as above
                await self._takes()
            return
        finally:
            if not self.ending:
                self.put = getattr(self.outgoing, "put", None)
        if last and self.trailers is None:
            await self._end()

    async def _end(self) -> None:
        assert self.outgoing is not None  # begun before
        self.state = DONE
        await self.until_sent(self.outgoing.end(self.trailers or b""))

    async def until_sent(self, sending: Awaitable[None]) -> None:
        """Wait until a response has been sent; then `receive` may report the disconnect.

        An application may end at that report, and cancel what still sends.
        """
        self.ending = True
        try:
            await sending
        finally:
            self.ending = False
            self._finish()

    def _finish(self) -> None:
        self.state = DONE
        if self.over is not None:
            self.over.set()

    async def concluded(self) -> Any:
        """Return the response as the listeners of `response` and the extensions leave it.

        If its task is cancelled, the application may send the response again.

        Raises:
            RuntimeError: the application has returned meanwhile.
        """
        app, request = self.app, self.request
        if request.upgrade is not None:
            close_unless_upgraded(request)
        if "response" not in app.hooks and request.late is None:
            return self.response
        self.state = CONCLUDING
        status, headers = self.response.status, copied(self.response.headers)
        try:
            response = await app.conclude(request, self.response, self.host)
        except BaseException:
            if self.state == CONCLUDING:
                self.state = STARTED
                set_status(self.response, status)
                put_back(self.response.headers, headers)
            raise
        if self.state != CONCLUDING:
            self._refuse("http.response.body")
        return response


WHERE: Final = (
    "before 'http.response.start'",
    "after 'http.response.start'",
    "within a body",
    "after the end of its response, or of its call",
    "while the listeners of `response` run",
)


def checked(body: Any) -> bytes:
    """Return a body as bytes."""
    if type(body) is bytes:
        return body
    if isinstance(body, bytes | bytearray | memoryview):
        return bytes(body)
    raise TypeError(f"The body of a message is bytes, not {type(body).__name__}")
