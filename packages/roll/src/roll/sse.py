"""Server-sent events as they are written on the wire (WHATWG HTML 9.2). No I/O."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, Final

from roll_http.syntax import has_forbidden

__all__ = ["COMMENT", "ServerSentEvent", "encode_event", "looks_like_event", "number_of"]

COMMENT: Final = b":\n\n"
"""What keeps an idle connection open: clients ignore it."""

# The only line ends of the format: `str.splitlines` knows more.
LINE_END: Final = re.compile(r"\r\n|\n|\r")

LONGEST_ID: Final = 4096
"""The most bytes of an id: servers and proxies take heads of 8 KiB at least, cookies included."""

NUMBER: Final = re.compile(r"-?[0-9]{1,19}")
"""A number of 64 bits, as databases count rows; some of 19 digits are too large."""

FIELDS: Final = frozenset({"data", "event", "id", "retry", "comment"})

Dumps = Callable[[Any], str | bytes]
"""Encodes a value as JSON."""


class ServerSentEvent:
    """One event for `response.sse`.

    `data` is sent as it is if it is text, else as JSON; without `data` a page learns nothing of
    the event, except its `id` and `retry`. `event` is the name under which a page listens
    (`"message"` by default), `id` comes back as `request.last_event_id` when the client
    reconnects, and `retry` says after how many milliseconds it does so. A `comment` is ignored by
    clients. An event cannot be changed.

    Raises:
        ValueError: `event` has a line break, `id` could not come back in a header field, or
            `retry` is no number of milliseconds.
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
            check_line("event", event)
        if id is not None:
            id = checked_id(id)  # noqa: A001
        if retry is not None:
            check_retry(retry)
        if comment is not None and not isinstance(comment, str):
            raise ValueError(f"`comment` is text, not {comment!r}")
        self._data, self._event, self._id = data, event, id
        self._retry, self._comment = retry, comment

    @property
    def data(self) -> Any:
        """The text, or the value that JSON encodes; None for no data."""
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
        """The milliseconds after which a client reconnects."""
        return self._retry

    @property
    def comment(self) -> str | None:
        """The comment."""
        return self._comment

    def __repr__(self) -> str:
        names = ("data", "event", "id", "retry", "comment")
        given = [(name, getattr(self, name)) for name in names]
        fields = ", ".join(f"{name}={value!r}" for name, value in given if value is not None)
        return f"ServerSentEvent({fields})"

    def lines(self, dumps: Dumps) -> Iterator[str]:
        """Yield the lines of the event; `dumps` encodes data that is no text."""
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
            yield "data:"  # clients drop an event that has no data, whatever its name


def checked_id(value: Any) -> str:
    """Return an id as text; a number is taken for a row's.

    A client sends it back as a header field. Where that is malformed or too long, the request is
    refused, and a browser never reconnects.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    check_line("id", value)
    if has_forbidden(value) or value != value.strip(" \t"):
        raise ValueError(
            f"`id` has a control character, or white space at its begin or end: {value!r} would"
            " not come back in `Last-Event-ID` (RFC 9110 5.5)"
        )
    if len(value.encode()) > LONGEST_ID:
        raise ValueError(f"`id` has more than {LONGEST_ID} bytes: it would not come back")
    return str(value)


def check_line(name: str, text: Any) -> None:
    if not isinstance(text, str):
        raise ValueError(f"`{name}` is text, not {text!r}")  # noqa: TRY004 - as any bad event
    if "\n" in text or "\r" in text:
        raise ValueError(f"`{name}` is one line, without a line break: not {text!r}")


def check_retry(value: Any) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError(f"`retry` is a whole number of milliseconds, not {value!r}")


def encode_event(item: Any, dumps: Dumps) -> bytes:
    """Return the bytes of an event: text as it is, a `ServerSentEvent`, else the value as JSON."""
    if type(item) is str and "\n" not in item and "\r" not in item:
        return f"data: {item}\n\n".encode()
    lines = item.lines(dumps) if isinstance(item, ServerSentEvent) else None
    text = "\n".join(data_lines(text_of(item, dumps)) if lines is None else lines)
    return f"{text}\n\n".encode() if text else b""


def text_of(data: Any, dumps: Dumps) -> str:
    if isinstance(data, str):
        return data
    encoded = data if isinstance(data, bytes | bytearray | memoryview) else dumps(data)
    return encoded if isinstance(encoded, str) else bytes(encoded).decode()


def data_lines(text: str) -> Iterator[str]:
    return (f"data: {line}" for line in LINE_END.split(text))


def looks_like_event(item: dict[Any, Any]) -> bool:
    """Tell whether a dict was probably meant as an event: other frameworks take such dicts."""
    return item.keys() <= FIELDS and ("data" in item or ("event" in item and len(item) > 1))


def number_of(text: str) -> int | None:
    """Return the number that an id is; None if it is not a number of 64 bits."""
    if NUMBER.fullmatch(text) is None:
        return None
    number = int(text)
    return number if -(2**63) <= number < 2**63 else None
