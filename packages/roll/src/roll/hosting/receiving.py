"""The messages that an ASGI application receives for a request."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from roll_http import ClientDisconnected, HttpError
from roll_http.body import BodyStream, again

from .._core import ExchangeBase
from .._core.bases import DONE

__all__ = ["Receiving"]

DISCONNECT: Final = "http.disconnect"


class Receiving(ExchangeBase):
    """The half of an exchange that gives the body of the request, then the disconnect."""

    __slots__ = ()

    async def receive(self) -> dict[str, Any]:
        """Return the next message: a part of the body, then the disconnect.

        After the response there is only the disconnect, whatever has arrived of the body.
        """
        if self.body is not None and self.state != DONE:
            return await self._next_part()
        await self._until_over()
        return {"type": DISCONNECT}

    async def _next_part(self) -> dict[str, Any]:
        stream: Any = self.body
        if isinstance(stream, bytes):
            self.body = None
            return {"type": "http.request", "body": stream, "more_body": False}
        part = await self._next_chunk(stream)
        if part is None:
            return {"type": DISCONNECT}
        more = not (stream.complete and not stream.size)
        if not more:
            self.body = None
        return {"type": "http.request", "body": part, "more_body": more}

    async def _next_chunk(self, stream: BodyStream) -> bytes | None:
        """Return a part of the body; None if there is no more, or if the body is refused."""
        if self.reading is None:
            self.reading = stream.open()
        try:
            return await anext(self.reading)
        except StopAsyncIteration:
            return b""
        except HttpError as error:
            self.refusal = again(error)  # a copy: the error that was raised refers to this frame
        except (ClientDisconnected, RuntimeError):
            if self.state != DONE and not self.connection.gone:
                raise
        self.body = None
        return None

    async def _until_over(self) -> None:
        """Wait until the client has disconnected, or has the whole response."""
        if self.over is None:
            self.over = asyncio.Event()
            self.connection.on_gone = self.over.set
        sent = self.state == DONE and not self.ending
        if not sent and not self.connection.gone and self.refusal is None:
            await self.over.wait()
