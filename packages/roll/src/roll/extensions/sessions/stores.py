"""Stores: they keep sessions outside of the cookie."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import Any, Final, Protocol

from ...callables import is_async, refuse_misfit
from ...extras import need
from ..redis_options import check_prefix, make_pool

__all__ = ["MemoryStore", "RedisStore", "SessionStore"]

PATIENCE: Final = 5.0
"""Seconds that Redis has for each answer. By default, redis-py before version 8 waits for ever."""

MOST: Final = 100_000
"""Maximum number of sessions in a `MemoryStore`; one more deletes the oldest."""


class SessionStore(Protocol):
    """A store of sessions: any object with these three methods, which may raise anything.

    The methods may be plain functions too, if they do not wait.
    A `key` has 43 characters of the base64url alphabet. `data` is JSON.

    A fourth method is optional: `replace(key, data, seconds) -> bool` saves data only if the store
    has data of this key, and returns whether it has saved them. Roll calls it for a session that
    it has loaded. Without this method, Roll calls `save`: then a request that runs while its user
    logs out may bring the ended session back.
    """

    async def load(self, key: str) -> str | None:
        """Return what was saved; None when there is nothing, or it has expired."""
        ...

    async def save(self, key: str, data: str, seconds: int) -> None:
        """Keep data for some seconds."""
        ...

    async def delete(self, key: str) -> None:
        """Delete the data; do nothing when there are none."""
        ...


def check_number(most: Any) -> None:
    if not isinstance(most, int) or isinstance(most, bool) or most < 1:
        raise ValueError(f"`most` is a number of sessions, at least 1, not {most!r}")


def check_clock(clock: object) -> None:
    if not callable(clock) or is_async(clock):
        raise ValueError(
            f"`clock` is a function that returns seconds, such as `time.monotonic`, not {clock!r}"
        )
    refuse_misfit(clock, (), "`clock`")


class MemoryStore:
    """A store in the memory of this process: for tests, and for one worker.

    It keeps at most `most` sessions. One more deletes the session that was saved first.
    """

    def __init__(self, most: int = MOST, clock: Callable[[], float] = monotonic) -> None:
        check_number(most)
        check_clock(clock)
        self._most = most
        self._clock = clock
        self._kept: dict[str, tuple[float, str]] = {}

    async def load(self, key: str) -> str | None:
        """Return what was saved; None when there is nothing, or it has expired."""
        end, data = self._kept.get(key, (0.0, None))
        if data is not None and end <= self._clock():
            del self._kept[key]
            return None
        return data

    async def save(self, key: str, data: str, seconds: int) -> None:
        """Keep data for some seconds."""
        self._kept.pop(key, None)  # so that the session saved last is the last one
        self._kept[key] = self._clock() + seconds, data
        if len(self._kept) > self._most:
            del self._kept[next(iter(self._kept))]

    async def replace(self, key: str, data: str, seconds: int) -> bool:
        """Keep data for some seconds if there are data of this key; return whether there are."""
        if await self.load(key) is None:
            return False
        await self.save(key, data, seconds)
        return True

    async def delete(self, key: str) -> None:
        """Delete the data."""
        self._kept.pop(key, None)

    def __len__(self) -> int:
        return len(self._kept)


class RedisStore:
    """A store in Redis or Valkey, for several workers and machines.

    An example of a `url` is `redis://localhost:6379/0`. Its query may have options of redis-py:
    numbers, text, and those of TLS. Keys begin with `prefix`.

    Raises:
        MissingExtra: redis-py is not installed.
        ValueError: `url` is not a URL of Redis, or has an invalid option; or `prefix` is not text.
    """

    def __init__(self, url: str, prefix: str = "roll:session:") -> None:
        check_prefix(prefix)
        redis = need("redis.asyncio", "redis", "RedisStore")
        pool = make_pool(redis, url, PATIENCE, {"decode_responses": True})
        self._redis: Any = redis.Redis.from_pool(pool)
        self._prefix = prefix

    async def load(self, key: str) -> str | None:
        """Return what was saved; None when there is nothing, or it has expired."""
        data: str | None = await self._redis.get(self._prefix + key)
        return data

    async def save(self, key: str, data: str, seconds: int) -> None:
        """Keep data for some seconds."""
        await self._redis.set(self._prefix + key, data, ex=seconds)

    async def replace(self, key: str, data: str, seconds: int) -> bool:
        """Keep data for some seconds if there are data of this key; return whether there are."""
        return bool(await self._redis.set(self._prefix + key, data, ex=seconds, xx=True))

    async def delete(self, key: str) -> None:
        """Delete the data."""
        await self._redis.delete(self._prefix + key)

    async def close(self) -> None:
        """Close the connections. The extension calls this at the event `shutdown`."""
        await self._redis.aclose()
