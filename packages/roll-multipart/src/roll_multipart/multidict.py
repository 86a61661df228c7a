"""Several values for one key: query strings, forms, files."""

import builtins
from collections.abc import Callable
from types import EllipsisType
from typing import Any, ClassVar, Generic, Self, TypeVar, overload

from .errors import FieldError, LimitError
from .files import UploadedFile
from .urlencoded import MAX_FIELDS, decode, fill

__all__ = ["Files", "Form", "Multidict", "Query"]

T = TypeVar("T")
D = TypeVar("D")

BOOLEANS: dict[str, bool | None] = {
    **dict.fromkeys(("1", "on", "t", "true", "yes"), True),
    **dict.fromkeys(("0", "f", "false", "no", "off"), False),
    **dict.fromkeys(("n", "none", "null"), None),
}


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
        strict: builtins.bool = False,
    ) -> Self:
        """Parse a query string or a body of type application/x-www-form-urlencoded.

        The result is that of `urllib.parse.parse_qs`, blank values kept. Raises `LimitError` for
        more than `max_fields` pairs, empty ones counted; when strict, `MultipartError` for bytes
        that are not UTF-8 and for a pair without `=`.
        """
        if not isinstance(text, str):
            text = decode(text, strict=strict)
        if len(text) >= max_fields and text.count("&") >= max_fields:
            raise LimitError("Too many fields")
        values = cls()
        if text:
            fill(values, text, strict=strict)
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
        """The value as an integer."""
        return self._cast(key, default, builtins.int, "an integer")

    @overload
    def float(self, key: str, default: EllipsisType = ...) -> builtins.float: ...
    @overload
    def float(self, key: str, default: D) -> builtins.float | D: ...
    def float(self, key: str, default: Any = ...) -> Any:
        """The value as a float."""
        return self._cast(key, default, builtins.float, "a number")

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
    if text.lower() not in BOOLEANS:
        raise ValueError(text)
    return BOOLEANS[text.lower()]


class Form(Query):
    """The text fields of a form."""


class Files(Multidict[UploadedFile]):
    """The files of a form; as a context manager it closes them at the end."""

    def close(self) -> None:
        """Close every file: temporary ones are gone from the disk."""
        for files in self.values():
            for file in files:
                file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()
