"""`Content-Disposition`: the name under which a download is saved (RFC 6266, RFC 8187)."""

from __future__ import annotations

import re
import unicodedata
from typing import Final
from urllib.parse import quote

__all__ = ["attachment"]

# Separators of paths, control characters and lone surrogates, and those that turn the direction
# of writing: a name that ends in "exe" must not look as if it ended in "pdf".
UNSAFE: Final = re.compile(
    r"[/\\\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)

# What some clients misread within quotes: they know no escapes, or decode what looks encoded.
MISREAD: Final = re.compile(r'["%]|[^ -~]')

UNRESERVED: Final = "!#$&+-.^_`|~"
"""What stands unencoded in an extended value, beside letters and digits (RFC 8187 3.2.1)."""

NO_NAMES: Final = frozenset({"", ".", ".."})


def attachment(filename: str) -> str:
    """Return the field that has a response saved as a file of this name.

    What no name of a file may have becomes `_`. A name beyond ASCII is sent twice: as it is, and
    as near as ASCII comes to it, for clients that know no better.
    """
    name = UNSAFE.sub("_", filename).strip()
    if name in NO_NAMES:
        name = "download"
    simple = MISREAD.sub("_", without_accents(name))
    field = f'attachment; filename="{simple}"'
    if simple != name:
        field += f"; filename*=UTF-8''{quote(name, safe=UNRESERVED)}"
    return field


def without_accents(name: str) -> str:
    letters = unicodedata.normalize("NFKD", name)
    return "".join(letter for letter in letters if not unicodedata.combining(letter))
