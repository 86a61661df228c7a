"""Checks of the options of a connection."""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Final

from roll_websocket.fields import NAME
from roll_websocket.handshake import own_fields

__all__ = ["OPTIONS", "check_options"]

SHORTEST: Final = 0.001
LONGEST: Final = 31_536_000
"""The limits of a time in seconds: a shorter one would keep the processor busy."""

# As browsers send it (RFC 6454 6.2): in lower case, in ASCII, without a path. Compiled with the
# first, and kept by `re`.
ORIGIN: Final = r"null|file://|[a-z][a-z0-9+.-]*://(\[[0-9a-f:.]+\]|[a-z0-9_-][a-z0-9._-]*+)(:[1-9][0-9]{0,4})?"
MAX_PORT: Final = 65535
DEFAULT_PORTS: Final = {"http": "80", "https": "443"}


def check_options(options: Mapping[str, object]) -> None:
    """Raise ValueError if an option of `WSProtocol.handshake` has a value that cannot work.

    The message says what was given and what is expected. Other names are ignored.
    Raises TypeError if `options` is no mapping.
    """
    if not isinstance(options, Mapping):
        raise TypeError(f"Options are a mapping of names to values, not {options!r}")
    for name, value in options.items():
        check = OPTIONS.get(name)
        if check is not None:
            check(name, value)


def check_seconds(name: str, value: object) -> None:
    """Check a time in seconds, or None."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if value is not None and not (number and SHORTEST <= value <= LONGEST):  # type: ignore[operator]
        raise ValueError(
            f"`{name}` is a number of seconds from {SHORTEST} to {LONGEST}, or None for none, "
            f"not {value!r}"
        )


def check_size(name: str, value: object) -> None:
    """Check a number of bytes, or None."""
    number = isinstance(value, int) and not isinstance(value, bool)
    if value is not None and not (number and value > 0):  # type: ignore[operator]
        raise ValueError(
            f"`{name}` is a number of bytes above 0, or None for the default, not {value!r}"
        )


def check_flag(name: str, value: object) -> None:
    """Check a bool: `"no"` would be true."""
    if not isinstance(value, bool):
        raise ValueError(f"`{name}` is True or False, not {value!r}")  # noqa: TRY004 - as all options


def check_origins(name: str, value: object) -> None:
    """Check the origins of pages, or None."""
    if value is None:
        return
    for origin in listed(name, value, "origins"):
        if not (isinstance(origin, re.Pattern) and isinstance(origin.pattern, str)):
            check_origin(name, origin)


def check_origin(name: str, origin: object) -> None:
    """Check an origin: it must be spelt as browsers do, or it would match none."""
    if not isinstance(origin, str) or re.fullmatch(ORIGIN, origin) is None:
        raise ValueError(
            f"`{name}` has origins such as 'https://example.com', in lower case and without a "
            f"path, or compiled patterns; None is for any. It cannot have {origin!r}"
        )
    scheme, _, host = origin.partition("://")
    if scheme in {"ws", "wss"}:
        raise ValueError(f"`{name}` has origins of pages, 'https://...', not {origin!r}")
    given = host.rpartition("]")[2].partition(":")[2]
    if given and int(given) > MAX_PORT:
        raise ValueError(f"`{name}`: there is no port {given}, in {origin!r}")
    port = DEFAULT_PORTS.get(scheme)
    if port is not None and host.endswith(f":{port}"):
        raise ValueError(f"`{name}`: browsers leave out the port of {origin!r}, so must this")


def check_subprotocols(name: str, value: object) -> None:
    """Check names of subprotocols (RFC 6455 4.1)."""
    for subprotocol in listed(name, value, "names"):
        if not isinstance(subprotocol, str) or re.fullmatch(NAME, subprotocol) is None:
            raise ValueError(
                f"`{name}` has names of letters, digits and such, as 'chat', not {subprotocol!r}"
            )


def check_headers(name: str, value: object) -> None:
    """Check fields of the 101 response, for more than one of them."""
    if isinstance(value, Iterator):
        raise ValueError(f"`{name}` is for all connections, so no iterator: not {value!r}")  # noqa: TRY004 - as all options
    own_fields(value)


def listed(name: str, value: object, what: str) -> Collection[object]:
    """Return the members of a list or of a single str; an iterator would serve only once."""
    if isinstance(value, str):
        return [value]
    if not isinstance(value, Collection) or isinstance(value, bytes | bytearray | Mapping):
        raise ValueError(f"`{name}` is a list of {what}, or one of them, not {value!r}")  # noqa: TRY004 - as all options
    return value


OPTIONS: Final[dict[str, Callable[[str, object], None]]] = {
    "origins": check_origins,
    "subprotocols": check_subprotocols,
    "compression": check_flag,
    "ping_interval": check_seconds,
    "ping_timeout": check_seconds,
    "max_size": check_size,
    "headers": check_headers,
}
"""The check of each option, by name."""
