"""Several values for one key: query strings, forms, files."""

import builtins
from collections.abc import Callable
from math import inf, isfinite
from types import EllipsisType
from typing import Any, ClassVar, Final, Generic, Self, TypeVar, overload

from .errors import FieldError
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
D = TypeVar("D")


class Multidict(dict[str, list[T]], Generic[T]):
    """A dict of lists whose `get` gives one value.

    Asked for a key that is missing, without a default, it raises `Error(message)`: a `FieldError`
    unless a subclass says otherwise.
    """

    Error: ClassVar[Any] = FieldError

    @overload  # type: ignore[override]  # one value, where a dict of lists gives the list
    def get(self, key: str, default: EllipsisType = ...) -> T: ...
    @overload
    def get(self, key: str, default: D) -> T | D: ...
    def get(self, key: str, default: D | EllipsisType = ...) -> T | D:
        """The first value of the key, or the default as it is."""
        values = dict.get(self, key)
        if values:
            return values[0]
        return self._missing(key, default)

    @overload
    def list(self, key: str, default: EllipsisType = ...) -> builtins.list[T]: ...
    @overload
    def list(self, key: str, default: D) -> builtins.list[T] | D: ...
    def list(self, key: str, default: D | EllipsisType = ...) -> builtins.list[T] | D:
        """All values of the key, or the default as it is."""
        values = dict.get(self, key)
        if values:
            return values
        return self._missing(key, default)

    def add(self, key: str, value: T) -> None:
        """Append a value to those of the key."""
        self.setdefault(key, []).append(value)

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
        """True for t, true, yes, 1, on; False for f, false, no, 0, off; None for n, none, null."""
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

    def _cast(self, key: str, default: Any, cast: Callable[[str], Any], expected: str) -> Any:
        value = self.get(key, default)
        if not dict.get(self, key):
            return value
        try:
            return cast(value)
        except ValueError as error:
            raise self.Error(f"Key '{key}' must be {expected}") from error


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

        What the first raises that cannot be closed is raised when all the others are, with notes
        of what these raised.
        """
        errors = [error for files in self.values() for error in map(close, files) if error]
        if errors:
            for error in errors[1:]:
                errors[0].add_note(f"Another file could not be closed: {error!r}")
            raise errors.pop(0)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


def close(file: UploadedFile) -> Exception | None:
    """Close a file and return what it raised."""
    try:
        file.close()
    except Exception as error:  # noqa: BLE001 - raised when all are closed
        return error
    return None
