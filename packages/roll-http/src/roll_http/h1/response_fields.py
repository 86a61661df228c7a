"""The header fields of a response: their lines, and what some of them decide. No I/O."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from typing import Any, Final

from ..shown import shown
from ..syntax import has_forbidden, is_token, list_members
from .body_encoders import InvalidResponse

__all__ = [
    "NO_FIELDS",
    "PLAIN",
    "Fields",
    "check_value",
    "drop_field",
    "each_field",
    "kinds",
    "read_fields",
]

PLAIN, _LENGTH, _CODING, _CONNECTION, _DATE, _TYPE = range(6)
_SPECIAL: Final = {
    "content-length": _LENGTH,
    "transfer-encoding": _CODING,
    "connection": _CONNECTION,
    "date": _DATE,
    "content-type": _TYPE,
}

# Added to the kind of a name whose field was seen under another spelling, or may have been. Two
# spellings of one field are never both plain: only where there is one of these may a field come
# twice.
_RESPELT: Final = 8

kinds: dict[str, int] = {"Content-Type": PLAIN}
"""The kind of each field name seen."""

# The first spelling seen of each name in lower case.
_spellings: dict[str, str] = {"content-type": "Content-Type"}

# Names come from the application, so they are few; one that makes them up can't fill the memory
# all the same.
_MAX_KINDS: Final = 1024

# The digits of 2**64.
LONGEST_LENGTH: Final = 20


class Fields:
    """The field lines of a response, and the values of those that frame it."""

    __slots__ = ("close", "connection", "date", "length", "lines", "typed")

    def __init__(self) -> None:
        self.lines = ""
        self.length: int | None = None
        self.close = False
        self.connection: list[str] = []  # options beside close and keep-alive
        self.date = False
        self.typed = False
        """Whether a `Content-Type` was given, even an empty one."""

    def take(self, kind: int, name: str, text: str) -> str:
        """Read a special field; return the line to send for it."""
        if kind == _LENGTH:
            self.length = _content_length(text)
        elif kind == _CONNECTION:
            self._take_connection(text)
        elif kind == _DATE:
            self.date = True
            return f"{name}: {text}\r\n"
        elif kind == _TYPE:
            self.typed = True
            return f"{name}: {text}\r\n"
        return ""

    def _take_connection(self, text: str) -> None:
        options = list(list_members(text))
        self.close = "close" in options
        self.connection = [option for option in options if option not in {"close", "keep-alive"}]


NO_FIELDS: Final = Fields()


def read_fields(headers: Mapping[str, Any], *, unique: bool = False) -> Fields:
    """Return what `headers` say; where a name comes twice in other cases, the last one counts.

    A list or a tuple has a line for each of its items. A field whose value is None is
    not set. `unique` says that no name comes twice.
    Raises `InvalidResponse` for a name or a value that cannot be sent: also for a coroutine, a
    function or an object whose text would only tell its address.
    """
    check_mapping(headers)
    fields = Fields()
    fields.typed = headers.get("Content-Type") is not None
    lines = ""
    for name, value in headers.items():
        if value is None:
            continue
        kind = kinds.get(name)
        if kind is None:
            kind = _learn(name)
        if kind >= _RESPELT:
            if not unique:
                return read_fields(_last_of_each(headers), unique=True)
            kind -= _RESPELT
        if type(value) is str and value.isprintable():
            lines += fields.take(kind, name, value) if kind else f"{name}: {value}\r\n"
        else:
            lines += _lines_of(fields, kind, name, value)
    fields.lines = lines
    return fields


def check_mapping(headers: Any) -> None:
    """Raise `InvalidResponse` for headers that are not a dict."""
    if not isinstance(headers, Mapping):
        kind = type(headers).__name__
        raise InvalidResponse(f"`response.headers` is a {kind}: give a dict of names to values")


def _lines_of(fields: Fields, kind: int, name: str, value: Any) -> str:
    texts = _texts_of(name, value)
    for text in texts:
        if not text.isprintable():
            check_value(name, text)
    if not kind:
        return "".join([f"{name}: {text}\r\n" for text in texts])
    if texts:
        return fields.take(kind, name, ", ".join(texts))
    fields.typed = fields.typed or kind == _TYPE
    return ""


def _texts_of(name: str, value: Any) -> list[str]:
    items = value if isinstance(value, list | tuple) else (value,)
    return [_text_of(name, item) for item in items if item is not None]


def _text_of(name: str, value: Any) -> str:
    kind: Any = type(value)
    if kind.__str__ is object.__str__ and kind not in _WITH_TEXT and _has_no_text(value):
        raise InvalidResponse(f"Header {name} is {_described(value)}")
    return str(value)


# They have no `__str__` of their own either.
_WITH_TEXT: Final = frozenset({int, float, bool, bytes})


def _has_no_text(value: Any) -> bool:
    """Return whether `str()` would describe the object instead of giving its text."""
    kind: Any = type(value)
    if kind.__repr__ is object.__repr__ or callable(value) or inspect.isawaitable(value):
        return True
    return hasattr(value, "__next__") or hasattr(value, "__anext__")


def _described(value: Any) -> str:
    """Describe a value that is not a text, with the correction."""
    if inspect.iscoroutine(value):
        value.close()  # otherwise Python warns as well, and this error is clearer
        return f"a coroutine, {value.__qualname__}(): `await` it first"
    if inspect.isawaitable(value):
        return f"{shown(value)}: `await` it first"
    if callable(value):
        return f"{shown(value)}: call it, and `await` the call if it is async"
    return f"{shown(value)}, which has no text of its own: give a str"


def _last_of_each(headers: Mapping[Any, Any]) -> dict[str, Any]:
    last = {name.lower() if isinstance(name, str) else name: name for name in headers}
    return {name: headers[name] for name in last.values()}


def drop_field(headers: dict[str, Any], name: str) -> None:
    """Remove a field, given in lower case, in all its spellings."""
    for spelling in [one for one in headers if len(one) == len(name) and one.lower() == name]:
        del headers[spelling]


def each_field(headers: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield name and value of each line to be sent for `headers`, as `read_fields` takes them.

    Raises `InvalidResponse` for a value that has no text, as `read_fields` does.
    """
    for name, value in _last_of_each(headers).items():
        for text in _texts_of(name, value):
            yield name, text


def _learn(name: Any) -> int:
    if not isinstance(name, str) or not is_token(name):
        raise InvalidResponse(f"Header name {shown(name)} is not a token (RFC 9110 5.1)")
    lower = name.lower()
    kind = _SPECIAL.get(lower, PLAIN)
    if len(kinds) >= _MAX_KINDS:
        _forget()
        return kind + _RESPELT  # the response may have another spelling, forgotten by now
    if _spellings.setdefault(lower, name) != name:
        kind += _RESPELT
    kinds[name] = kind
    return kind


def _forget() -> None:
    kinds.clear()
    kinds["Content-Type"] = PLAIN
    _spellings.clear()
    _spellings["content-type"] = "Content-Type"


def check_value(name: str, text: str) -> None:
    """Raise `InvalidResponse` for a control character in a field value (RFC 9110 5.5)."""
    if has_forbidden(text):
        raise InvalidResponse(
            f"Header {name} has a control character: {shown(text)} (RFC 9110 5.5)"
        )


def _content_length(text: str) -> int:
    # No more digits than `int` reads: these are enough for all that there is.
    if not (text.isascii() and text.isdecimal() and len(text) <= LONGEST_LENGTH):
        raise InvalidResponse(f"Content-Length {shown(text)} is not a number of bytes")
    return int(text)
