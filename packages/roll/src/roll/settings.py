"""Settings of routes: the keyword arguments that Roll knows, and their valid values."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, Final

from roll_http import HTTP_METHODS, Limits
from roll_http.syntax import TCHARS

from .advice import advise, resembled

__all__ = [
    "PARAMETERS",
    "PROTOCOLS",
    "WEBSOCKET_SETTINGS",
    "advise_on_extras",
    "check_flag",
    "check_settings",
    "checked_limits",
    "is_list",
]

PROTOCOLS: Final[dict[str, tuple[str, ...]]] = {
    "http": tuple(HTTP_METHODS),
    "websocket": ("GET",),
}
"""Protocol of a route -> the methods that it may have."""

WEBSOCKET_SETTINGS: Final = (
    "origins",
    "subprotocols",
    "compression",
    "ping_interval",
    "ping_timeout",
    "max_size",
)
"""The extras of a websocket route that configure its handshake and connection."""

PARAMETERS: Final = (
    *("methods", "protocol", "lazy_body", "max_body", "cancel_on_disconnect", "replace"),
    *("name", "accepts", "csrf", "timeout"),
    *WEBSOCKET_SETTINGS,
)
"""The keyword arguments of `route` that Roll or its extensions use."""


def check_settings(settings: Mapping[str, Any]) -> None:
    """Check the keyword arguments of `route` or `group`.

    Raises:
        ValueError: a value is invalid; the message says which values are valid.
    """
    for name, check in CHECKS.items():
        if name in settings:
            check(name, settings[name])
    if settings.get("protocol") == "websocket":
        from roll_websocket import check_options  # noqa: PLC0415 - see `deferred`

        check_options(settings)
        refuse_timeout(settings.get("timeout"))


def check_flag(name: str, value: object) -> None:
    if not isinstance(value, bool):
        raise ValueError(f"`{name}` is True or False, not {value!r}")  # noqa: TRY004 - as every mistake in a route


def checked_limits(limits: Any) -> Limits:
    if limits is None:
        return Limits()
    if not isinstance(limits, Limits):
        raise ValueError(f"`limits` cannot be {limits!r}: write `Roll(limits=Limits(...))`")  # noqa: TRY004 - as every mistake in an application
    return limits


def check_protocol(name: str, value: object) -> None:
    if value not in tuple(PROTOCOLS):
        known = ", ".join(map(repr, PROTOCOLS))
        raise ValueError(f"Unknown {name} {value!r}: must be one of {known}")


def check_methods(name: str, value: Any) -> None:
    """Check the type of `methods`: None for GET, a method or several; not whether they exist."""
    if value is None or isinstance(value, str):
        return
    # An iterator is allowed, but it is not looked at here: it can be read only once.
    listed = isinstance(value, Iterable) and not isinstance(value, bytes | bytearray | Mapping)
    wrong = [each for each in value if not isinstance(each, str)] if is_list(value) else []
    if not listed or wrong:
        given = wrong[0] if wrong else value
        raise ValueError(
            f"`{name}` is a list of methods, such as ['GET', 'POST'], or one of them,"
            f" not {given!r}"
        )


def check_max_body(name: str, value: Any) -> None:
    number = isinstance(value, int) and not isinstance(value, bool)
    if value is not None and not (number and value >= 0):
        raise ValueError(f"`{name}` is a number of bytes, or None for no limit, not {value!r}")


def check_timeout(name: str, value: Any) -> None:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if value is not None and not (number and 0 < value <= sys.float_info.max):
        raise ValueError(
            f"`{name}` is a number of seconds, more than 0, or None for no limit, not {value!r}"
        )


def refuse_timeout(value: object) -> None:
    """Raise a `ValueError` if a websocket route has a time limit."""
    if value is not None:
        raise ValueError(
            "`timeout` is for routes of HTTP: a websocket lasts as long as its client stays. Use"
            " `asyncio.timeout` in the handler, and `timeout=None` in a group that has one"
        )


def check_name(name: str, value: object) -> None:
    if value is not None and not (isinstance(value, str) and value):
        raise ValueError(f"`{name}` is the name of a route, such as 'home', not {value!r}")


def check_accepts(name: str, value: Any) -> None:
    """Check media types (RFC 9110 8.3.1), which may have parameters; None accepts all."""
    if value is None:
        return
    types = [value] if isinstance(value, str) else value
    if not is_list(types) or not types:
        raise ValueError(
            f"`{name}` is a list of media types, such as ['text/html', 'application/json'],"
            f" or one of them, not {value!r}"
        )
    for each in types:
        check_media_type(name, each)


def check_media_type(name: str, value: Any) -> None:
    import re  # noqa: PLC0415 - few routes say what they accept

    kind = value.partition(";")[0].strip() if isinstance(value, str) else ""
    if re.fullmatch(rf"{TCHARS}/{TCHARS}", kind) is None or "*" in kind:
        raise ValueError(
            f"`{name}` has media types, such as 'text/html', without a '*': it cannot have"
            f" {value!r}"
        )


def is_list(value: object) -> bool:
    """Tell whether a value is a collection of items, not text, bytes, a mapping or an iterator."""
    return isinstance(value, Collection) and not isinstance(
        value, str | bytes | bytearray | Mapping
    )


CHECKS: Final[dict[str, Callable[[str, Any], None]]] = {
    "methods": check_methods,
    "protocol": check_protocol,
    "lazy_body": check_flag,
    "cancel_on_disconnect": check_flag,
    "replace": check_flag,
    "max_body": check_max_body,
    "name": check_name,
    "accepts": check_accepts,
    "csrf": check_flag,
    "timeout": check_timeout,
}


def advise_on_extras(extras: Iterable[str], parameters: Iterable[str] = PARAMETERS) -> None:
    """Warn of extras that are probably misspelt parameters, because Roll ignores them."""
    known = tuple(parameters)
    for name in extras:
        meant = None if name in PARAMETERS else resembled(name, known)
        if meant is not None:
            advise(f"The extra {name!r} of a route means nothing to Roll: write `{meant}=`")
