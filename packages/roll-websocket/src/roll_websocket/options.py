"""Checks of the options of a connection."""

import math
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Final

from roll_websocket.fields import NAME
from roll_websocket.handshake import own_fields

if TYPE_CHECKING:
    from ipaddress import IPv6Address

__all__ = ["OPTIONS", "check_options"]

SHORTEST: Final = 0.001
LONGEST: Final = 31_536_000
"""The limits of a time in seconds: a shorter one would keep the processor busy."""

# As browsers send it (RFC 6454 6.2): in lower case, in ASCII, without a path. Compiled with the
# first, and kept by `re`.
ORIGIN: Final = r"null|file://|[a-z][a-z0-9+.-]*://(\[[0-9a-f:.]+\]|[a-z0-9_-][a-z0-9._-]*+)(:[1-9][0-9]{0,4})?"
# A host whose last label is a number is an IPv4 address (URL Standard, 3.5).
NUMBER: Final = "[0-9]+|0x[0-9a-f]*"
MAX_PORT: Final = 65535
DEFAULT_PORTS: Final = {"http": "80", "https": "443"}


def check_options(options: Mapping[str, object]) -> None:
    """Raise ValueError if an option of `WSProtocol.handshake` has a value that cannot work.

    The message says what was given and what is expected. Other names are ignored.
    Raises TypeError if `options` is not a mapping.
    """
    if not isinstance(options, Mapping):
        raise TypeError(f"Options are a mapping of names to values, not {options!r}")
    for name, value in options.items():
        check = OPTIONS.get(name)
        if check is not None:
            check(name, value)


def is_between(value: object, least: float, most: float) -> bool:
    """Return whether a value is a number from `least` to `most`."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return least <= value <= most


def check_seconds(name: str, value: object) -> None:
    """Check a time in seconds, or None."""
    if value is not None and not is_between(value, SHORTEST, LONGEST):
        raise ValueError(
            f"`{name}` is a number of seconds from {SHORTEST} to {LONGEST}, or None for none, "
            f"not {value!r}"
        )


def check_size(name: str, value: object) -> None:
    """Check a number of bytes, or None."""
    if value is not None and not (isinstance(value, int) and is_between(value, 1, math.inf)):
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
    name_of_host, given = split_port(host)
    if scheme in DEFAULT_PORTS and not is_as_browsers_write(name_of_host):
        raise ValueError(f"`{name}`: no browser writes the address in {origin!r} like that")
    if given and int(given) > MAX_PORT:
        raise ValueError(f"`{name}` has the invalid port {given} in {origin!r}")
    port = DEFAULT_PORTS.get(scheme)
    if port is not None and host.endswith(f":{port}"):
        raise ValueError(f"`{name}`: browsers leave out the port of {origin!r}, so must this")


def split_port(host: str) -> tuple[str, str]:
    """Return the host and the port of an origin; the port is empty if there is none."""
    behind = host.rpartition("]")[2].partition(":")[2]
    return (host[: -len(behind) - 1], behind) if behind else (host, "")


def is_as_browsers_write(host: str) -> bool:
    """Return whether a host is a name, or an address as browsers write it (URL Standard, 3.5)."""
    import ipaddress  # noqa: PLC0415 - few applications name origins

    try:
        if host.startswith("["):
            return f"[{serialized(ipaddress.IPv6Address(host[1:-1]))}]" == host
        last = host.rstrip(".").rpartition(".")[2]
        return re.fullmatch(NUMBER, last) is None or str(ipaddress.IPv4Address(host)) == host
    except ValueError:
        return False


def serialized(address: "IPv6Address") -> str:
    """Return an IPv6 address as browsers write it: without an IPv4 address in it."""
    mapped = address.ipv4_mapped
    if mapped is None:
        return str(address)
    high, low = divmod(int(mapped), 1 << 16)
    return f"::ffff:{high:x}:{low:x}"


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
        raise ValueError(  # noqa: TRY004 - as all options
            f"`{name}` is used for all connections: give a list, not the iterator {value!r}"
        )
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
