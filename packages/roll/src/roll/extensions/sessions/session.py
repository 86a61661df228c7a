"""A session, as handlers use it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, MutableMapping
from typing import Any, NamedTuple

from roll_http.shown import shown

__all__ = ["NOTHING", "Kept", "Session"]


class Kept(NamedTuple):
    """A session as it was kept before this request."""

    data: dict[str, Any]
    text: str
    """The data as JSON; empty when nothing was kept."""
    age: float
    """Seconds since the data were written."""
    key: str | None
    """The key of the data in a store; None without a store."""


NOTHING = Kept({}, "", 0.0, None)


class Session(MutableMapping[str, Any]):
    """The data of a user between requests: a mapping of text to values that JSON can hold.

    A session is read at its first use. Changes, also those inside its values, are kept when the
    request is answered. An empty session has no cookie.
    """

    # So that an attribute, which would not be kept, is an error: `session.user = 1`.
    __slots__ = ("__weakref__", "_data", "_kept", "_read", "renewed")

    def __init__(self, read: Callable[[], Kept]) -> None:
        self._read = read
        self._kept: Kept | None = None
        self._data: dict[str, Any] = {}
        self.renewed = False
        """Whether `renew` was called."""

    @property
    def used(self) -> bool:
        """Whether something has read or changed the session."""
        return self._kept is not None

    @property
    def kept(self) -> Kept:
        """What was kept before this request."""
        if self._kept is None:
            self._kept = self._read()
            self._data = dict(self._kept.data)
        return self._kept

    @property
    def data(self) -> dict[str, Any]:
        """The values."""
        if self._kept is None:
            _ = self.kept
        return self._data

    def renew(self) -> None:
        """Give the session a new identity with the same values; call this at a login.

        This prevents session fixation: a cookie that an attacker planted before the login is
        useless afterwards.
        """
        _ = self.kept
        self.renewed = True

    def __getitem__(self, key: str) -> Any:
        return self.data[key]

    def __setitem__(self, key: str, value: Any) -> None:
        if not isinstance(key, str):
            raise TypeError(f"The keys of a session are text, as those of JSON, not {shown(key)}")
        self.data[key] = value

    def __delitem__(self, key: str) -> None:
        del self.data[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self.data)

    def __len__(self) -> int:
        return len(self.data)

    def __repr__(self) -> str:
        # The data of a user do not belong in logs.
        return f"<Session: {len(self)} keys>" if self.used else "<Session: not read>"
