"""JSON by RFC 8259: NaN, infinities and numbers out of range are refused."""

from __future__ import annotations

import inspect
import json
import re
import sys
from collections.abc import Callable, Iterable
from typing import Any, Final, NoReturn, Protocol, cast

from .callables import is_plain, takes

__all__ = [
    "PLAIN_JSON",
    "JSONCodec",
    "SpeaksJSON",
    "codec_of",
    "decoded",
    "encoded",
    "escape_surrogates",
]

INFINITY = float("inf")


class SpeaksJSON(Protocol):
    """An encoder and decoder of JSON: `json`, `ujson` and `orjson`, for example."""

    def dumps(self, value: Any, /) -> str | bytes:
        """Return the value as JSON, text or UTF-8."""
        ...

    def loads(self, data: bytes, /) -> Any:
        """Return the value; raise `ValueError` when the data are not JSON."""
        ...


class JSONCodec:
    """A codec that encodes compactly, in UTF-8; `default` converts values unknown to JSON.

    `default(value)` returns the replacement to encode, or raises `TypeError`. The codec raises
    `TypeError` if `default` returns an awaitable or a generator.

    Raises `ValueError` when `default` is async or a generator, or can't be called with one
    argument.
    """

    __slots__ = ("iterate",)

    iterate: Callable[[Any, int], Iterable[str]]
    """Return the pieces of a value's JSON; the second argument is 0."""

    def __init__(self, default: Callable[[Any], Any] | None = None) -> None:
        if default is not None and not is_plain(default):
            raise ValueError(f"`default` is a plain function, not {default!r}")
        if default is not None and not takes(default, 1):
            raise ValueError(f"`default` is called with one argument, the value: not {default!r}")
        self.iterate = _iterator(None if default is None else _checked(default))

    def dumps(self, value: Any, /) -> str:
        """Return a value as JSON, without spaces.

        Half a surrogate pair, which UTF-8 can't encode, is escaped (RFC 8259 8.2).
        Raises `ValueError` or `TypeError` when the value can't be encoded: NaN, for example.
        """
        text = "".join(self.iterate(value, 0))
        return text if text.isascii() else escape_surrogates(text)

    def loads(self, data: bytes, /) -> Any:
        """Return the value of a JSON text: in UTF-8, or any encoding that `json.loads` detects.

        Raises `ValueError` when the text is not JSON. NaN, infinities, numbers out of the range of
        floats (RFC 8259 6) and integers with too many digits for `int` are refused, too.
        Raises `RecursionError` when the value is nested too deep to be encoded again.
        """
        # In a third of the time that `json.loads` takes for one key (0.3 of 1.0 us).
        try:
            text = data.decode()  # UTF-8, as RFC 8259 8.1 wants it
            if _may_be_deep(text):
                return _read_deep(text)
            value, end = _scan(text, 0)
            if end == len(text) or not text[end:].strip(" \t\r\n"):
                return value
        except (ValueError, StopIteration):
            pass
        # `json.loads` handles byte order marks and UTF-16, and reports the error.
        # Decode strictly: it would take surrogates as UTF-8 (RFC 3629 3).
        text = data.decode(json.detect_encoding(data))
        value = json.loads(text, parse_float=_finite, parse_constant=_refuse)
        return _read_deep(text) if _may_be_deep(text) else value


# The types that JSON has: they need no check.
_KNOWN = frozenset({str, int, float, bool, type(None), list, tuple, dict})


