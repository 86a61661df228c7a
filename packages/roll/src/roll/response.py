"""The response of an application: that of roll-http, with files, events and `after`."""

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
    """A response: `status`, `headers`, `cookies`, `body`, and shortcuts that set them."""

    __slots__ = ()

    @property
    def text(self) -> str:
        """The body as text, decoded by the charset of its `Content-Type`, else as UTF-8.

        Raises `TypeError` for a streamed body.
        """
        return decode(self.body, field_of(self.headers, "content-type") or "")

    if TYPE_CHECKING:
        # Many applications define a method `html` that renders templates: `Any` allows that.
        html: Any
    else:

        @property
        def html(self) -> Any:
            """The body; setting it also sets the type to `text/html; charset=utf-8`.

            The text is not escaped: use a template engine that escapes it.
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
        """Send a file with validators, conditional requests and ranges (RFC 9110 13, 14).

        Browsers show the file; with a `filename`, they save it under that name (RFC 6266). A path
        that comes from a client needs a `root`, the folder of the file. The path cannot leave
        that folder, also not by a link, and cannot name a dotfile. The file is opened after the
        handler has returned: a missing file is a 404, a file outside of the root a 400. A status,
        a `Content-Type` or a validator that the handler sets is kept.

        Raises:
            ValueError: the path or the root is not a path, or the filename is not text.
        """
        self.body = SentFile(path, filename, root)
        if self.request is not None:
            unsettled(self.request)

    @property
    def file(self) -> Any:
        """The path of the file to send; setting it calls `send_file(path)`.

        None without a file, and after the file was opened.
        """
        return self.body.path if isinstance(self.body, SentFile) else None

    @file.setter
    def file(self, path: str | os.PathLike[str]) -> None:
        self.send_file(path)

    # Conditional responses.

    @property
    def etag(self) -> str | None:
        """The tag of this version; set it so that Roll answers conditional requests (304, 412).

        Set it to text without quotes, such as a hash: Roll adds the quotes. Write a weak tag as
        `W/"..."`. None removes the tag. Conditions are checked after all listeners have run, for
        a successful response to GET or HEAD (RFC 9110 13).
        Raises `ValueError` when set to an invalid tag.
        """
        return parsed_etag(field_of(self.headers, "etag"))

    @etag.setter
    def etag(self, text: str | None) -> None:
        self._set_validator("ETag", None if text is None else formatted_etag(text))

    @property
    def last_modified(self) -> datetime | None:
        """The time of the last change, in UTC; set it for conditional requests, as `etag`.

        A naive `datetime` is taken as UTC. Fractions of a second are dropped. A time in the future
        is sent as the current time. None removes the field.
        Raises `ValueError` when set to something other than a `datetime`.
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

    Proxies close idle connections, and Roll notices a lost client only when it sends something.
    """

    @property
    def sse(self) -> Any:
        """The source of the server-sent events in the body; None for another body.

        Set it to an async iterator, a generator or a generator function. Each item is an event:
        text as it is, a `ServerSentEvent`, or any other value as JSON. The source is closed when
        the client disconnects, and when the server stops. Clients reconnect by themselves.
        Raises `TypeError` when set to something else, and `ValueError` for an invalid
        `sse_interval`.
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
        set_missing(self.headers, "X-Accel-Buffering", "no")  # otherwise nginx buffers events


def set_missing(headers: dict[str, Any], name: str, value: str) -> None:
    """Set a field unless it is there; the case of its name does not matter."""
    if name.lower() not in map(str.lower, headers):
        headers[name] = value
