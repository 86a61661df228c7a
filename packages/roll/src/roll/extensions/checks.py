"""Checks of the options of extensions. Each error names the given value and a correct one."""

from __future__ import annotations

import logging
import os
from collections.abc import Collection, Mapping
from typing import Any, Final

from roll_http import HTTP_METHODS
from roll_http.shown import shown
from roll_http.syntax import is_token

from ..callables import refuse_async
from ..logs.formats import check_widths

__all__ = [
    "check_access_format",
    "check_folder",
    "check_handler",
    "check_list",
    "check_origins",
    "check_reading",
    "check_seconds",
    "check_text",
    "checked_level",
    "checked_methods",
    "checked_names",
    "is_delta",
]

MOST_SECONDS: Final = 2**31
"""The longest time in seconds that a cache must be able to hold (RFC 9111 1.2.2)."""


def check_text(name: str, value: object, example: str) -> None:
    if not isinstance(value, str) or not value:
        raise ValueError(f"`{name}` is text, such as {example!r}, not {value!r}")


def check_folder(name: str, value: object) -> None:
    if not isinstance(value, str | os.PathLike):
        raise ValueError(f"`{name}` is the path of a folder, such as 'public', not {value!r}")  # noqa: TRY004 - like all mistakes in options


def check_reading(extras: Mapping[str, Any]) -> None:
    """Check that a route with these settings can serve files; each setting is valid by itself."""
    if extras.get("protocol") == "websocket":
        raise ValueError("`protocol` is 'http' for files, not 'websocket'")
    methods = extras.get("methods") or "GET"
    listed = [methods] if isinstance(methods, str) else methods
    if isinstance(listed, Collection) and "GET" not in {each.upper() for each in listed}:
        raise ValueError(f"`methods` has 'GET' for files, such as ['GET'], not {methods!r}")


def check_seconds(name: str, value: object) -> None:
    """Check a number of seconds or None; -1 tells browsers to remember nothing."""
    if value is not None and not is_delta(value, -1):
        raise ValueError(f"`{name}` is a number of seconds, not {shown(value)}")


def is_delta(value: object, least: int) -> bool:
    """Tell whether a number of seconds can be sent to caches."""
    return (
        isinstance(value, int) and not isinstance(value, bool) and least <= value <= MOST_SECONDS
    )


# Names in lists.


def checked_methods(name: str, value: Any) -> str:
    """Return methods as the header has them; text is not changed, unless "*" is among them.

    "*" stands for all methods of HTTP. It is not sent: with credentials, browsers take it for the
    name of a method (Fetch, 3.2.5).
    """
    if isinstance(value, str):
        check_list(name, value)
        methods = [each.strip(" \t") for each in value.split(",")]
        return ",".join(without_any(methods)) if "*" in methods else value
    methods = [each.upper() for each in checked_names(name, value)]
    for method in methods:
        if method not in (*HTTP_METHODS, "*"):
            known = ", ".join(HTTP_METHODS)
            raise ValueError(f"`{name}` has no method {method!r}: those of HTTP are {known}")
    return ",".join(without_any(methods) if "*" in methods else methods)


def without_any(methods: list[str]) -> list[str]:
    """Return methods with all those of HTTP in place of "*", each once."""
    named = [each for each in methods if each not in ("", "*")]
    return list(dict.fromkeys([*HTTP_METHODS, *named]))


def check_list(name: str, value: str) -> None:
    """Check a list of names that is written as text, and is sent unchanged."""
    for each in value.split(","):
        if each.strip(" \t") and not is_token(each.strip(" \t")):
            raise ValueError(f"`{name}` is a list of names, or text, and cannot have {each!r}")


def checked_names(name: str, value: Any) -> list[str]:
    """Return the names in a list or another collection."""
    listed = isinstance(value, Collection) and not isinstance(value, bytes | Mapping)
    names = list(value) if listed else [value]
    wrong = [each for each in names if not (isinstance(each, str) and is_token(each))]
    if wrong:
        raise ValueError(f"`{name}` is a list of names, or text, and cannot have {wrong[0]!r}")
    return names


def check_origins(name: str, origin: Any) -> None:
    """Check that origins are spelt as browsers do: any other spelling matches none."""
    for each in [origin] if isinstance(origin, str) else origin:
        check_spelling(name, each)


def check_spelling(name: str, origin: Any) -> None:
    from roll_websocket.options import check_origin  # noqa: PLC0415 - see `roll.deferred`

    try:
        check_origin(name, origin)
    except ValueError:
        raise ValueError(
            f"`{name}` has origins as browsers send them, such as 'https://example.org', in lower"
            f" case, without a path or the usual port: it cannot have {origin!r}"
        ) from None


# Logs.


def checked_level(name: str, value: Any) -> Any:
    """Return a level of `logging`, a number or a name."""
    known = list(logging.getLevelNamesMapping())
    number = isinstance(value, int) and not isinstance(value, bool)
    if not number and value not in known:
        names = ", ".join(known)
        raise ValueError(
            f"`{name}` is a level of logging, a number or one of {names}, not {value!r}"
        )
    return value


def check_handler(name: str, value: object) -> None:
    # A handler of another package need not inherit from `logging.Handler`.
    if value is not None and (isinstance(value, type) or not hasattr(value, "handle")):
        raise ValueError(
            f"`{name}` is a `logging.Handler`, such as `StreamHandler()`, not {value!r}"
        )
    for method in ("handle", "emit"):
        refuse_async(getattr(value, method, None), f"`{name}.{method}`")


def check_access_format(name: str, value: Any, fields: Mapping[str, Any]) -> None:
    """Check that a format can be filled in with these fields, and has one of them.

    Its widths and precisions must be small.
    """
    known = ", ".join(f"%({field})s" for field in fields)
    expected = f"`{name}` is text with fields of {known}, not {value!r}"
    if isinstance(value, str):
        check_widths(name, value)
    try:
        filled_in = value is None or ("%(" in value and isinstance(value % fields, str))
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise ValueError(f"{expected}: {error!r}") from None
    if not filled_in:
        raise ValueError(expected)
