"""Statuses that are not registered, for frameworks that send them."""

from __future__ import annotations

from typing import Any, Final

from ..shown import shown

__all__ = ["OtherStatus", "set_status"]

LOWEST: Final = 200
HIGHEST: Final = 999


class OtherStatus(int):
    """A final status code that is not registered, such as 499; it has no phrase."""

    phrase: Final = ""
    description: Final = ""

    @property
    def value(self) -> int:
        """The code."""
        return int(self)


def set_status(response: Any, code: Any) -> None:
    """Set the status of a response, a registered one or any other final one.

    Raises:
        ValueError: it is not a number from 200 to 999.
    """
    if not isinstance(code, int) or not LOWEST <= code <= HIGHEST:
        raise ValueError(f"A status is a number from {LOWEST} to {HIGHEST}, not {shown(code)}")
    try:
        response.status = code
    except ValueError:
        response._status = OtherStatus(code)  # noqa: SLF001 - the setter takes registered ones
