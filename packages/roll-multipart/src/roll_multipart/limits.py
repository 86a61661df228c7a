"""The limits of a body."""

import sys
from dataclasses import dataclass, fields
from typing import Any, Final

from .urlencoded import MAX_FIELD_SIZE, MAX_TEXT_SIZE

__all__ = ["DEFAULTS", "UNLIMITED", "Limits", "check_limit", "make_limits"]

UNLIMITED: Final = sys.maxsize
KIB = 2**10
MIB = 2**20


def check_limit(name: str, limit: Any) -> int:
    """Return a limit as a number. Raises `ValueError` if it is not a limit."""
    if limit is None:
        return UNLIMITED
    if not isinstance(limit, int) or isinstance(limit, bool) or limit < 0:
        raise ValueError(f"{name} must be an integer of 0 or more, or None, not {limit!r}")
    return limit


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of one body, with sizes in bytes. Beyond a limit: `LimitError` (413).

    None and `UNLIMITED` mean no limit. Raises `ValueError` if a limit is not an integer, or is
    below 0. There is no limit on the whole body: set one where you read it.
    """

    max_parts: int = 1000
    """The number of parts, that is of fields and files."""
    max_headers: int = 32
    """The number of fields in the head of one part."""
    max_header_size: int = 8 * KIB
    """The size of the head of one part."""
    max_preamble: int = 64 * KIB
    """The size of the skipped text before the first boundary."""
    max_field_size: int = MAX_FIELD_SIZE
    """The size of one text field."""
    max_text_size: int = MAX_TEXT_SIZE
    """The size of all text fields of one body."""
    max_files_size: int = UNLIMITED
    """The size of all files of one body; not limited by default."""
    max_temporary_files: int = 64
    """The number of files of one body on disk. Each holds a file descriptor."""
    file_memory: int = MIB
    """The size of one file in memory. A larger file moves to disk."""
    files_memory: int = 8 * MIB
    """The size of all files of one body in memory. Beyond it, files move to disk."""

    def __post_init__(self) -> None:
        for field in fields(self):
            limit = check_limit(field.name, getattr(self, field.name))
            object.__setattr__(self, field.name, limit)  # the class is frozen


DEFAULTS = Limits()


def make_limits(limits: dict[str, Any]) -> Limits:
    """Return the limits that are given as arguments. Raises `TypeError` for an unknown one."""
    if not limits:
        return DEFAULTS
    known = [field.name for field in fields(Limits)]
    for name in limits:
        if name not in known:
            raise TypeError(f"Unknown argument {name!r}: the limits are {', '.join(known)}")
    return Limits(**limits)
