"""JSON, as messages have it."""

import json
import math
from typing import Any, NoReturn, Protocol

__all__ = ["Codec", "StrictJSON"]


class Codec(Protocol):
    """What encodes and decodes JSON: the modules `json`, `ujson` and `orjson` do."""

    def dumps(self, value: Any, /) -> str | bytes:
        """Return the JSON of a value."""

    def loads(self, data: bytes, /) -> Any:
        """Return the value of JSON; raises ValueError for what is none."""


class StrictJSON:
    """JSON of the standard library as RFC 8259 has it: UTF-8, compact, finite numbers."""

    def __init__(self) -> None:
        self.encoder = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        self.decoder = json.JSONDecoder(parse_float=finite, parse_constant=refuse)

    def dumps(self, value: Any) -> str:
        """Return the JSON of a value; TypeError or ValueError for one that has none."""
        return self.encoder.encode(value)

    def loads(self, data: bytes) -> Any:
        """Return the value of JSON; ValueError for what is none, NaN and Infinity among it."""
        return self.decoder.decode(data.decode())


def finite(text: str) -> float:
    """Return a number that a float can hold."""
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"A number is out of range: {text[:40]}")
    return number


def refuse(text: str) -> NoReturn:
    """Refuse a constant that is no JSON (RFC 8259 6)."""
    raise ValueError(f"{text} is no JSON")
