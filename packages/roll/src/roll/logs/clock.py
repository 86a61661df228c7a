"""The time of a line, formatted once a second."""

from __future__ import annotations

from collections.abc import Callable
from time import gmtime, localtime, time
from typing import Final

__all__ = ["Clock", "clf_time", "iso_time"]

# Do not use `strftime`: its names of months depend on the locale of the process.
MONTHS: Final = (
    *("Jan", "Feb", "Mar", "Apr", "May", "Jun"),
    *("Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
)


def clf_time(second: int) -> str:
    """Return seconds since the epoch in the Common Log Format, in local time."""
    local = localtime(second)
    minutes = abs(local.tm_gmtoff) // 60
    sign = "-" if local.tm_gmtoff < 0 else "+"
    return (
        f"{local.tm_mday:02}/{MONTHS[local.tm_mon - 1]}/{local.tm_year}:"
        f"{local.tm_hour:02}:{local.tm_min:02}:{local.tm_sec:02}"
        f" {sign}{minutes // 60:02}{minutes % 60:02}"
    )


def iso_time(second: int) -> str:
    """Return seconds since the epoch in ISO 8601, in UTC."""
    year, month, day, hour, minute, seconds, *_ = gmtime(second)
    return f"{year}-{month:02}-{day:02}T{hour:02}:{minute:02}:{seconds:02}Z"


class Clock:
    """A clock that formats the time with a function of the seconds since the epoch."""

    def __init__(self, tell: Callable[[int], str]) -> None:
        self._tell = tell
        self._second = 0
        self._text = ""

    def text(self) -> str:
        """Return the formatted time, which changes once a second."""
        second = int(time())
        if second != self._second:
            self._second, self._text = second, self._tell(second)
        return self._text
