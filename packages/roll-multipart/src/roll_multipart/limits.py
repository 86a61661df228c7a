"""How much of everything a body may have."""

from dataclasses import dataclass

__all__ = ["DEFAULTS", "Limits"]

KIB = 2**10
MIB = 2**20


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of one multipart body; sizes are in bytes. Past one: `LimitError` (413).

    The size of files is not limited here: whoever reads the body knows how long it may be.
    """

    max_parts: int = 1000
    """Parts, fields and files together."""
    max_headers: int = 32
    """Header lines of one part."""
    max_header_size: int = 8 * KIB
    """All header lines of one part."""
    max_preamble: int = 64 * KIB
    """What comes before the first boundary and is skipped."""
    max_field_size: int = MIB
    """One text field."""
    max_text_size: int = 8 * MIB
    """All text fields of one body."""
    max_temporary_files: int = 64
    """Files of one body that lie on disk, each holding a file descriptor."""
    file_memory: int = MIB
    """What one file may take of memory; past it the file moves to disk."""
    files_memory: int = 8 * MIB
    """What all files of one body may take of memory; past it they move to disk."""


DEFAULTS = Limits()
