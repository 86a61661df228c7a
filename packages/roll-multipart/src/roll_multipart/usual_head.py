"""Parsing of usual heads, which nearly all parts of forms have, by one expression."""

import re
from typing import Final

from .fields import check_number
from .headers import Part, clean_filename

__all__ = ["USUAL_HEAD", "USUAL_LINES", "make_part"]

# The head of nearly every part, from the line break after the boundary on. `parse_part` parses
# other heads, and gives the same result for these.
USUAL_HEAD: Final = re.compile(
    rb'\r\nContent-Disposition: form-data; name="([^"\\%\r\n\0]*+)"'
    rb'(?:; filename="(?! )([^"\\/:%\0-\x1f\x7f]*+)(?<![. ])")?+'
    rb"(?:\r\nContent-Type: ([!-~]++(?: [!-~]++)*+))?+\r\n\r\n"
)
USUAL_LINES: Final = 2


def make_part(match: re.Match[bytes], head: bytes) -> Part:
    """Return the part of a match. Only a filename that is not ASCII may need cleaning."""
    name, filename, content_type = match.groups()
    text = None
    if filename is not None:
        text = filename.decode("utf-8", "replace")
        if not text.isascii():
            text = clean_filename(text)
    kind = "" if content_type is None else content_type.decode("ascii")
    if ";" in kind:
        check_number(kind)
    return Part(head, name.decode("utf-8", "replace"), text, kind)
