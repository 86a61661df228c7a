"""A response that a mounted application writes in pieces, on another server."""

from __future__ import annotations

from typing import Any

from roll_http.connection.answering import serialize_response

from .sending import Sender, start_of

__all__ = ["OpenResponse"]


class OpenResponse:
    """A response with the methods of roll-http's: `write` the body, then `end` it."""

    def __init__(self, connection: Sender, response: Any) -> None:
        """Keep the head; raise `ValueError` if the response cannot be sent."""
        request = connection.request
        request.keep_alive, request.version = True, "1.1"  # the server decides
        head, _, _, self._encoder, _ = serialize_response(request, response, "")
        self._connection = connection
        self._response = response
        self._start: Any = start_of(head)

    async def write(self, data: bytes) -> None:
        """Send a piece of the body; raise `ValueError` if the announced length is exceeded."""
        await self._begin()
        if data and self._encoder is not None:
            self._encoder.frame_chunk(len(data))
            message = {"type": "http.response.body", "body": data, "more_body": True}
            await self._connection.send(message)
            self._connection.body_sent += len(data)

    async def _begin(self) -> None:
        if self._start is not None:
            start, self._start = self._start, None
            await self._connection.send(start)

    async def end(self, trailers: bytes = b"") -> None:
        """Send the end of the body; drop trailers."""
        if self._encoder is not None:
            self._encoder.end()
        await self._begin()
        await self._connection.send({"type": "http.response.body", "body": b""})
        self._connection.report(self._response)
