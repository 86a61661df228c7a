"""The number of members that the rooms have in all processes.

Each process keeps its numbers in one Redis hash. The hash expires unless the process renews it, so
the numbers of a dead process disappear. A Redis set has the names of the processes.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any, Final

from .subscriber import AWAY, REFUSED

__all__ = ["Census"]

logger = logging.getLogger("roll")

LIFE: Final = 20
"""Seconds after which the numbers of a process expire, unless it renews them."""

BEAT: Final = 5.0
"""Seconds between two renewals."""

# A process without numbers is removed from the set. It is added again when it writes numbers.
COUNT: Final = """
local total = 0
for _, process in ipairs(redis.call('SMEMBERS', KEYS[1])) do
    local key = KEYS[1] .. ':' .. process
    local size = redis.call('HGET', key, ARGV[1])
    if size then
        total = total + size
    elseif redis.call('EXISTS', key) == 0 then
        redis.call('SREM', KEYS[1], process)
    end
end
return total
"""


class Census:
    """The numbers of this process, and the sum over all processes."""

    def __init__(self, client: Any, key: str, process: str) -> None:
        self._client = client
        self._key = key
        self._process = process
        self._own = f"{key}:{process}"
        self._sizes: dict[str, int] = {}
        self._changed: set[str] = set()
        self._whole = True
        """Whether all numbers must be written, not only the changed ones."""
        self._refused = False
        self._wanted = asyncio.Event()
        self._lock = asyncio.Lock()

    def resize(self, name: str, size: int) -> None:
        """Note the number of members that a room has in this process."""
        if size:
            self._sizes[name] = size
        else:
            self._sizes.pop(name, None)
        self._changed.add(name)
        self._wanted.set()

    def renew(self) -> None:
        """Write all numbers soon: Redis may have lost them."""
        self._whole = True
        self._wanted.set()

    async def run(self) -> None:
        """Write changed numbers, and renew the others, until this task is cancelled."""
        while True:
            try:
                async with self._lock:
                    await self._write()
            except REFUSED as error:
                self._note(error)
            except AWAY:
                pass  # `Subscriber` logs this, and calls `renew`
            except Exception:
                logger.exception("The numbers of room members could not be written to Redis")
            await self._pause()

    def _note(self, error: Exception) -> None:
        """Log that Redis refuses the numbers: once, until it takes numbers again."""
        if not self._refused:
            logger.warning("Redis refuses the numbers of room members: %s", error)
        self._refused = True

    async def _pause(self) -> None:
        """Wait for a change, or until it is time to renew the numbers."""
        try:
            async with asyncio.timeout(BEAT):
                await self._wanted.wait()
        except TimeoutError:
            pass

    async def count(self, name: str) -> int:
        """Return the number of members of a room in all processes.

        Raises the exceptions of redis-py.
        """
        async with self._lock:
            if self._changed or self._whole:
                await self._write()
            return int(await self._client.eval(COUNT, 1, self._key, name))

    async def leave(self) -> None:
        """Delete the numbers of this process."""
        pipeline = self._client.pipeline()
        pipeline.delete(self._own)
        pipeline.srem(self._key, self._process)
        await pipeline.execute()

    async def _write(self) -> None:
        """Write what has changed, or all numbers, and renew them."""
        self._wanted.clear()
        whole, changed = self._whole, self._changed
        self._whole, self._changed = False, set()
        try:
            kept = await self._write_numbers(whole, changed)
        except BaseException:
            self._whole = True
            raise
        self._refused = False
        if self._sizes and not kept:  # they have expired, or were deleted
            self.renew()

    async def _write_numbers(self, whole: bool, changed: set[str]) -> bool:
        """Write numbers; return whether Redis has any of this process."""
        pipeline = self._client.pipeline()
        if whole:
            pipeline.delete(self._own)
        for name in self._sizes if whole else changed:
            if name in self._sizes:
                pipeline.hset(self._own, name, self._sizes[name])
            else:
                pipeline.hdel(self._own, name)
        pipeline.sadd(self._key, self._process)
        pipeline.expire(self._own, LIFE)
        return bool((await pipeline.execute())[-1])
