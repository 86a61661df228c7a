"""Content codings that a client accepts (RFC 9110 12.5.3)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from roll_http.syntax import TCHARS

__all__ = ["accepted"]

# A coding or "*", then its quality. Neighbouring parts share no characters, so each match is
# linear in time.
MEMBER: Final = re.compile(
    rf"[ \t]*({TCHARS})"
    r"(?:[ \t]*;[ \t]*[qQ]=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?))?[ \t]*"
)

IDENTITY: Final = "identity"

ALIASES: Final = {"x-gzip": "gzip"}
"""Old names of codings -> their present names (RFC 9110 8.4.1.3)."""


def accepted(field: str, offered: Sequence[str]) -> list[str]:
    """Return the offered codings that a client accepts, the best first.

    Codings of equal quality keep the order of `offered`. A coding whose quality is lower than
    that of `identity` is left out. Malformed members of the field are ignored.
    """
    qualities = dict(members(field))
    least = qualities.get(IDENTITY, 0.0)
    others = qualities.get("*", 0.0)
    found = [(qualities.get(coding, others), coding) for coding in offered]
    wanted = [(quality, coding) for quality, coding in found if quality and quality >= least]
    return [coding for _, coding in sorted(wanted, key=lambda pair: -pair[0])]


def members(field: str) -> Iterator[tuple[str, float]]:
    for member in field.split(","):
        found = MEMBER.fullmatch(member)
        if found is not None:
            name = found[1].lower()
            yield ALIASES.get(name, name), float(found[2] or 1)
