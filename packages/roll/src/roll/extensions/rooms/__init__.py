"""`rooms`: send a message to all members of a room, in one process or in several."""

from __future__ import annotations

from importlib import import_module
from typing import Literal

from ...application import Roll
from ...extras import need
from ..redis_options import check_prefix
from .home import Rooms
from .readers import BACKLOG
from .room import Room

__all__ = ["Room", "Rooms", "rooms"]


def rooms(
    app: Roll,
    url: str | None = None,
    *,
    slow: Literal["close", "drop"] = "close",
    backlog: int = BACKLOG,
    prefix: str = "roll",
) -> Rooms:
    """Return the rooms of an application: `rooms["lobby"]` is a room.

    With the `url` of a Redis server, all processes that use this server and the same `prefix`
    share the rooms. The names of the channels and keys in Redis begin with `prefix`. Without a
    `url`, each process has its own rooms.

    A websocket that reads too slowly is closed with 1013. With `slow="drop"` it misses messages
    instead. At most `backlog` bytes, or one message, wait for a reader (`async for`). At most
    `BACKLOG_LIMIT` bytes (an attribute of the websocket's class) wait for a websocket.

    Raises:
        ValueError: a parameter is of the wrong type, `url` is not a URL of Redis, or it has an
            invalid option.
        MissingExtra: `url` is given, and redis-py is not installed.
    """
    import_module("roll_websocket")  # or the first message would wait for it
    made = Rooms(app, slow=slow, backlog=backlog)
    check_prefix(prefix)
    if url is not None:
        need("redis", "redis", "Rooms of several processes")
        from .redis_bus import RedisBus  # noqa: PLC0415 - it needs redis-py

        made.bus = bus = RedisBus(app, url, prefix)
        app.listen("startup")(bus.start)
        app.listen("shutdown")(bus.stop)
    app.stop_notice.add(made.shut_down)
    return made
