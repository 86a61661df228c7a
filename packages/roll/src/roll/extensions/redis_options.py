"""The options of what uses Redis: the URL of the server, and the prefix of the names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from roll_http.shown import shown

from .redis_query import as_option, count

__all__ = ["check_prefix", "make_pool"]

LONGER: Final = 1.0
"""How many seconds longer a command waits for a connection of the pool than for an answer.

redis-py 5.0.1 connects within that wait. If that wait ended first, its pool would hang for ever.
"""

SCHEMES: Final = ("redis://", "rediss://", "unix://")


def check_prefix(prefix: object) -> None:
    if not isinstance(prefix, str) or not prefix or not prefix.isprintable():
        raise ValueError(f"`prefix` is a text such as 'roll', not {shown(prefix)}")


def make_pool(redis: Any, url: str, patience: float, fixed: Mapping[str, Any]) -> Any:
    """Return a pool of connections, for the module `redis.asyncio`; it connects later.

    A connection and each answer may take `patience` seconds. If many commands run at once, they
    wait for a connection: redis-py's default pool raises at the 101st. The options in the query
    of the URL replace these times, and the `fixed` options replace those of the URL.

    Raises:
        ValueError: the URL or an option in its query is invalid, or this version of redis-py has
            no such option for such a server. The message does not show a password.
    """
    address, options = split_url(url)
    times = {
        "timeout": patience + LONGER,
        "socket_timeout": patience,
        "socket_connect_timeout": patience,
    }

    def pool_with(given: Mapping[str, Any]) -> Any:
        chosen = {**times, **given, **fixed}
        return redis.BlockingConnectionPool.from_url(address, **chosen)

    for name, value in options.items():
        try:
            pool_with({name: value}).make_connection()
        except (TypeError, ValueError, LookupError, AttributeError, redis.RedisError) as error:
            if name.startswith("ssl_") and not address.startswith("rediss:"):
                raise ValueError(
                    f"The option {name!r} of `url` is for TLS: write `rediss://`"
                ) from None
            raise ValueError(
                f"The option {name!r} of `url` cannot be used with this server and this version"
                f" of redis-py: {error}"
            ) from None
    return pool_with(options)


def split_url(url: object) -> tuple[str, dict[str, Any]]:
    """Return a URL without its query, and the options in the query with their types.

    redis-py has types for them too. But its older versions leave some of them as text.
    """
    if not isinstance(url, str) or not url.startswith(SCHEMES):
        raise ValueError(f"`url` is one of Redis, such as 'redis://localhost', not {hidden(url)}")
    parts = sound_parts(url)
    given = parse_qsl(parts.query, keep_blank_values=True)
    options: dict[str, Any] = {}
    for name, value in given:
        if name in options:
            raise ValueError(f"`url` has the option {name!r} twice")
        options[name] = as_option(name, value)
    return url.partition("?")[0], options


def sound_parts(url: str) -> SplitResult:
    """Split a URL; refuse one whose password may have ended too early.

    Errors of `urllib` are not shown, because they may have a part of the password.
    """
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        parts = None
    if parts is None or parts.fragment or "@" in after_host(parts):
        raise ValueError(
            "`url` has no valid host and port. In its user, password and query, write '/' as"
            " '%2F', '?' as '%3F', '#' as '%23', '@' as '%40', '[' as '%5B', ']' as '%5D'"
        )
    if parts.scheme != "unix":
        check_database(unquote(parts.path).strip("/"))
    return parts


def after_host(parts: SplitResult) -> str:
    """Return what follows the host, without the path of a socket, which may have any character."""
    return parts.query if parts.scheme == "unix" else parts.path + parts.query


def check_database(path: str) -> None:
    try:
        count(path or "0")
    except ValueError as error:
        raise ValueError(f"The path of `url` is a database, {error}, not {shown(path)}") from None


def hidden(url: object) -> str:
    """Return the part of a URL that an error may show: the rest may have a password."""
    return f"one of {url.partition(':')[0]!r}" if isinstance(url, str) else shown(url)
