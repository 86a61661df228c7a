"""JSON codecs."""

import inspect
import json
import math
import re
import sys
from typing import Any, NoReturn, Protocol

__all__ = ["Codec", "StrictJSON", "refuse_unrun"]


class Codec(Protocol):
    """A codec of JSON, such as the modules `json`, `ujson` and `orjson`."""

    def dumps(self, value: Any, /) -> str | bytes:
        """Return the JSON of a value."""

    def loads(self, data: bytes, /) -> Any:
        """Return the value of JSON; raise ValueError for anything else."""


class StrictJSON:
    """A JSON codec of the standard library: compact UTF-8 and finite numbers (RFC 8259)."""

    def __init__(self) -> None:
        self.encoder = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        self.decoder = json.JSONDecoder(parse_float=finite, parse_constant=refuse)

    def dumps(self, value: Any) -> str:
        """Return the JSON of a value. Raise TypeError or ValueError if it has none.

        Half a surrogate pair cannot be encoded in UTF-8, so it is escaped (RFC 8259 8.2).
        """
        text = self.encoder.encode(value)
        return text if text.isascii() else SURROGATE.sub(escaped, text)

    def loads(self, data: bytes) -> Any:
        """Return the value of JSON. Raise ValueError for other text, also for NaN and 1e999.

        Raises RecursionError if it is nested too deep to be written again.
        """
        text = data.decode()
        if len(text) > SHORT and text.count("[") + text.count("{") > FLAT:
            return read_deep(self.decoder, text)
        return self.decoder.decode(text)


def read_within_room(decoder: json.JSONDecoder, text: str) -> Any:
    """Return the value of a text, read some levels deeper than it is.

    The encoder of Python 3.12 and 3.13 gives up some levels before the decoder does.
    """
    try:
        value = decoder.decode("[" * ROOM + text + "]" * ROOM)
        for _ in range(ROOM):
            (value,) = value  # a ValueError if the text closes brackets that it did not open
    except ValueError:
        return decoder.decode(text)  # its error has the right position
    return value


def read_within_limit(decoder: json.JSONDecoder, text: str) -> Any:
    """Return the value of a text that is nested 500 levels deep at most.

    From Python 3.14 on, the stack of the thread decides: the encoder takes twice as much of it for
    an object as the decoder, so the depth that was read does not tell what can be written.
    """
    value = decoder.decode(text)
    check_depth(value)
    return value


def check_depth(value: Any) -> None:
    """Raise RecursionError if a value is nested too deep, without recursion."""
    level = [value]
    for _ in range(DEEPEST):
        level = [
            child
            for each in level
            for child in (each.values() if type(each) is dict else each)
            if type(child) in CONTAINERS
        ]
        if not level:
            return
    raise RecursionError(f"JSON is nested more than {DEEPEST} levels deep")


read_deep = read_within_limit if sys.version_info >= (3, 14) else read_within_room

# Levels that are kept for the encoder, which a handler may call a few calls deeper.
ROOM = 16
# Levels that fit in the stack of any thread: 256 KiB hold 879 objects, in Python 3.14.
DEEPEST = 500
CONTAINERS = frozenset({dict, list})
# A text with fewer characters or brackets is never nested too deep.
SHORT = 500
FLAT = 250

# These occur only between quotes: JSON is ASCII elsewhere.
SURROGATE = re.compile("[\ud800-\udfff]")


def escaped(found: re.Match[str]) -> str:
    """Return the escape of half a surrogate pair."""
    return f"\\u{ord(found[0]):04x}"


def finite(text: str) -> float:
    """Return a number that a float can hold."""
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"A number is out of range: {text[:40]}")
    return number


def refuse(text: str) -> NoReturn:
    """Raise ValueError for NaN and infinities, which JSON does not have (RFC 8259 6)."""
    raise ValueError(f"{text} is not valid JSON")


def refuse_unrun(value: object) -> None:
    """Raise TypeError for an awaitable or a generator, which is true as a value."""
    if inspect.isawaitable(value) or inspect.isgenerator(value) or inspect.isasyncgen(value):
        text = f"`loads` of a JSON codec returned {value!r:.200}, which never started"
        if inspect.iscoroutine(value):
            value.close()  # otherwise Python warns that it was never awaited
        raise TypeError(text)
