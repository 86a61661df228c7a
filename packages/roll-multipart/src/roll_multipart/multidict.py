"""Several values for one key: query strings, forms, files."""

import builtins
from collections.abc import (
    Callable,
    ItemsView,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from math import inf, isfinite
from types import EllipsisType
from typing import Any, ClassVar, Final, Generic, Literal, Self, TypeVar, overload

from .errors import FieldError, refuse_async
from .files import UploadedFile
from .urlencoded import MAX_FIELD_SIZE, MAX_FIELDS, MAX_TEXT_SIZE, SHORT, fill_long, fill_short

__all__ = ["Files", "Form", "Multidict", "Query"]

BOOLEANS: dict[str, bool | None] = {
    **dict.fromkeys(("1", "on", "t", "true", "yes"), True),
    **dict.fromkeys(("0", "f", "false", "no", "off"), False),
    **dict.fromkeys(("n", "none", "null"), None),
}
LONGEST_BOOLEAN: Final = max(map(len, BOOLEANS))
# Python refuses more digits if it is told to, and otherwise takes time in proportion to their
# square: so many it always takes.
MAX_DIGITS: Final = 640
# All that a number is made of; no blanks, `_`, `nan` or digits of other alphabets.
DECIMAL: Final = "0123456789+-.eE"

T = TypeVar("T")
C = TypeVar("C")
D = TypeVar("D")

Items = Mapping[str, T] | Mapping[str, Sequence[T]] | Iterable[tuple[str, T | Sequence[T]]]


class Multidict(dict[str, list[T]], Generic[T]):
    """A dict of lists whose `get` gives one value.

    It is made from pairs, or from a mapping; a list or tuple as a value stands for several values
    of its key, anything else for one. Asked for a key that is missing, without a default, it
    raises `Error(message)`: a `FieldError` unless a subclass says otherwise.
    """

    Error: ClassVar[Any] = FieldError

    def __init__(self, items: Items[T] = (), /, **more: T | Sequence[T]) -> None:
        if items:
            add_all(self, get_pairs(items))
        if more:
            add_all(self, more.items())

    @overload  # type: ignore[override]  # one value, where a dict of lists gives the list
    def get(self, key: str, default: EllipsisType = ...) -> T: ...
    @overload
    def get(self, key: str, default: D) -> T | D: ...
    def get(self, key: str, default: D | EllipsisType = ...) -> T | D:
        """Return the first value of the key, or the default as it is."""
        values = dict.get(self, key)
        if values:
            return values[0]
        return self._missing(key, default)

    @overload
    def list(self, key: str, default: EllipsisType = ...) -> builtins.list[T]: ...
    @overload
    def list(self, key: str, default: D) -> builtins.list[T] | D: ...
    def list(self, key: str, default: D | EllipsisType = ...) -> builtins.list[T] | D:
        """Return all values of the key, or the default as it is."""
        values = dict.get(self, key)
        if values:
            return values
        return self._missing(key, default)

    getlist = list  # noqa: A003 - the method, which is named as it was in 0.13

    @overload  # type: ignore[override]  # pairs of single values, where a dict has one kind
    def items(self, multi: Literal[False] = ...) -> ItemsView[str, builtins.list[T]]: ...
    @overload
    def items(self, multi: Literal[True]) -> Iterator[tuple[str, T]]: ...
    def items(self, multi: bool = False) -> Any:
        """Return the keys with their lists, or with `multi` a pair for each single value."""
        if multi:
            return ((key, value) for key, values in dict.items(self) for value in values)
        return dict.items(self)

    def add(self, key: str, value: T) -> None:
        """Append a value to those of the key."""
        self.setdefault(key, []).append(value)

    def setlist(self, key: str, values: Iterable[T]) -> None:
        """Replace all values of the key."""
        self[key] = [*values]

    def update(self, items: Items[T] = (), /, **more: T | Sequence[T]) -> None:  # type: ignore[override]
        """Replace the values of each key that is given; the arguments are those of the class."""
        dict.update(self, Multidict(items))
        dict.update(self, Multidict(more))

    def copy(self) -> Self:
        """Return an equal one of the same class, with lists of its own."""
        new = type(self).__new__(type(self))
        dict.update(new, {key: [*values] for key, values in dict.items(self)})
        return new

    __copy__ = copy

    def __or__(self, other: Items[T]) -> Self:  # type: ignore[override]
        new = self.copy()
        new.update(other)
        return new

    def __ror__(self, other: Items[T]) -> Self:  # type: ignore[override]
        new = type(self).__new__(type(self))
        new.update(other)
        new.update(self)
        return new

    def __ior__(self, other: Items[T]) -> Self:  # type: ignore[override]
        self.update(other)
        return self

    def _missing(self, key: str, default: D | EllipsisType) -> D:
        if isinstance(default, EllipsisType):
            raise self.Error(f"Missing '{key}' key")
        return default


class Query(Multidict[str]):
    """Text values that can be had as booleans and numbers.

    What cannot be cast raises `Error`. A default is given back as it is, when the key is missing.
    """

    @classmethod
    def parse(
        cls,
        text: str | bytes,
        *,
        max_fields: builtins.int = MAX_FIELDS,
        max_field_size: builtins.int = MAX_FIELD_SIZE,
        max_text_size: builtins.int = MAX_TEXT_SIZE,
        strict: builtins.bool = False,
    ) -> Self:
        """Parse a query string or a body of type application/x-www-form-urlencoded.

        The result is that of `urllib.parse.parse_qs`, blank values kept; a lone surrogate becomes
        U+FFFD. Raises `LimitError` for more than `max_fields` pairs, empty ones counted, for a
        name or a value of more than `max_field_size` bytes once decoded, and for more than
        `max_text_size` bytes in all values, or all names; when strict, `MultipartError` for bytes
        that are not UTF-8 and for a pair without `=`.
        """
        values = cls()
        short = len(text) <= SHORT <= max_field_size and max_text_size >= SHORT
        if not (short and fill_short(values, text, max_fields, strict)):
            fill_long(values, text, max_fields, max_field_size, max_text_size, strict=strict)
        return values

    @overload
    def bool(self, key: str, default: EllipsisType = ...) -> builtins.bool | None: ...
    @overload
    def bool(self, key: str, default: D) -> builtins.bool | D | None: ...
    def bool(self, key: str, default: Any = ...) -> Any:
        """Return what people write in URLs as a boolean, in any case.

        True for t, true, yes, 1, on; False for f, false, no, 0, off; None for n, none, null.
        """
        return self._cast(key, default, to_bool, "a boolean")

    @overload
    def int(self, key: str, default: EllipsisType = ...) -> builtins.int: ...
    @overload
    def int(self, key: str, default: D) -> builtins.int | D: ...
    def int(self, key: str, default: Any = ...) -> Any:
        """Return the value as an integer: up to 640 ASCII digits, with or without a sign."""
        return self._cast(key, default, to_int, "an integer")

    @overload
    def float(self, key: str, default: EllipsisType = ...) -> builtins.float: ...
    @overload
    def float(self, key: str, default: D) -> builtins.float | D: ...
    def float(self, key: str, default: Any = ...) -> Any:
        """Return the value as a float: a finite decimal number, with or without an exponent."""
        return self._cast(key, default, to_float, "a number")

    @overload
    def cast(self, key: str, function: Callable[[str], C], default: EllipsisType = ...) -> C: ...
    @overload
    def cast(self, key: str, function: Callable[[str], C], default: D) -> C | D: ...
    def cast(self, key: str, function: Callable[[str], Any], default: Any = ...) -> Any:
        """Return what the function makes of the value: `query.cast("day", date.fromisoformat)`.

        Raises `Error` when it raises a `ValueError`, a `LookupError` (a name that an `Enum` does
        not have) or an `ArithmeticError` (a text that is no `Decimal`). An async function is a
        `TypeError`.
        """
        refuse_async("function", function)
        return self._cast(key, default, function, "valid")

    def _cast(self, key: str, default: Any, cast: Callable[[str], Any], expected: str) -> Any:
        value = self.get(key, default)
        if not dict.get(self, key):
            return value
        try:
            return cast(value)
        except (ValueError, LookupError, ArithmeticError) as error:
            raise self.Error(f"Key '{key}' must be {expected}") from error


def get_pairs(items: Any) -> Iterable[tuple[str, Any]]:
    """Return the pairs of a mapping, or of what is made of pairs."""
    return items.items() if isinstance(items, Mapping) else items


def add_all(target: Multidict[Any], pairs: Iterable[tuple[str, Any]]) -> None:
    """Add the values of each pair, in lists of the target's own."""
    for key, value in pairs:
        values = target.setdefault(key, [])
        if isinstance(value, list | tuple):
            values.extend(value)
        else:
            values.append(value)


def to_bool(text: str) -> bool | None:
    """Read a boolean as people write it in URLs; raises `ValueError`."""
    word = text.lower() if len(text) <= LONGEST_BOOLEAN else ""
    if word not in BOOLEANS:
        raise ValueError("not a boolean")
    return BOOLEANS[word]


def to_int(text: str) -> int:
    """Read an integer; raises `ValueError` where `int` would take more or go on for long."""
    digits = text[1:] if text.startswith(("+", "-")) else text
    if len(digits) > MAX_DIGITS or not (digits.isascii() and digits.isdigit()):
        raise ValueError("not an integer")
    return int(text)


def to_float(text: str) -> float:
    """Read a finite number; raises `ValueError` for what only `float` takes."""
    number = float(text) if not text.strip(DECIMAL) else inf
    if not isfinite(number):
        raise ValueError("not a number")
    return number


class Form(Query):
    """The text fields of a form."""


class Files(Multidict[UploadedFile]):
    """The files of a form; as a context manager it closes them at the end."""

    def close(self) -> None:
        """Close every file: temporary ones are gone from the disk.

        When files cannot be closed, the error of the first one is raised after all others are
        closed, with the other errors as notes.
        """
        errors = [error for files in self.values() for error in map(close, files) if error]
        if errors:
            errors.sort(key=lambda error: isinstance(error, Exception))  # an interrupt goes first
            for error in errors[1:]:
                errors[0].add_note(f"Another file could not be closed: {error!r}")
            raise errors.pop(0)

    async def close_async(self) -> None:
        """Do what `close` does in a thread of asyncio: deleting a large file takes long."""
        from asyncio import to_thread  # noqa: PLC0415 - not everybody has a loop

        await to_thread(self.close)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


def close(file: UploadedFile) -> BaseException | None:
    """Close a file and return what it raised."""
    try:
        file.close()
    except BaseException as error:  # noqa: BLE001 - raised when all are closed
        return error
    return None