def _checked(default: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return `default` with a check of what it returns.

    The encoder would call `default` again with a coroutine or a generator, without end.
    """

    def ask(value: Any) -> Any:
        result = default(value)
        if type(result) not in _KNOWN:
            _refuse_unrun(result, "`default`")
        return result

    return ask


def _refuse_unrun(result: Any, what: str) -> None:
    if inspect.isawaitable(result) or inspect.isgenerator(result) or inspect.isasyncgen(result):
        text = f"{what} returned {result!r}, which never started"
        if inspect.iscoroutine(result):
            result.close()  # otherwise Python warns that it was never awaited
        raise TypeError(text)


def codec_of(app: Any) -> SpeaksJSON:
    """Return the codec of an application: its `JSON`, or the default."""
    codec: SpeaksJSON = getattr(app, "JSON", PLAIN_JSON)
    return codec


# Between quotes: outside of texts, JSON is ASCII.
_SURROGATE = re.compile("[\ud800-\udfff]")


def escape_surrogates(text: str) -> str:
    """Escape the half surrogate pairs in JSON, so that it can be encoded in UTF-8."""
    return _SURROGATE.sub(_escaped, text)


def _escaped(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"


def _finite(digits: str) -> float:
    number = float(digits)
    if -INFINITY < number < INFINITY:
        return number
    raise ValueError(f"The number {digits[:20]} is out of range")


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not valid JSON (RFC 8259 6)")


# A method call for each number with a fraction or an exponent costs 0.1 us.
_decoder = json.JSONDecoder(parse_float=_finite, parse_constant=_refuse)
_scan = _decoder.scan_once  # type: ignore[attr-defined]  # not in typeshed


# Levels kept free for the encoder, and for a handler that encodes a few calls deeper.
_ROOM: Final = 16
# Levels that fit in the stack of any thread: one of 256 KiB takes 879 objects, in Python 3.14.
_DEEPEST: Final = 500
_CONTAINERS: Final = frozenset({dict, list})
# A text with fewer characters or brackets is never too deep for an interpreter.
_SHORT: Final = 500
_FLAT: Final = 250


def _may_be_deep(text: str) -> bool:
    return len(text) > _SHORT and text.count("[") + text.count("{") > _FLAT


def _read_within_room(text: str) -> Any:
    """Return the value of a text, decoded inside some extra levels.

    The encoder of Python 3.12 and 3.13 fails some levels before the decoder does.
    """
    value, end = _scan("[" * _ROOM + text + "]" * _ROOM, 0)
    if end != len(text) + 2 * _ROOM:
        raise ValueError("More than one value")
    for _ in range(_ROOM):
        (value,) = value  # two of them, where the text closes brackets that are not its own
    return value


def _read_within_limit(text: str) -> Any:
    """Return the value of a text that is nested 500 levels deep at most.

    From Python 3.14 on, the stack of the thread decides: the encoder takes twice as much of it for
    an object as the decoder. So a successful decoding does not show how deep the encoder gets.
    """
    value = _decoder.decode(text)
    _check_depth(value)
    return value


def _check_depth(value: Any) -> None:
    """Raise `RecursionError` if a value is nested too deep, without recursion."""
    level = [value]
    for _ in range(_DEEPEST):
        level = [
            child
            for each in level
            for child in (each.values() if type(each) is dict else each)
            if type(child) in _CONTAINERS
        ]
        if not level:
            return
    raise RecursionError(f"JSON is nested more than {_DEEPEST} levels deep")


_read_deep = _read_within_limit if sys.version_info >= (3, 14) else _read_within_room


def _iterator(default: Callable[[Any], Any] | None) -> Callable[[Any, int], Iterable[str]]:
    """Return the C encoder that each call would make again: 0.6 us instead of 1.7 for one key.

    If the interpreter lacks it, or makes it in another way, return the encoder's own method.
    """
    # NaN is not JSON (RFC 8259 6).
    encoder = json.JSONEncoder(
        ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=default
    )
    quote = json.encoder.encode_basestring
    try:
        make: Any = json.encoder.c_make_encoder  # type: ignore[attr-defined]  # not in typeshed
        iterate = make(None, encoder.default, quote, None, ":", ",", False, False, False)
        if "".join(iterate({"a": [1, "é"]}, 0)) == encoder.encode({"a": [1, "é"]}):
            return cast("Callable[[Any, int], Iterable[str]]", iterate)
    except (AttributeError, TypeError):
        pass
    return lambda value, _: (encoder.encode(value),)


PLAIN_JSON: Final = JSONCodec()
"""The codec of applications without `JSON`."""


def decoded(codec: SpeaksJSON, data: bytes) -> Any:
    """Return the value of a JSON text.

    Raises `TypeError` when the codec returns an awaitable or a generator: anything is true to a
    handler that only tests the value.
    """
    value = codec.loads(data)
    if type(value) not in _KNOWN:
        _refuse_unrun(value, "`loads` of a JSON codec")
    return value


def encoded(text: Any) -> bytes | bytearray | memoryview:
    """Return what a codec has given as bytes; raise `TypeError` for other than text and bytes."""
    if isinstance(text, str):
        return text.encode()
    if isinstance(text, bytes | bytearray | memoryview):
        return text
    raise TypeError(f"`dumps` of a JSON codec returns text or bytes, not {text!r}")
