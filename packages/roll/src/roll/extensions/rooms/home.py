"""The rooms of an application."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from weakref import WeakValueDictionary

from roll_http.shown import shown

from .bus import Bus, LocalBus
from .room import Counters, Policy, Room

__all__ = ["Rooms"]


class Rooms:
    """The rooms of an application, by name. A name is any text.

    `rooms` makes it. A room is made when it is asked for. It takes memory only while somebody is
    in it.
    """

    counters: Counters
    """`messages`, `dropped` and `closed` of all rooms together, in this process."""

    def __init__(self, app: Any, *, slow: Policy, backlog: int) -> None:
        check_options(slow, backlog)
        self.app = app
        self.slow: Policy = slow
        self.backlog = backlog
        self.bus: Bus = LocalBus()
        self.counters = Counters()
        self._rooms: WeakValueDictionary[str, Room] = WeakValueDictionary()

    def __getitem__(self, name: str) -> Room:
        """Return the room of this name.

        Raises:
            TypeError: the name is not text.
            ValueError: the name has a lone surrogate, which UTF-8 cannot encode.
        """
        if not isinstance(name, str):
            raise TypeError(f"The name of a room is a str, not {shown(name)}")
        room = self._rooms.get(name)
        if room is None:
            name.encode()  # raises UnicodeEncodeError, which is a ValueError
            room = self._rooms[name] = Room(self, name)
        return room

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names of the rooms that somebody in this process is in."""
        return iter([name for name, room in self._rooms.items() if room.used])

    def __contains__(self, name: object) -> bool:
        """Tell whether somebody in this process is in the room of this name."""
        room = self._rooms.get(name)  # type: ignore[call-overload]  # the name may be of any type
        return room is not None and room.used

    @property
    def ended(self) -> bool:
        """Whether new iterations end at once: the application stops, and has not started again."""
        given: bool = self.app.stop_notice.given
        return given

    def shut_down(self) -> None:
        """End all iterations over rooms, after the waiting messages: the application stops."""
        for room in list(self._rooms.values()):
            room.end_readers()


def check_options(slow: object, backlog: object) -> None:
    if slow not in ("close", "drop"):
        raise ValueError(f"`slow` is 'close' or 'drop', not {shown(slow)}")
    if not isinstance(backlog, int) or isinstance(backlog, bool) or backlog < 1:
        raise ValueError(f"`backlog` is a number of bytes above 0, not {shown(backlog)}")
