"""`Content-Disposition`: the filename with which browsers save a download (RFC 6266, 8187)."""

from __future__ import annotations

import re
import unicodedata
from typing import Final
from urllib.parse import quote

__all__ = ["attachment"]

# Path separators, control characters, lone surrogates, and characters that change the direction
# of text: with those, a name that ends in "exe" could look as if it ended in "pdf".
UNSAFE: Final = re.compile(
    r"[/\\\x00-\x1f\x7f-\x9f\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)

# Some clients do not know escapes within quotes, or decode what looks percent-encoded.
MISREAD: Final = re.compile(r'["%]|[^ -~]')

UNRESERVED: Final = "!#$&+-.^_`|~"
"""Characters of an extended value that are not encoded, besides letters and digits.

RFC 8187 3.2.1 lists them.
"""

NO_NAMES: Final = frozenset({"", ".", ".."})


def attachment(filename: str) -> str:
    """Return the field that makes browsers save a response under `filename`.

    Characters that a filename must not contain become `_`. A name with other characters than
    ASCII is sent twice: in full, and in ASCII without accents for old clients.
    """
    name = safe(filename)
    # Safe once more: without accents, a full-width slash is a slash.
    simple = safe(MISREAD.sub("_", without_accents(name)))
    field = f'attachment; filename="{simple}"'
    if simple != name:
        field += f"; filename*=UTF-8''{quote(name, safe=UNRESERVED)}"
    return field


def safe(name: str) -> str:
    """Return a name without the characters that a filename must not contain."""
    name = UNSAFE.sub("_", name).strip()
    return "download" if name in NO_NAMES else name


def without_accents(name: str) -> str:
    letters = unicodedata.normalize("NFKD", name)
    return "".join(letter for letter in letters if not unicodedata.combining(letter))
