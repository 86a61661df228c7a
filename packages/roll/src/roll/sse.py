"""The wire format of server-sent events (WHATWG HTML 9.2), without I/O."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, Final

from roll_http.json_codec import encoded
from roll_http.shown import shown
from roll_http.syntax import has_forbidden

__all__ = ["COMMENT", "ServerSentEvent", "encode_event", "looks_like_event", "number_of"]

COMMENT: Final = b":\n\n"
"""A comment, which keeps an idle connection open; clients ignore it."""

# The line ends of the format; `str.splitlines` would also split at others.
LINE_END: Final = re.compile(r"\r\n|\n|\r")

LONGEST_ID: Final = 4096
"""The greatest size of an id in bytes.

Clients send the id back in a head, and servers and proxies accept heads of 8 KiB at least, with
cookies.
"""

TOO_LARGE: Final = 10 ** (LONGEST_ID - 1)
"""The first number that is too long for an id; one place is for the sign."""

LONGEST_RETRY: Final = 2**31 - 1
"""The most milliseconds of `retry`, 24 days: timers of browsers count in 32 bits."""

DIGITS: Final = re.compile(r"[0-9]{1,10}")

NUMBER: Final = re.compile(r"-?[0-9]{1,19}")
"""A number of 64 bits, as databases count rows; some of 19 digits are too large."""

FIELDS: Final = frozenset({"data", "event", "id", "retry", "comment"})

Dumps = Callable[[Any], str | bytes]
"""A function that encodes a value as JSON."""


class ServerSentEvent:
    """One event for `response.sse`.

    Text in `data` is sent unchanged; other values are sent as JSON. An event without `data` and
    `event` does not reach the listeners of a page, but its `id` and `retry` take effect. `event`
    is the name for which a page listens (`"message"` by default). The client sends `id` back when
    it reconnects: it is then `request.last_event_id`. `retry` is the time before the client
    reconnects, in milliseconds, at most 2**31 - 1. Clients ignore a `comment`. Events are
    immutable.

    Raises:
        ValueError: `event` has a line break, `id` cannot be sent in a header field, `retry` is
            not a whole number of milliseconds, or `comment` is not text. A text with half of a
            surrogate pair is refused too.
    """

    __slots__ = ("_comment", "_data", "_event", "_id", "_retry")

    def __init__(
        self,
        data: Any = None,
        event: str | None = None,
        id: str | int | None = None,  # noqa: A002 - the name of the field
        retry: int | None = None,
        comment: str | None = None,
    ) -> None:
        if event is not None:
            event = checked_line("event", event)
        if id is not None:
            id = checked_id(id)  # noqa: A001
        if retry is not None:
            retry = checked_retry(retry)
        if comment is not None:
            check_text("comment", comment)
        if isinstance(data, str):
            check_text("data", data)
        self._data, self._event, self._id = data, event, id
        self._retry, self._comment = retry, comment

    @property
    def data(self) -> Any:
        """The text, or the value to send as JSON; None for no data."""
        return self._data

    @property
    def event(self) -> str | None:
        """The name of the event."""
        return self._event

    @property
    def id(self) -> str | None:
        """The id, as text."""
        return self._id

    @property
    def retry(self) -> int | None:
        """The time before a client reconnects, in milliseconds."""
        return self._retry

    @property
    def comment(self) -> str | None:
        """The text that clients ignore."""
        return self._comment

    def __repr__(self) -> str:
        names = ("data", "event", "id", "retry", "comment")
        given = [(name, getattr(self, name)) for name in names]
        fields = ", ".join(f"{name}={value!r}" for name, value in given if value is not None)
        return f"ServerSentEvent({fields})"

    def lines(self, dumps: Dumps) -> Iterator[str]:
        """Yield the lines of the event; `dumps` encodes data that is not text."""
        if self._comment is not None:
            yield from (f": {line}" for line in LINE_END.split(self._comment))
        if self._retry is not None:
            yield f"retry: {self._retry}"
        if self._id is not None:
            yield f"id: {self._id}"
        if self._event is not None:
            yield f"event: {self._event}"
        if self._data is not None:
            yield from data_lines(text_of(self._data, dumps))
        elif self._event is not None:
            yield "data:"  # clients drop events without a `data` line


def checked_id(value: Any) -> str:
    """Return an id as text; whole numbers, such as the ids of database rows, are converted.

    The client sends the id back in a header field. If that field were malformed or too long, the
    server would refuse each attempt of a browser to reconnect.

    Raises:
        ValueError: the id cannot be sent in a header field.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        if abs(value) >= TOO_LARGE:
            raise ValueError(f"`id` is {shown(value)}: it would not come back")
        return int.__repr__(value)
    value = checked_line("id", value)
    if has_forbidden(value) or value != value.strip(" \t"):
        raise ValueError(
            "`id` has a control character, or white space at its beginning or end:"
            f" {shown(value)} would not come back in `Last-Event-ID` (RFC 9110 5.5)"
        )
    if len(value.encode()) > LONGEST_ID:
        raise ValueError(f"`id` has more than {LONGEST_ID} bytes: it would not come back")
    return str(value)


