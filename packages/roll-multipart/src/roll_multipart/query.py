"""Query strings and forms: text values, and their casts."""

import builtins
from collections.abc import Callable, Iterator
from math import inf, isfinite
from types import EllipsisType
from typing import Any, Final, Self, TypeVar, overload

from .checks import BYTES, check_callable, check_flag, refuse_unrun, wrong_type
from .multidict import Multidict
from .urlencoded import MAX_FIELD_SIZE, MAX_FIELDS, MAX_TEXT_SIZE, SHORT, fill_long, fill_short

__all__ = ["Form", "Query"]

BOOLEANS: dict[str, bool | None] = {
    **dict.fromkeys(("1", "on", "t", "true", "yes"), True),
    **dict.fromkeys(("0", "f", "false", "no", "off"), False),
    **dict.fromkeys(("n", "none", "null"), None),
}
LONGEST_BOOLEAN: Final = max(map(len, BOOLEANS))
# Converting digits takes quadratic time, and Python may be configured to refuse more than 640.
MAX_DIGITS: Final = 640
# The characters of a number: not blanks, `_`, `nan` or digits of other alphabets.
DECIMAL: Final = "0123456789+-.eE"

C = TypeVar("C")
D = TypeVar("D")


class Query(Multidict[str]):
    """Text values that can be cast to booleans and numbers.

    A value that cannot be cast raises `Error`. If the key is missing, the default is returned
    unchanged.
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

        The result is that of `urllib.parse.parse_qs` with blank values. A lone surrogate becomes
        U+FFFD. Raises `LimitError` for more than `max_fields` pairs, empty ones included. Also
        raises it for a name or a value of more than `max_field_size` decoded bytes, and for more
        than `max_text_size` decoded bytes in all names, or in all values. If strict, raises
        `MultipartError` for text that is not UTF-8, and for a pair without `=`.
        """
        if type(text) is not str and not isinstance(text, (str, *BYTES)):
            raise wrong_type("text", "text or bytes", text)
        if strict is not False:
            check_flag("strict", strict)
        if (
            max_fields is not MAX_FIELDS
            or max_field_size is not MAX_FIELD_SIZE
            or max_text_size is not MAX_TEXT_SIZE
        ):
            limits = check_limits(max_fields, max_field_size, max_text_size)
            max_fields, max_field_size, max_text_size = limits
        # Skip `__init__`, which would do nothing: a tenth faster for one short key.
        values = cls() if cls.__init__ is not Multidict.__init__ else cls.__new__(cls)
        short = len(text) <= SHORT <= max_field_size and max_text_size >= SHORT
        if not (short and fill_short(values, text, max_fields, strict)):
            fill_long(values, text, max_fields, max_field_size, max_text_size, strict=strict)
        return values

    @overload
    def bool(self, key: str, default: EllipsisType = ...) -> builtins.bool | None: ...
    @overload
    def bool(self, key: str, default: D) -> builtins.bool | D | None: ...
    def bool(self, key: str, default: Any = ...) -> Any:
        """Return the value as a boolean, in any case.

        True for t, true, yes, 1, on; False for f, false, no, 0, off; None for n, none, null.
        """
        return self._cast(key, default, to_bool, "a boolean")

    @overload
    def int(self, key: str, default: EllipsisType = ...) -> builtins.int: ...
    @overload
    def int(self, key: str, default: D) -> builtins.int | D: ...
    def int(self, key: str, default: Any = ...) -> Any:
        """Return the value as an integer: it has up to 640 ASCII digits, and perhaps a sign."""
        return self._cast(key, default, to_int, "an integer")

    @overload
    def float(self, key: str, default: EllipsisType = ...) -> builtins.float: ...
    @overload
    def float(self, key: str, default: D) -> builtins.float | D: ...
    def float(self, key: str, default: Any = ...) -> Any:
        """Return the value as a float: it is a finite decimal number, perhaps with an exponent."""
        return self._cast(key, default, to_float, "a number")

    @overload
    def cast(self, key: str, function: Callable[[str], C], default: EllipsisType = ...) -> C: ...
    @overload
    def cast(self, key: str, function: Callable[[str], C], default: D) -> C | D: ...
    def cast(self, key: str, function: Callable[[str], Any], default: Any = ...) -> Any:
        """Return the result of a function of the value: `query.cast("day", date.fromisoformat)`.

        Raises `Error` if the function raises a `ValueError`, a `LookupError` (as an `Enum` does)
        or an `ArithmeticError` (as `Decimal` does). Raises `TypeError` if the function is async or
        a generator, or returns a coroutine or a generator.
        """
        check_callable("function", function)

        def cast(value: str) -> Any:
            result = function(value)
            refuse_unrun("function", result)
            return result

        return self._cast(key, default, cast, "valid", object)

    def _cast(
        self,
        key: str,
        default: Any,
        cast: Callable[[str], Any],
        expected: str,
        kind: Any = str,
    ) -> Any:
        value = self.get(key, default)
        if not dict.get(self, key):
            return value
        if not isinstance(value, kind):
            raise wrong_type(f"The value of {key!r}", "text", value)
        try:
            return cast(value)
        except (ValueError, LookupError, ArithmeticError) as error:
            raise self.Error(f"Key '{key}' must be {expected}") from error


class Form(Query):
    """The text fields of a form."""


def check_limits(*limits: Any) -> Iterator[int]:
    """Yield the limits of `Query.parse` as numbers. Raises `ValueError` for an invalid limit."""
    from .limits import check_limit  # noqa: PLC0415 - most callers are content with the defaults

    names = ("max_fields", "max_field_size", "max_text_size")
    return map(check_limit, names, limits)


def to_bool(text: str) -> bool | None:
    """Parse a boolean. Raises `ValueError`."""
    word = text.lower() if len(text) <= LONGEST_BOOLEAN else ""
    if word not in BOOLEANS:
        raise ValueError("not a boolean")
    return BOOLEANS[word]


def to_int(text: str) -> int:
    """Parse an integer. Raises `ValueError`, also for other text that `int` accepts."""
    digits = text[1:] if text.startswith(("+", "-")) else text
    if len(digits) > MAX_DIGITS or not (digits.isascii() and digits.isdigit()):
        raise ValueError("not an integer")
    return int(text)


def to_float(text: str) -> float:
    """Parse a finite number. Raises `ValueError`, also for other text that `float` accepts."""
    number = float(text) if not text.strip(DECIMAL) else inf
    if not isfinite(number):
        raise ValueError("not a number")
    return number
