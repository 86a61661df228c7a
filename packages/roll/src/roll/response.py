"""The response of an application: that of roll-http, with files, events, and work after it."""

from __future__ import annotations

import os
from datetime import datetime
from typing import TYPE_CHECKING, Any

import roll_http
from roll_http.h1.response_fields import drop_field
from roll_http.json_codec import codec_of

from .answered import RunsAfter
from .charsets import decode
from .conditional import (
    formatted_date,
    formatted_etag,
    parsed_etag,
    parsed_modified,
)
from .event_stream import EventStream
from .fields import field_of
from .late import unsettled
from .sent_file import SentFile

__all__ = ["Response"]


class Response(RunsAfter, roll_http.Response):
    """What is sent back: `status`, `headers`, `cookies`, `body`, and short ways to set them."""

    __slots__ = ()

    @property
    def text(self) -> str:
        """The body as text, decoded by the charset of its `Content-Type`, else as UTF-8.

        Raises `TypeError` for a body that is to be streamed.
        """
        return decode(self.body, field_of(self.headers, "content-type") or "")

    if TYPE_CHECKING:
        # Applications have a method of this name, to render templates: type checkers let them.
        html: Any
    else:

        @property
        def html(self) -> Any:
            """The body; set it to have the body sent as HTML, `text/html; charset=utf-8`.

            Nothing is escaped: use a template engine that does.
            """
            return self.body

        @html.setter
        def html(self, text: Any) -> None:
            self.body = text
            self._set_type("text/html; charset=utf-8")

    # Files.

    def send_file(
        self,
        path: str | os.PathLike[str],
        filename: str | None = None,
        root: str | os.PathLike[str] | None = None,
    ) -> None:
        """Send a file as `static` does: with validators, conditions, ranges (RFC 9110 13, 14).

        It is shown in place; with a `filename`, it is saved under that name (RFC 6266). A path
        that comes from a client needs a `root`, the folder that it is in: it cannot leave that
        folder, links followed, nor name a dotfile. The file is opened when the handler has
        returned: if there is none, the answer is a 404; outside of the root, it is a 400. A
        status, a `Content-Type` or a validator that the handler sets is kept.

        Raises:
            ValueError: the path or the root is none, or the filename is no text.
        """
        self.body = SentFile(path, filename, root)
        if self.request is not None:
            unsettled(self.request)

    @property
    def file(self) -> Any:
        """The path of the file that is to be sent; set it for what `send_file(path)` does.

        None when there is none, and once it is opened.
        """
        return self.body.path if isinstance(self.body, SentFile) else None

    @file.setter
    def file(self, path: str | os.PathLike[str]) -> None:
        self.send_file(path)

    # Conditional responses.

    @property
    def etag(self) -> str | None:
        """The tag of this version; set it to have conditional requests answered by 304 or 412.

        It is text without quotes, such as a hash, which is sent in quotes; a weak tag is written
        `W/"..."`. None removes it. Conditions are looked at when all listeners have run, of a
        successful response to GET or HEAD (RFC 9110 13).
        Raises `ValueError` when set to what no tag may be.
        """
        return parsed_etag(field_of(self.headers, "etag"))

    @etag.setter
    def etag(self, text: str | None) -> None:
        self._set_validator("ETag", None if text is None else formatted_etag(text))

    @property
    def last_modified(self) -> datetime | None:
        """The time of the last change, in UTC; set it for conditional requests, as `etag`.

        A naive `datetime` is in UTC. Fractions of a second are dropped; one in the future is sent
        as now. None removes it.
        Raises `ValueError` when set to what is no `datetime`.
        """
        return parsed_modified(field_of(self.headers, "last-modified"))

    @last_modified.setter
    def last_modified(self, moment: datetime | None) -> None:
        self._set_validator("Last-Modified", None if moment is None else formatted_date(moment))

    def _set_validator(self, name: str, field: str | None) -> None:
        drop_field(self.headers, name.lower())
        if field is not None:
            self.headers[name] = field
            if self.request is not None:
                unsettled(self.request).conditional = True

    def _set_type(self, content_type: str) -> None:
        if self.headers:
            drop_field(self.headers, "content-type")
        self.headers["Content-Type"] = content_type

    # Server-sent events.

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
        self._set_type("text/event-stream")
        set_missing(self.headers, "Cache-Control", "no-store")
        set_missing(self.headers, "X-Accel-Buffering", "no")  # nginx would keep events back


def set_missing(headers: dict[str, Any], name: str, value: str) -> None:
    """Set a field that is there in no spelling."""
    if name.lower() not in map(str.lower, headers):
        headers[name] = value
