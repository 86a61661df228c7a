"""Rooms of two workers over Redis: 200 clients, a killed worker, a Redis that restarts."""

import asyncio
import os
import re
import shutil
import signal
import socket
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from roll import Roll, ServerSentEvent, extensions, testing
from roll.extensions.rooms import subscriber

CLIENTS = 200
DOCS = Path(__file__).parents[1] / "docs"
PATIENCE = 60

pytestmark = pytest.mark.skipif(
    shutil.which("redis-server") is None, reason="redis-server is not installed"
)

APP = """
import os
from roll import Roll, extensions
from roll.extensions.rooms import census

census.LIFE = 4  # seconds; by default 20
app = Roll()
app.rooms = extensions.rooms(app, os.environ["REDIS_URL"])


@app.route("/room", protocol="websocket")
async def talk(request, ws):
    room = app.rooms["lobby"]
    async with room.join(ws):
        await ws.send(f"joined {os.getpid()}")
        async for message in ws:
            if message == "count":
                await ws.send(f"count {await room.count()}")
            else:
                await room.send(message)


@app.listen("room_gap")
async def tell(room):
    await room.send(f"gap {os.getpid()}")
"""


class Client:
    """A page that stays in the room: it comes back when its connection is lost."""

    def __init__(self, url):
        self.url = url
        self.pid = 0
        self.visits = 0
        self.ws = None
        self.got = []
        self.task = asyncio.ensure_future(self.stay())

    async def stay(self):
        while True:
            try:
                async with connect(self.url, compression=None, proxy=None) as ws:
                    await self.listen(ws)
            except (ConnectionClosed, InvalidHandshake, OSError):
                await asyncio.sleep(0.05)

    async def listen(self, ws):
        async for message in ws:
            if message.startswith("joined "):
                self.pid = int(message.split()[1])
                self.visits += 1
                self.ws = ws
            else:
                self.got.append(message)

    def numbers(self):
        return [message for message in self.got if message.isdigit()]

    async def leave(self):
        self.task.cancel()
        await asyncio.wait([self.task])


async def until(condition):
    async with asyncio.timeout(PATIENCE):
        while not condition():
            await asyncio.sleep(0.01)