def checked_line(name: str, text: Any) -> str:
    """Return a text that is one line; a member of an `Enum` of texts is its value."""
    check_text(name, text)
    if "\n" in text or "\r" in text:
        raise ValueError(f"`{name}` is one line, without a line break: not {shown(text)}")
    return str.__str__(text)


def check_text(name: str, text: Any) -> None:
    """Raise a `ValueError` for anything but text that UTF-8 can encode.

    Later, while the event is sent, such an error would cut the stream.
    """
    if not isinstance(text, str):
        raise ValueError(f"`{name}` is text, not {shown(text)}")  # noqa: TRY004 - as any bad event
    try:
        text.isascii() or text.encode()
    except UnicodeEncodeError:
        raise ValueError(
            f"`{name}` has half of a surrogate pair, which UTF-8 cannot encode: {shown(text)}"
        ) from None


def checked_retry(value: Any) -> int:
    """Return the milliseconds of `retry`."""
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= LONGEST_RETRY:
        raise ValueError(
            f"`retry` is a whole number of milliseconds, at most {LONGEST_RETRY}:"
            f" not {shown(value)}"
        )
    return int(value)


def is_retry(text: str) -> bool:
    """Tell whether a client takes a text as the milliseconds of `retry`."""
    return DIGITS.fullmatch(text) is not None and int(text) <= LONGEST_RETRY


def encode_event(item: Any, dumps: Dumps) -> bytes:
    """Encode an event: a text, a `ServerSentEvent`, or another value, which is sent as JSON."""
    if type(item) is str and "\n" not in item and "\r" not in item:
        return f"data: {item}\n\n".encode()
    lines = item.lines(dumps) if isinstance(item, ServerSentEvent) else None
    text = "\n".join(data_lines(text_of(item, dumps)) if lines is None else lines)
    return f"{text}\n\n".encode() if text else b""


def text_of(data: Any, dumps: Dumps) -> str:
    if isinstance(data, str):
        return data
    given = data if isinstance(data, bytes | bytearray | memoryview) else dumps(data)
    return given if isinstance(given, str) else bytes(encoded(given)).decode()


def data_lines(text: str) -> Iterator[str]:
    return (f"data: {line}" for line in LINE_END.split(text))


def looks_like_event(item: dict[Any, Any]) -> bool:
    """Tell whether a dict was probably meant as an event, as other frameworks accept it."""
    return item.keys() <= FIELDS and ("data" in item or ("event" in item and len(item) > 1))


def number_of(text: str) -> int | None:
    """Return the number that an id is; None if it is not a number of 64 bits."""
    if NUMBER.fullmatch(text) is None:
        return None
    number = int(text)
    return number if -(2**63) <= number < 2**63 else None
