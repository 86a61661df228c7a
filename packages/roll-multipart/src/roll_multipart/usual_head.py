"""The head that nearly every part of a form has, read by one expression."""

import re
from typing import Final

from .headers import Part, clean_filename

__all__ = ["USUAL_HEAD", "USUAL_LINES", "make_part"]

# The header block of nearly every part there is, from the line break that ends the boundary's
# line. What it does not match goes the long way, `parse_part`; what it does, both read alike.
USUAL_HEAD: Final = re.compile(
    rb'\r\nContent-Disposition: form-data; name="([^"\\%\r\n\0]*+)"'
    rb'(?:; filename="([^"\\/:%\0-\x1f\x7f]*+)(?<![. ])")?+'
    rb"(?:\r\nContent-Type: ([!-~]++(?: [!-~]++)*+))?+\r\n\r\n"
)
USUAL_LINES: Final = 2


def make_part(match: re.Match[bytes], data: bytes) -> Part:
    name, filename, content_type = match.groups()
    return Part(
        data[match.start() + 2 : match.end() - 4],
        name.decode("utf-8", "replace"),
        None if filename is None else decode_filename(filename),
        "" if content_type is None else content_type.decode("ascii"),
    )


def decode_filename(data: bytes) -> str:
    """Decode a filename that has nothing in it to clean, as far as its ASCII characters go."""
    filename = data.decode("utf-8", "replace")
    return filename if filename.isascii() else clean_filename(filename)
