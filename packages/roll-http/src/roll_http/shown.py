"""Values in messages of errors and logs, in bounded length."""

from __future__ import annotations

from reprlib import Repr
from typing import Any, Final

__all__ = ["shown"]

LONGEST: Final = 300
"""The most characters of a value."""

MOST_BITS: Final = 512
"""The bits of an integer whose digits are shown."""


class Short(Repr):
    """A `repr` that shows the first items of a container, and the first and last part of text."""

    def __init__(self) -> None:
        super().__init__()
        self.maxlevel = 3
        self.maxlist = self.maxtuple = self.maxdict = 8
        self.maxset = self.maxfrozenset = self.maxdeque = self.maxarray = 8
        self.maxstring = self.maxother = self.maxlong = 200

    def repr_int(self, value: int, level: int) -> str:
        """Return the digits of an integer, unless there are too many: Python refuses to."""
        bits = value.bit_length()
        return repr(value) if bits <= MOST_BITS else f"<an int of {bits} bits>"

    def repr_bytes(self, value: bytes, level: int) -> str:
        """Return the first bytes, if there are many."""
        text = repr(value[: self.maxstring])
        return text if len(value) <= self.maxstring else f"{text}..."

    repr_bytearray = repr_bytes


SHORT: Final = Short()


def shown(value: Any) -> str:
    """Return the `repr` of a value, at most 300 characters of it.

    The message of an error may go to a log, and a value may be of any size. A value whose `repr`
    fails is shown by its type.
    """
    try:
        text = SHORT.repr(value)
    except (Exception, SystemExit):  # noqa: BLE001 - a `repr` of the application may raise these
        text = f"<an object of {type(value).__name__}>"
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."
