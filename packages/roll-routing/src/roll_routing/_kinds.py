"""The kinds of placeholders: what text each accepts, and which kind wins over which.

`accepts` judges a whole value. `spans` tells where the values that begin at an index of a text may
end: it keeps several placeholders in one segment linear.
"""

import inspect
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import Any, Final

__all__ = [
    "END",
    "KINDS",
    "LITERAL",
    "NO_REGEX",
    "OPEN",
    "PLAIN",
    "SLASH",
    "TYPED",
    "Converter",
    "Converters",
    "Kind",
    "RoutingError",
    "check_text",
    "kinds_with",
    "never_holds",
    "no_match",
    "regex_kind",
    "url_text",
]

# The ranks that precedence compares from left to right. The lower rank wins.
LITERAL: Final = 0
SLASH: Final = 1
END: Final = 2
TYPED: Final = 3
PLAIN: Final = 4
OPEN: Final = 5


class RoutingError(ValueError):
    """A mistake of the application, not of its client: the `status` is 500.

    `message`: what is wrong, and what is expected.
    """

    status: int = HTTPStatus.INTERNAL_SERVER_ERROR

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


Judge = Callable[[str], object]
Span = tuple[int, int]
Spans = Callable[[str, Sequence[int], int], Iterable[Span]]


@dataclass(frozen=True, slots=True, eq=False)
class Converter:
    """A type of placeholder that an application defines: an entry of `Routes.converters`.

    Raises a `ValueError` if the regex is not text or cannot be compiled. Also raises it if a
    function cannot be called, or is async or a generator, because nothing awaits its result.
    """

    regex: str
    """The regular expression that the whole text of a value matches."""
    to_python: Callable[[str], Any] = str
    """Converts the text of a match, and raises a `ValueError` for invalid text."""
    to_url: Callable[[Any], str] = str
    """Turns a value into text for a URL."""

    def __post_init__(self) -> None:
        if not isinstance(self.regex, str):
            raise ValueError(f"A regex is text, such as '[a-z]+', not {self.regex!r}")  # noqa: TRY004 - as every mistake here
        try:
            re.compile(self.regex)
        except NO_REGEX as error:
            raise ValueError(f"{self.regex!r} is not a valid regex: {error}") from error
        _check_function("to_python", self.to_python)
        _check_function("to_url", self.to_url)


def _check_function(name: str, call: Any) -> None:
    if not callable(call) or _is_later(call):
        raise ValueError(f"`{name}` of a converter is a plain function, not {call!r}")


def _is_later(call: Any) -> bool:
    """Tell whether a call returns a coroutine or a generator, and runs nothing."""
    while isinstance(call, partial):
        call = call.func
    calls = [call] if inspect.isclass(call) else [call, type(call).__call__]
    return any(tell(each) for tell in _LATER for each in calls)


_LATER: Final = (
    inspect.iscoroutinefunction,
    inspect.isgeneratorfunction,
    inspect.isasyncgenfunction,
)


def url_text(converter: Converter | None, value: Any) -> str:
    """Return the text of a value for a URL.

    Raises what the converter raises, and `TypeError` if the value has no text.
    """
    to_url = str if converter is None else converter.to_url
    text = value if to_url is str else to_url(value)
    if type(text) is str or type(text) is int:  # the usual types skip the slower checks below
        return str(text)
    if inspect.isawaitable(text):
        if inspect.iscoroutine(text):
            text.close()  # otherwise Python warns that it was never awaited
        raise TypeError(f"{text!r} must be awaited, but `build` awaits nothing")
    if to_url is str:
        _check_says_text(text)
    return str.__str__(text) if isinstance(text, str) else str(text)


def _is_number(value: Any) -> bool:
    from numbers import Number  # noqa: PLC0415 - 0.2 ms of everyone's start

    return isinstance(value, Number)


def _check_says_text(value: Any) -> None:
    """Raise `TypeError` for a value that would become `None` or `<object at 0x...>` in a URL."""
    says: Any = type(value).__str__
    if isinstance(value, bytes | bytearray | memoryview):
        raise TypeError("decode it first")
    if says is object.__str__ and not _is_number(value):
        raise TypeError("give text, a number, or an object with its own `__str__`")


# What `re.compile` raises: also ValueError for a number of 4,300 digits, and warnings that are
# turned into errors.
NO_REGEX: Final = (re.error, OverflowError, RecursionError, ValueError, Warning)

# Pairs of a word and its converter. They are a tuple, so that they can be the key of a cache.
Converters = tuple[tuple[str, Converter], ...]


class Kind:
    """The text that a placeholder accepts.

    `word`: the type or the regex, as written after the colon.
    `rank`: TYPED, PLAIN or OPEN.
    `accepts(value)`: returns a true value if it accepts the value.
    `member(char)`: whether a value may contain the character.
    `spans(text, runs, start)`: the lowest and the highest end of the values that begin at
        `start`, the highest first. `runs[i]` is the end of the members in a row from index `i`.
        None if only `accepts` can tell: then each end in the run is tried.
    `slash`: whether a value may contain a "/".
    `converter`: the converter of a type that the application defines, or None.
    """

    __slots__ = ("accepts", "converter", "member", "rank", "slash", "spans", "word")

    def __init__(
        self,
        word: str,
        rank: int,
        accepts: Judge,
        member: Judge,
        spans: Spans | None = None,
        *,
        slash: bool = False,
        converter: Converter | None = None,
    ) -> None:
        self.word, self.rank, self.accepts, self.member = word, rank, accepts, member
        self.spans, self.slash, self.converter = spans, slash, converter


