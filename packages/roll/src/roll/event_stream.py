"""The body of a response that sends server-sent events: `response.sse`."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Generator
from types import coroutine
from typing import Any, Final

from roll_http import as_stream
from roll_http.cancellation import is_cancelled
from roll_http.shown import shown

from .heartbeat import Heartbeat, check_interval
from .results import ResultAdvice
from .sse import COMMENT, Dumps, encode_event, looks_like_event
from .steps import Steps

__all__ = ["EventStream"]

DICT_ADVICE: Final = (
    "gives a dict with the keys of an event to `response.sse`, which sends it as JSON: give a"
    " `ServerSentEvent` for an event with these fields, or with the dict as its data to say that"
    " the JSON is meant"
)


class EventStream(Steps):
    """An async iterator over the chunks of an event stream: one for each event.

    It yields a comment whenever the source was silent for `interval` seconds, without
    interrupting the source. When the server stops, the source is cancelled where it waits, and
    the stream ends properly, so that clients reconnect.
    """

    __slots__ = (
        "_advice",
        "_connection",
        "_dumps",
        "_interval",
        "_last",
        "_loop",
        "_stopping",
        "source",
    )

    def __init__(
        self,
        source: Any,
        dumps: Dumps,
        interval: float | None,
        connection: Any = None,
        advice: ResultAdvice | None = None,
    ) -> None:
        items = as_stream(source)
        if items is None:
            raise TypeError(
                f"`response.sse` is an async iterator of events, such as an async generator: not"
                f" {shown(source)}"
            )
        check_interval(interval)
        super().__init__(items)
        self.source = source
        """What `response.sse` was set to."""
        self._dumps = dumps
        self._interval = interval or 0.0  # 0: no comments
        self._connection = connection
        self._advice = advice
        self._loop: asyncio.AbstractEventLoop | None = None  # None before the first chunk
        self._last = 0.0  # the loop's time when the last chunk was yielded
        self._stopping = False

    def __aiter__(self) -> EventStream:
        return self

    @coroutine
    def __anext__(self) -> Generator[Any, None, bytes]:
        loop = self._loop or self._begin()
        chunk = b""
        while not chunk:  # an event without fields is empty
            if self._stopping and not self.begun:
                raise StopAsyncIteration
            try:
                came = yield from self.run()
            except asyncio.CancelledError:
                if self._stopping and not is_cancelled():
                    raise StopAsyncIteration from None
                raise
            if came:
                chunk = self._encode(self.item)
            elif not self._stopping:
                chunk = COMMENT
        self._last = loop.time()
        return chunk

    def _begin(self) -> asyncio.AbstractEventLoop:
        self._loop = loop = asyncio.get_running_loop()
        self._last = loop.time()
        if self._connection is not None:
            self._connection.on_shutdown = self.stop
            self._stopping = getattr(self._connection, "stopping", False)
        if self._interval:
            Heartbeat.of(loop).add(self, self._interval, loop)
        return loop

    def _encode(self, item: Any) -> bytes:
        if self._advice is not None and type(item) is dict and looks_like_event(item):
            self._advice.tell_once(self.source, DICT_ADVICE)
        return encode_event(item, self._dumps)

    def beat(self, now: float) -> None:
        """Send a comment if nothing was sent for the interval."""
        if self._last + self._interval <= now:
            self.leave()

    def stop(self) -> None:
        """End the stream: cancel the source where it waits."""
        if not self._stopping:
            self._stopping = True
            self.interrupt()

    async def aclose(self) -> None:
        """Close the source."""
        if self._loop is not None:
            Heartbeat.of(self._loop).discard(self)
        if self._connection is not None:
            self._connection.on_shutdown = None
        with contextlib.suppress(asyncio.CancelledError, StopAsyncIteration):
            await self.end()  # if the source still waits
        close = getattr(self._items, "aclose", None)
        if close is not None:
            await close()
