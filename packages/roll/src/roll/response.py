"""The response of an application: that of roll-http, with events."""

from __future__ import annotations

from typing import Any

import roll_http
from roll_http.h1.response_fields import drop_field
from roll_http.json_codec import codec_of

from .event_stream import EventStream

__all__ = ["Response"]


class Response(roll_http.Response):
    """What is sent back: `status`, `headers`, `cookies`, `body`, and short ways to set them."""

    __slots__ = ()

    sse_interval: float | None = 15.0
    """The seconds of silence after which `sse` sends a comment; None or 0 for no comments.

    A proxy closes a connection on which nothing is sent for long, and a client that has vanished
    is only noticed when something is sent.
    """

    @property
    def sse(self) -> Any:
        """The source of the server-sent events that the body consists of; None for another body.

        Set it to an async iterator, a generator or a generator function. Each item is an event:
        text as it is, a `ServerSentEvent`, or any other value as JSON. The source is closed when
        the client leaves, and when the server stops; clients come back by themselves.
        Raises `TypeError` when set to what cannot be iterated over in that way.
        """
        return self.body.source if isinstance(self.body, EventStream) else None

    @sse.setter
    def sse(self, source: Any) -> None:
        app = self.app
        self.body = EventStream(
            source,
            codec_of(app).dumps,
            self.sse_interval,
            self.protocol,
            getattr(app, "result_advice", None),
        )
        if self.headers:
            drop_field(self.headers, "content-type")
        self.headers["Content-Type"] = "text/event-stream"
        set_missing(self.headers, "Cache-Control", "no-store")
        set_missing(self.headers, "X-Accel-Buffering", "no")  # nginx would keep events back


def set_missing(headers: dict[str, Any], name: str, value: str) -> None:
    """Set a field that is there in no spelling."""
    if name.lower() not in map(str.lower, headers):
        headers[name] = value
