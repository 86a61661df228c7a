"""How much of everything a body may have."""

import sys
from dataclasses import dataclass, fields
from typing import Any, Final

from .urlencoded import MAX_FIELD_SIZE, MAX_TEXT_SIZE

__all__ = ["DEFAULTS", "UNLIMITED", "Limits", "check_limit", "make_limits"]

UNLIMITED: Final = sys.maxsize
KIB = 2**10
MIB = 2**20


def check_limit(name: str, limit: Any) -> int:
    """Return a limit as a number; raises `ValueError` for what is none."""
    if limit is None:
        return UNLIMITED
    if not isinstance(limit, int) or isinstance(limit, bool) or limit < 0:
        raise ValueError(f"{name} must be an integer of 0 or more, or None, not {limit!r}")
    return limit


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of one body; sizes are in bytes. Past one: `LimitError` (413).

    None and `UNLIMITED` stand for no limit. Raises `ValueError` for a limit that is no integer or
    below 0. Nothing here limits the whole body: whoever reads it knows how long it may be.
    """

    max_parts: int = 1000
    """Parts, fields and files together."""
    max_headers: int = 32
    """Header lines of one part."""
    max_header_size: int = 8 * KIB
    """All header lines of one part."""
    max_preamble: int = 64 * KIB
    """What comes before the first boundary and is skipped."""
    max_field_size: int = MAX_FIELD_SIZE
    """One text field."""
    max_text_size: int = MAX_TEXT_SIZE
    """All text fields of one body."""
    max_files_size: int = UNLIMITED
    """All files of one body; not limited by default."""
    max_temporary_files: int = 64
    """Files of one body that lie on disk, each holding a file descriptor."""
    file_memory: int = MIB
    """What one file may take of memory; past it the file moves to disk."""
    files_memory: int = 8 * MIB
    """What all files of one body may take of memory; past it they move to disk."""

    def __post_init__(self) -> None:
        for field in fields(self):
            limit = check_limit(field.name, getattr(self, field.name))
            object.__setattr__(self, field.name, limit)  # it is frozen


DEFAULTS = Limits()


def make_limits(limits: dict[str, Any]) -> Limits:
    """Return the limits that were given as arguments; raises `TypeError` for an unknown one."""
    if not limits:
        return DEFAULTS
    known = [field.name for field in fields(Limits)]
    for name in limits:
        if name not in known:
            raise TypeError(f"Unknown argument {name!r}: the limits are {', '.join(known)}")
    return Limits(**limits)
