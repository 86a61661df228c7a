"""The options in the query of a URL of Redis: numbers, text, and those of TLS."""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite
from ssl import TLSVersion, VerifyFlags
from typing import Any, Final

from roll_http.shown import shown

__all__ = ["as_option", "count"]

FLAGS: Final = {
    **dict.fromkeys(("1", "t", "true", "y", "yes"), True),
    **dict.fromkeys(("0", "f", "false", "n", "no"), False),
}

DIGITS: Final = 9
"""Maximum digits of a number."""

PORTS: Final = 65536

PROTOCOLS: Final = ("2", "3")


def as_option(name: str, value: str) -> Any:
    """Return the value of an option with its type.

    Raises:
        ValueError: the option is unknown, or its value is invalid.
    """
    if name not in OPTIONS:
        known = ", ".join(OPTIONS)
        raise ValueError(f"`url` has no option {shown(name)}: those of Redis are {known}")
    try:
        return OPTIONS[name](value)
    except ValueError as error:
        raise ValueError(f"The option {name!r} of `url` is {error}, not {shown(value)}") from None


# Each of these functions raises a ValueError that says what the value is.


def count(value: str) -> int:
    """Return a number, at least 0."""
    if not (value.isascii() and value.isdecimal() and len(value) <= DIGITS):
        raise ValueError(f"a number of at most {DIGITS} digits, at least 0")
    return int(value)


def size(value: str) -> int:
    found = count(value)
    if not found:
        raise ValueError("a number, at least 1")
    return found


def port(value: str) -> int:
    found = count(value)
    if found >= PORTS:
        raise ValueError("a number from 0 to 65535")
    return found


def protocol(value: str) -> int:
    if value not in PROTOCOLS:
        raise ValueError("2 or 3")
    return int(value)


def seconds(value: str) -> float:
    expected = "a number of seconds above 0"
    try:
        found = float(value)
    except ValueError:
        raise ValueError(expected) from None
    if not (isfinite(found) and found > 0):
        raise ValueError(expected)
    return found


def client_name(value: str) -> str:
    """Return a name that `CLIENT SETNAME` takes."""
    if not value or any(not "!" <= character <= "~" for character in value):
        raise ValueError("a name of ASCII characters without spaces")
    return value


def flag(value: str) -> bool:
    if value.lower() not in FLAGS:
        raise ValueError("True or False")
    return FLAGS[value.lower()]


def tls_version(value: str) -> TLSVersion:
    found = count(value)
    if found not in list(TLSVersion):
        raise ValueError("a number of `ssl.TLSVersion`, such as 771")
    return TLSVersion(found)


def verify_flags(value: str) -> list[VerifyFlags]:
    names = [each.strip() for each in value.strip("[]").split(",")]
    if not set(names) <= set(VerifyFlags.__members__):
        raise ValueError("a list of names in `ssl.VerifyFlags`")
    return [VerifyFlags[name] for name in names]


OPTIONS: Final[dict[str, Callable[[str], Any]]] = {
    "client_name": client_name,
    "db": count,
    "health_check_interval": count,
    "host": str,
    "idle_check_interval": count,
    "lib_name": str,
    "lib_version": str,
    "max_connections": count,
    "password": str,
    "path": str,
    "port": port,
    "protocol": protocol,
    "retry_on_timeout": flag,
    "socket_connect_timeout": seconds,
    "socket_keepalive": flag,
    "socket_read_size": size,
    "socket_timeout": seconds,
    "ssl_ca_certs": str,
    "ssl_ca_data": str,
    "ssl_ca_path": str,
    "ssl_cert_reqs": str,
    "ssl_certfile": str,
    "ssl_check_hostname": flag,
    "ssl_ciphers": str,
    "ssl_exclude_verify_flags": verify_flags,
    "ssl_include_verify_flags": verify_flags,
    "ssl_keyfile": str,
    "ssl_min_version": tls_version,
    "ssl_password": str,
    "timeout": seconds,
    "username": str,
}
"""The options of connections and pools, with functions that convert them.

The others are objects of Python (`retry`, `connection_class`), or change what Roll reads
(`encoding`, `decode_responses`).
"""
