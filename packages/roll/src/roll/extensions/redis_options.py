"""Checks of the options of what uses Redis: the URL of the server, and the prefix of the names."""

from __future__ import annotations

from typing import Final

from roll_http.shown import shown

__all__ = ["check_prefix", "check_url"]

SCHEMES: Final = ("redis://", "rediss://", "unix://")


def check_url(url: object) -> None:
    if not isinstance(url, str) or not url.startswith(SCHEMES):
        raise ValueError(f"`url` is one of Redis, such as 'redis://localhost', not {hidden(url)}")


def check_prefix(prefix: object) -> None:
    if not isinstance(prefix, str) or not prefix or not prefix.isprintable():
        raise ValueError(f"`prefix` is a text such as 'roll', not {shown(prefix)}")


def hidden(url: object) -> str:
    """Return the part of a URL that an error may show: the rest may have a password."""
    return f"one of {url.partition(':')[0]!r}" if isinstance(url, str) else shown(url)
