"""Dates of HTTP (RFC 9110 5.6.7)."""

from __future__ import annotations

from time import gmtime

__all__ = ["format_date"]

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def format_date(seconds: float | None = None) -> str:
    """Return a time as IMF-fixdate; `seconds` since the epoch, by default now.

    `email.utils.formatdate` returns the same, but takes 2 ms to import.
    """
    year, month, day, hour, minute, second, weekday, _, _ = gmtime(seconds)
    date = f"{_DAYS[weekday]}, {day:02} {_MONTHS[month - 1]} {year:04}"
    return f"{date} {hour:02}:{minute:02}:{second:02} GMT"
