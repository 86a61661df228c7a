"""Server-sent events as a browser reads them (WHATWG HTML 9.2.6). No I/O."""

from __future__ import annotations

from codecs import getincrementaldecoder
from collections.abc import Iterator
from email.message import Message
from http import HTTPStatus
from typing import Any, Final

from roll_http import SpeaksJSON

from ..codec import JSON
from ..media_types import media_type
from ..sse import LINE_END, ServerSentEvent, is_retry

__all__ = ["EventParser", "ReceivedEvent", "check_stream"]

EVENT_STREAM: Final = "text/event-stream"


class ReceivedEvent(ServerSentEvent):
    """An event that a client has received.

    `data` is text. `event` is None for an event without a name. `id` and `retry` are those that
    hold at this event, as in a browser: an event without its own has those of an earlier one.
    """

    __slots__ = ("_codec",)

    def __init__(
        self,
        data: str,
        event: str | None,
        id: str | None,  # noqa: A002 - the name of the field
        retry: int | None,
        codec: SpeaksJSON,
    ) -> None:
        # Unchecked: a client takes more than `ServerSentEvent` sends.
        self._data, self._event, self._id = data, event, id
        self._retry, self._comment = retry, None
        self._codec = codec

    @property
    def json(self) -> Any:
        """The data, decoded from JSON by the codec of the application.

        Raises the exceptions of the codec: ValueError.
        """
        return self._codec.loads(self._data.encode())


class EventParser:
    """A parser of an event stream, which takes the stream in pieces."""

    def __init__(self, codec: SpeaksJSON = JSON) -> None:
        self._codec = codec
        self._decoder = getincrementaldecoder("utf-8-sig")("replace")
        self._begun: list[str] = []  # the parts of a line whose end has not come
        self._after_cr = False  # a line feed would belong to the end of the last line
        self._data: list[str] = []
        self._event: str | None = None
        self._id: str | None = None
        self._retry: int | None = None

    def feed(self, piece: bytes) -> Iterator[ReceivedEvent]:
        """Yield the events that the next piece of the stream completes."""
        for line in self._lines(self._decoder.decode(piece)):
            if line:
                self._take(*split_field(line))
            else:
                yield from self._dispatch()

    def _lines(self, text: str) -> Iterator[str]:
        if not text:
            return
        if self._after_cr:
            text = text.removeprefix("\n")
        self._after_cr = text.endswith("\r")
        first, *others = LINE_END.split(text)
        self._begun.append(first)
        for part in others:
            line, self._begun = "".join(self._begun), [part]
            yield line

    def _take(self, name: str, value: str) -> None:
        if name == "data":
            self._data.append(value)
        elif name == "event":
            self._event = value or None
        elif name == "id" and "\0" not in value:
            self._id = value
        elif name == "retry" and is_retry(value):
            self._retry = int(value)

    def _dispatch(self) -> Iterator[ReceivedEvent]:
        """Yield the event that an empty line ends, unless it has no data."""
        data, self._data = self._data, []
        event, self._event = self._event, None
        if data:
            yield ReceivedEvent("\n".join(data), event, self._id, self._retry, self._codec)


def split_field(line: str) -> tuple[str, str]:
    """Return the name and the value of a field; a comment has an empty name."""
    name, _, value = line.partition(":")
    return name, value.removeprefix(" ")


def check_stream(status: int, headers: Message) -> None:
    """Raise a `ValueError` for a response that is not one of events.

    A browser gives an `EventSource` up at such a response.
    """
    content_type = headers.get("Content-Type", "")
    if status != HTTPStatus.OK or media_type(content_type) != EVENT_STREAM:
        raise ValueError(
            f"A browser takes events from a 200 of the type {EVENT_STREAM}, not from a {status} of"
            f" the type {content_type!r}"
        )
    if "Content-Encoding" in headers:
        raise ValueError("The events are compressed: send the request without `Accept-Encoding`")
