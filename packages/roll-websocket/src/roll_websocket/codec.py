"""JSON codecs."""

import json
import math
import re
from typing import Any, NoReturn, Protocol

__all__ = ["Codec", "StrictJSON"]


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
        """Return the JSON of a value; raise TypeError or ValueError if it has none.

        Half a surrogate pair, which UTF-8 has nothing for, is escaped (RFC 8259 8.2).
        """
        text = self.encoder.encode(value)
        return text if text.isascii() else SURROGATE.sub(escaped, text)

    def loads(self, data: bytes) -> Any:
        """Return the value of JSON; raise ValueError for anything else, also for NaN and 1e999.

        Raises RecursionError when it is nested too deep: what is read can be written again.
        """
        text = data.decode()
        if len(text) > SHORT and text.count("[") + text.count("{") > FLAT:
            return self._read_deep(text)
        return self.decoder.decode(text)

    def _read_deep(self, text: str) -> Any:
        """Return the value of a text, read some levels deeper than it is.

        The encoder of Python 3.12 and 3.13 gives up some levels before the decoder does.
        """
        try:
            value = self.decoder.decode("[" * ROOM + text + "]" * ROOM)
            for _ in range(ROOM):
                (value,) = value  # two of them, where the text closes brackets not its own
        except ValueError:
            return self.decoder.decode(text)  # which says where it is wrong
        return value


# Levels that are left to the encoder, and to a handler that writes a few calls below its reading.
ROOM = 16
# Below so many characters or brackets, no text comes near what any interpreter can read.
SHORT = 500
FLAT = 250

# Between quotes: outside of texts, JSON is ASCII.
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
    """Refuse a constant that is no JSON (RFC 8259 6)."""
    raise ValueError(f"{text} is no JSON")