def _always(_: str) -> bool:
    return True


def _in_segment(value: str) -> bool:
    return value != "" and "/" not in value


def _is_digit(value: str) -> bool:
    # `str.isdigit` alone accepts "²" and the digits of every script.
    return value.isdigit() and value.isascii()


def _matches(regex: str) -> Judge:
    return re.compile(regex).fullmatch


def _some(_: str, runs: Sequence[int], start: int) -> Iterable[Span]:
    yield start + 1, runs[start]


def _any(_: str, runs: Sequence[int], start: int) -> Iterable[Span]:
    yield start, runs[start]


def _int(text: str, runs: Sequence[int], start: int) -> Iterable[Span]:
    first = start + text.startswith("-", start)
    yield first + 1, runs[first]


def _float(text: str, runs: Sequence[int], start: int) -> Iterable[Span]:
    first = start + text.startswith("-", start)
    point = runs[first]
    if point > first and text.startswith(".", point):
        yield point + 2, runs[point + 1]
    yield first + 1, point


def _uuid(text: str, _: Sequence[int], start: int) -> Iterable[Span]:
    if found := _UUID.match(text, start):
        yield found.end(), found.end()


_UUID: Final = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_is_uuid: Final = _matches(_UUID.pattern)
_is_int: Final = _matches("-?[0-9]+")
_is_float: Final = _matches(r"-?[0-9]+(?:\.[0-9]+)?")
_in_digits: Final = "0123456789".__contains__
_no_slash: Final = "/".__ne__

KINDS: Final = {
    kind.word: kind
    for kind in (
        Kind("string", PLAIN, _in_segment, _no_slash, _some),
        Kind("digit", TYPED, _is_digit, _in_digits, _some),
        Kind("alpha", TYPED, str.isalpha, str.isalpha, _some),
        Kind("alnum", TYPED, str.isalnum, str.isalnum, _some),
        Kind("int", TYPED, _is_int, _in_digits, _int),
        Kind("float", TYPED, _is_float, _in_digits, _float),
        Kind("uuid", TYPED, _is_uuid, _no_slash, _uuid),
        Kind("path", OPEN, bool, _always, _some, slash=True),
        Kind("any", OPEN, _always, _always, _any, slash=True),
    )
}

_REGEXES: Final[dict[str | tuple[str, Converter], Kind]] = {}  # by text, or word and converter
# Regexes that never match a "/", as their text shows: words, some escapes, classes, groups without
# flags, alternatives and repetitions.
_REPEATED: Final = r"\{(?:[0-9]+(?:,[0-9]*)?|,[0-9]*)\}"
_MEMBER: Final = r"(\[-?(?:\w-\w|\\[dws.+-]|[\w.])+-?\]|\\[dws.+-]|[\w,{}-])"
_READABLE: Final = f"{_REPEATED}|{_MEMBER}"
# Compiled for the first regex: it takes 0.2 ms. The group is atomic, because a `{3,4}` can also be
# read as single characters, and trying both readings of each takes exponential time.
_TRANSPARENT: Final = rf"(?>{_READABLE}|\((?!\?)|\(\?:|[)|*+?])+"


def regex_kind(source: str) -> Kind:
    """Return the kind of the values that a regex matches whole. Raises what `re` raises."""
    # Kinds are compared by identity, so threads that make the same one must get one object.
    return _REGEXES.get(source) or _REGEXES.setdefault(source, _read(source, source))


def kinds_with(converters: Converters) -> dict[str, Kind]:
    """Return the kinds by their words, converters included. Raises what `re` raises."""
    if not converters:
        return KINDS
    own = {key[0]: _REGEXES.get(key) or _REGEXES.setdefault(key, _own(*key)) for key in converters}
    return KINDS | own


def _own(word: str, converter: Converter) -> Kind:
    return _read(converter.regex, word, converter)


def _read(regex: str, word: str, converter: Converter | None = None) -> Kind:
    accepts = _matches(regex)
    if not re.fullmatch(_TRANSPARENT, regex):
        return Kind(word, TYPED, accepts, _always, slash=True, converter=converter)
    # Each member is a regex for one character. The "-" of a range is not one: a class stays whole.
    members = "|".join(filter(None, re.findall(_READABLE, regex)))
    return Kind(word, TYPED, accepts, _matches(members), converter=converter)


def never_holds(kind: Kind, char: str) -> bool:
    """Tell whether it is known that no value of a kind contains a character."""
    return kind.spans in (None, _some) and not kind.member(char)


def check_text(path: Any) -> None:
    """Raise a `TypeError` if a path or a pattern is not text."""
    if not isinstance(path, str):
        kind = type(path).__name__
        raise TypeError(f"A path is text, such as '/users/{{name}}', and not of type {kind}")


def no_match(path: Any) -> tuple[None, None]:
    """Return no match: the table has no placeholders. Raises what `check_text` raises."""
    if type(path) is not str:
        check_text(path)
    return None, None
