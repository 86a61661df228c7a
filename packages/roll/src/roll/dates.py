"""HTTP dates (RFC 9110 5.6.7)."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

__all__ = ["FIRST", "parse_date"]

FIRST: Final = -62_135_596_800
"""The first second of the year 1, in seconds since the epoch: no date of HTTP is earlier."""

MONTHS: Final = {
    name: number
    for number, name in enumerate(
        ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"), 1
    )
}
MONTH: Final = f"(?P<month>{'|'.join(MONTHS)})"
TIME: Final = r"(?P<hour>[0-9]{2}):(?P<minute>[0-9]{2}):(?P<second>[0-9]{2})"

# Every part has a fixed width, so each match is linear and no number has more than four digits.
FORMATS: Final = (
    rf"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), "
    rf"(?P<day>[0-9]{{2}}) {MONTH} (?P<year>[0-9]{{4}}) {TIME} GMT",
    rf"(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day, "
    rf"(?P<day>[0-9]{{2}})-{MONTH}-(?P<year>[0-9]{{2}}) {TIME} GMT",
    rf"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) "
    rf"{MONTH} (?P<day>[0-9]{{2}}| [0-9]) {TIME} (?P<year>[0-9]{{4}})",
)
"""The current format (IMF-fixdate) and the two obsolete ones (RFC 850, asctime).

Python compiles them with the first date, because few applications parse dates.
"""

LEAP_SECOND: Final = 60
TWO_DIGITS: Final = 2
CENTURY: Final = 100
HALF_A_CENTURY: Final = 50


def parse_date(text: str) -> int | None:
    """Return a date in seconds since the epoch; None for a malformed or impossible date."""
    matches = (re.fullmatch(pattern, text) for pattern in FORMATS)
    found = next(filter(None, matches), None)
    return None if found is None else seconds_of(found.groupdict())


def seconds_of(parts: Mapping[str, str]) -> int | None:
    second = int(parts["second"])
    try:
        date = datetime(
            year_of(parts["year"]),
            MONTHS[parts["month"]],
            int(parts["day"]),
            int(parts["hour"]),
            int(parts["minute"]),
            # `datetime` has no leap seconds: use the second before.
            second - (second == LEAP_SECOND),
            tzinfo=UTC,
        )
    except ValueError:  # such as 30 February
        return None
    return int(date.timestamp())


def year_of(digits: str) -> int:
    """Return a year; two digits mean a year at most 50 years ahead (RFC 9110 5.6.7)."""
    if len(digits) > TWO_DIGITS:
        return int(digits)
    now = time.gmtime().tm_year
    year = now - now % CENTURY + int(digits)
    return year - CENTURY if year > now + HALF_A_CENTURY else year
