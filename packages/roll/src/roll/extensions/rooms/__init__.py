"""`rooms`: one message to all who are in a room, in one process or across many."""

from __future__ import annotations

from typing import Literal

from ...application import Roll
from ...extras import need
from .home import Rooms
from .readers import BACKLOG
from .room import Room

__all__ = ["Room", "Rooms", "rooms"]

SCHEMES = "redis://", "rediss://", "unix://"


def rooms(
    app: Roll,
    url: str | None = None,
    *,
    slow: Literal["close", "drop"] = "close",
    backlog: int = BACKLOG,
    prefix: str = "roll",
) -> Rooms:
    """Return the rooms of an application: `rooms["lobby"]` is one of them.

    With the `url` of a Redis server, the rooms are those of all processes that use this server and
    the same `prefix`: names of its channels and keys begin with it. Without, they are those of
    this process.

    A peer that does not keep up is closed with 1013, or with `slow="drop"` misses messages. Of a
    room that is read by `async for`, at most `backlog` bytes wait, or one message; of a websocket,
    `BACKLOG_LIMIT` of its class.

    Raises:
        ValueError: a parameter is of another kind, or `url` is no URL of Redis.
        MissingExtra: `url` is given, and redis-py is not installed.
    """
    made = Rooms(app, slow=slow, backlog=backlog)
    check_prefix(prefix)
    if url is not None:
        check_redis(url)
        need("redis", "redis", "Rooms of several processes")
        from .redis_bus import RedisBus  # noqa: PLC0415 - it needs redis-py

        made.bus = bus = RedisBus(app, url, prefix)
        app.listen("startup")(bus.start)
        app.listen("shutdown")(bus.stop)
    app.listen("shutdown")(made.shut_down)
    return made


def check_redis(url: object) -> None:
    if not isinstance(url, str) or not url.startswith(SCHEMES):
        raise ValueError(f"`url` is one of Redis, such as 'redis://localhost', not {shown(url)}")


def check_prefix(prefix: object) -> None:
    if not isinstance(prefix, str) or not prefix or not prefix.isprintable():
        raise ValueError(f"`prefix` is a text such as 'roll', not {prefix!r}")


def shown(url: object) -> str:
    """Return what may be shown of a URL: it may have a password."""
    return f"one of {url.partition(':')[0]!r}" if isinstance(url, str) else repr(url)
