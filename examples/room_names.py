import asyncio
import os
import time

from redis.asyncio import Redis
from redis.exceptions import RedisError

from roll import Roll
from roll.extensions import rooms, simple_server

REDIS = os.environ.get("REDIS", "redis://localhost")
RENEW = 10  # seconds between two signs of life of a worker
LIFE = 30  # seconds after which a name is gone: its worker was killed

app = Roll()
app.rooms = rooms(app, REDIS)


class Names:
    """The names in a room, over all workers: a sorted set, by their last sign of life."""

    def __init__(self, redis, room):
        self.redis = redis
        self.room = room
        self.key = f"names:{room.name}"

    async def keep(self, members):
        """Give members another LIFE, and return how many were not there."""
        entries = dict.fromkeys(map(entry, members), time.time())
        new = await self.redis.zadd(self.key, entries) if entries else 0
        await self.redis.expire(self.key, LIFE)
        return new

    async def drop(self, ws):
        await self.redis.zrem(self.key, entry(ws))

    async def drop_dead(self):
        """Drop the members of killed workers, and return how many there were."""
        return await self.redis.zremrangebyscore(self.key, 0, time.time() - LIFE)

    async def send(self):
        entries = await self.redis.zrange(self.key, 0, -1)
        names = sorted(entry.partition(" ")[2] for entry in entries)
        await self.room.send_json({"present": names})


def entry(ws):
    """Return the name of a member, with an id: two members may have the same name."""
    return f"{ws.request.id} {ws.request.query.get('name', 'somebody')}"


async def renew(redis):
    while True:
        await asyncio.sleep(RENEW)
        try:
            for room in list(app.rooms):
                names = Names(redis, app.rooms[room])
                changes = await names.keep(names.room.members) + await names.drop_dead()
                if changes:
                    await names.send()
        except (RedisError, ConnectionError):
            pass  # Redis is away: the next round renews


@app.lifespan
async def redis(app):
    client = Redis.from_url(REDIS, decode_responses=True)
    async with client as app["redis"], asyncio.TaskGroup() as group:
        renewing = group.create_task(renew(client))
        yield
        renewing.cancel()


@app.listen("room_join")
async def come(room, ws):
    names = Names(app["redis"], room)
    await names.keep([ws])
    await names.send()


@app.listen("room_leave")
async def go(room, ws):
    names = Names(app["redis"], room)
    await names.drop(ws)
    await names.send()


@app.route("/{room}/chat", protocol="websocket")
async def chat(request, ws, room):
    async with app.rooms[room].join(ws):
        async for text in ws:
            await app.rooms[room].send(text)


if __name__ == "__main__":
    simple_server(app)