@pytest.fixture
def redis(run):
    """Start a Redis, always on the same port."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port = sock.getsockname()[1]

    def start():
        program = run("redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "")
        program.wait_for("Ready to accept connections")
        program.url = f"redis://127.0.0.1:{port}"
        return program

    return start


@pytest.fixture
async def clients(run, redis, tmp_path):
    """Two workers with a Redis, and 200 clients over both."""
    server = redis()
    (tmp_path / "site_app.py").write_text(APP)
    command = [sys.executable, "-m", "gunicorn", "site_app:app", "--workers", "2"]
    command += ["--worker-class", "roll.worker.Worker", "--bind", "127.0.0.1:0"]
    program = run(*command, cwd=tmp_path, REDIS_URL=server.url)
    url = program.wait_for_url(r"Listening at: ([^\s,]+)")
    for _ in range(2):
        program.wait_for("Booting worker")
    found = [Client(url.replace("http", "ws") + "/room") for _ in range(CLIENTS)]
    await until(lambda: all(client.visits for client in found))
    found[0].redis = server
    yield found
    for client in found:
        await client.leave()


def workers(clients):
    """The clients of each worker."""
    return {pid: [client for client in clients if client.pid == pid] for pid in pids(clients)}


def pids(clients):
    return Counter(client.pid for client in clients)


async def spread(clients):
    """Let clients come back until both workers have some."""
    while len(pids(clients)) < 2:
        for client in clients[: CLIENTS // 2]:
            visits = client.visits
            await client.ws.close()
            await until(lambda client=client, visits=visits: client.visits > visits)


async def send_from_all(clients, numbers):
    """Send each number from another client, many at a time."""
    for start in range(0, len(numbers), 20):
        part = numbers[start : start + 20]
        await asyncio.gather(*(clients[number].ws.send(str(number)) for number in part))
    for client in clients:
        await until(lambda client=client: len(client.numbers()) >= len(numbers))


async def counted(client, number):
    """Wait until all processes together have so many members."""
    async with asyncio.timeout(PATIENCE):
        while f"count {number}" not in client.got:
            await client.ws.send("count")
            await asyncio.sleep(0.05)


async def test_messages_reach_all_once_and_in_one_order(clients):
    await spread(clients)
    await counted(clients[0], CLIENTS)
    await send_from_all(clients, range(CLIENTS))
    assert sorted(map(int, clients[0].numbers())) == list(range(CLIENTS))
    assert all(client.numbers() == clients[0].numbers() for client in clients)


async def test_members_miss_nothing_when_another_worker_is_killed(clients):
    await spread(clients)
    (dead, lost), (_, kept) = workers(clients).items()
    sent = []

    async def talk():
        while True:
            sent.append(str(len(sent)))
            await kept[0].ws.send(sent[-1])
            await asyncio.sleep(0.001)

    talking = asyncio.ensure_future(talk())
    await until(lambda: len(kept[0].numbers()) > 50)
    visits = [client.visits for client in lost]
    os.kill(dead, signal.SIGKILL)
    for client, before in zip(lost, visits, strict=True):
        await until(lambda client=client, before=before: client.visits > before)
    assert dead not in pids(clients)
    talking.cancel()
    await asyncio.wait([talking])
    for client in kept:
        await until(lambda client=client: len(client.numbers()) == len(sent))
        assert client.numbers() == sent
    await kept[0].ws.send("done")
    for client in clients:
        await until(lambda client=client: "done" in client.got)
    await counted(kept[0], CLIENTS)


async def test_all_members_get_messages_after_a_restart_of_redis(clients, redis):
    await spread(clients)
    visits = [client.visits for client in clients]
    first = clients[0].redis
    first.stop(signal.SIGTERM)
    redis()
    for client in clients:
        await until(lambda client=client: f"gap {client.pid}" in client.got)
    await send_from_all(clients, range(CLIENTS))
    assert all(client.numbers() == clients[0].numbers() for client in clients)
    await counted(clients[0], CLIENTS)
    assert [client.visits for client in clients] == visits


async def test_a_process_that_was_busy_does_not_blame_redis(redis, monkeypatch):
    """Bytes that Redis has sent meanwhile are read first."""
    monkeypatch.setattr(subscriber, "PATIENCE", 0.3)
    monkeypatch.setattr(subscriber, "PING", 0.1)
    app = Roll()
    app.rooms = extensions.rooms(app, redis().url)
    gaps = []
    app.listen("room_gap")(lambda room: gaps.append(room.name))
    await app.startup()
    reading = asyncio.ensure_future(anext(aiter(app.rooms["lobby"])))
    await until(lambda: "lobby" in app.rooms)
    for _ in range(5):
        await asyncio.sleep(0.15)
        time.sleep(0.5)  # busy
    await app.rooms["lobby"].send("hello")
    assert await reading == "hello"
    assert gaps == []
    await app.shutdown()


async def test_a_redis_that_closes_each_connection_is_logged_once(caplog):
    attempts = []

    async def close(reader, writer):
        attempts.append(writer)
        writer.close()

    server = await asyncio.start_server(close, "127.0.0.1", 0)
    app = Roll()
    app.rooms = extensions.rooms(app, f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    await app.startup()
    for number in range(1, 6):
        await until(lambda number=number: len(attempts) > number)
        for call in (app.rooms["lobby"].send("x"), app.rooms["lobby"].count()):
            with pytest.raises(ConnectionError, match="Redis is unreachable"):
                await call
    await app.shutdown()
    server.close()
    (record,) = caplog.records
    assert record.getMessage().startswith("Redis is unreachable, so rooms get no messages: ")


def snippets(page, heading):
    """The blocks of Python below a heading of a page of docs/."""
    text = (DOCS / page).read_text().partition(f"## {heading}\n")[2].partition("\n## ")[0]
    return re.findall(r"```python\n(.*?)```", text, re.DOTALL)


async def test_work_that_is_done_is_no_error_while_redis_is_away(redis, caplog):
    """As docs/extensions.md shows."""
    server = redis()
    app = Roll()
    app.rooms = extensions.rooms(app, server.url)
    exec("\n".join(snippets("extensions.md", "When Redis is away")), {"app": app})
    async with testing.Client(app) as client, app.rooms["orders"].subscribe() as messages:
        assert (await client.post("/notes")).status == 201
        assert not caplog.records
        server.stop()
        assert (await client.post("/notes")).status == 201
        assert any("Nobody was told" in record.getMessage() for record in caplog.records)
        for _ in range(3):
            assert (await client.post("/orders")).status == 201
        redis()
        async with asyncio.timeout(PATIENCE):
            assert [await anext(messages) for _ in range(3)] == ["There are new orders"] * 3


async def test_stored_orders_are_sent_to_those_who_read_them():
    """As docs/how-to-streaming.md shows."""
    app = Roll()
    code = "\n".join(snippets("how-to-streaming.md", "How to send events from several workers"))
    exec(code, {"app": app, "ServerSentEvent": ServerSentEvent})
    async with testing.Client(app) as client:
        client.content_type = "application/x-www-form-urlencoded"
        for item in ("Bread", "Figs"):
            assert (await client.post("/orders", data={"item": item})).status == 204
        async with client.stream("GET", "/orders", params={"last": 1}) as response:
            events = response.events()
            assert (await anext(events)).data == "Figs"
            await client.post("/orders", data={"item": "Tea"})
            event = await anext(events)
    assert (event.id, event.data) == ("3", "Tea")
