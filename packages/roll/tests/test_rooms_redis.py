"""`rooms` over a real Redis: applications that share rooms, and a server that restarts."""

import asyncio
import gc
import logging
import shutil
import signal
import socket
import subprocess

import pytest
from redis.asyncio import Redis
from websockets.asyncio.client import connect

from roll import Roll
from roll.extensions import rooms
from roll.extensions.rooms import census, channels, envelope, redis_bus, subscriber
from roll.testing import LiveClient

PATIENCE = 20

pytestmark = pytest.mark.skipif(
    shutil.which("redis-server") is None, reason="redis-server is not installed"
)


async def until(condition):
    """Let the loop run until something holds."""
    async with asyncio.timeout(PATIENCE):
        while not condition():
            await asyncio.sleep(0.001)


class Server:
    """A redis-server that can be ended, started again, and made to hang."""

    def __init__(self):
        with socket.create_server(("127.0.0.1", 0)) as sock:
            self.port = sock.getsockname()[1]
        self.url = f"redis://127.0.0.1:{self.port}"
        self.process = None

    def start(self, *options):
        command = ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1"]
        self.process = subprocess.Popen(
            [*command, "--save", "", "--appendonly", "no", *options],
            stdout=subprocess.PIPE,
            text=True,
        )
        for line in self.process.stdout:
            if "Ready to accept connections" in line:
                return
        raise AssertionError("redis-server did not start")

    def end(self):
        if self.process is not None:
            self.process.kill()
            self.process.communicate()
            self.process = None

    def freeze(self):
        """Accept connections, by the system, and answer nothing."""
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self):
        self.process.send_signal(signal.SIGCONT)


@pytest.fixture
def server():
    server = Server()
    yield server
    server.end()


@pytest.fixture
def redis(server):
    """A Redis that runs."""
    server.start()
    return server


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    """Wait less for a Redis that does not answer."""
    monkeypatch.setattr(subscriber, "PING", 0.1)


@pytest.fixture
async def launch(server):
    """Start applications with rooms, each served on its own."""
    clients = []

    async def launch(**options):
        app = Roll()
        app.rooms = rooms(app, **{"url": server.url, **options})
        app.gaps = []
        app.listen("room_gap")(lambda room: app.gaps.append(room.name))

        @app.route("/talk/{name}", protocol="websocket")
        async def talk(request, ws, name):
            room = app.rooms[name]
            async with room.join(ws):
                await ws.send("joined")
                async for message in ws:
                    await room.send(message, exclude=ws)

        live = LiveClient(app)
        await live.start()
        clients.append(live)
        app.live = live
        return app

    yield launch
    for live in clients:
        await live.stop()


@pytest.fixture
async def visit():
    """Open websockets that have joined a room."""
    opened = []

    async def visit(app, name="lobby", **options):
        ws = await connect(f"{app.live.wsl}/talk/{name}", **options)
        opened.append(ws)
        assert await ws.recv() == "joined"
        return ws

    yield visit
    for ws in opened:
        ws.transport.abort()


async def read(room, count):
    got = []
    async for message in room:
        got.append(message)
        if len(got) == count:
            break
    return got


def up(app):
    return app.rooms.bus._session.subscriber.connected


async def test_a_message_reaches_all_processes_once_and_in_one_order(redis, launch, visit):
    apps = [await launch() for _ in range(3)]
    clients = [await visit(app) for app in apps for _ in range(2)]
    sends = [
        app.rooms["lobby"].send(f"{number} {place}")
        for number in range(50)
        for place, app in enumerate(apps)
    ]
    await asyncio.gather(*sends)
    got = [[await client.recv() for _ in range(150)] for client in clients]
    assert all(messages == got[0] for messages in got)
    for place in range(3):
        numbers = [message.split()[0] for message in got[0] if message.endswith(str(place))]
        assert numbers == [str(number) for number in range(50)]


@pytest.mark.parametrize("message", ["", "é€", "x" * 100_000, bytes(3), b"\x00\xff", b"T"])
async def test_text_stays_text_and_bytes_bytes(redis, launch, visit, message):
    one, two = await launch(), await launch()
    ada, bob = await visit(one, max_size=None), await visit(two, max_size=None)
    await one.rooms["lobby"].send(message)
    assert [await ada.recv(), await bob.recv()] == [message] * 2


async def test_sender_may_be_excluded(redis, launch, visit):
    one, two = await launch(), await launch()
    ada, bob, eve = await visit(one), await visit(one), await visit(two)
    for number in range(3):
        await ada.send(f"ada {number}")
        await bob.send(f"bob {number}")
        assert await bob.recv() == f"ada {number}"
        assert await ada.recv() == f"bob {number}"
        assert {await eve.recv(), await eve.recv()} == {f"ada {number}", f"bob {number}"}


async def test_a_room_is_read_over_redis(redis, launch):
    one, two = await launch(), await launch()
    reading = [asyncio.ensure_future(read(app.rooms["lobby"], 2)) for app in (one, one, two)]
    known = [app.rooms.bus._session.subscriber.channels for app in (one, two)]
    await until(lambda: all(len(each) and not each.unconfirmed for each in known))
    await one.rooms["lobby"].send_json({"a": 1})
    await two.rooms["lobby"].send(b"two")
    assert await asyncio.gather(*reading) == [['{"a":1}', b"two"]] * 3


async def test_nothing_is_lost_from_the_subscription_on(redis, launch):
    one, two = await launch(), await launch()
    for number in range(50):
        async with one.rooms[f"lobby {number}"].subscribe() as messages:
            await two.rooms[f"lobby {number}"].send("hello")
            async with asyncio.timeout(PATIENCE):
                assert await anext(messages) == "hello"


async def test_subscription_without_redis_gets_the_gap_event(server, launch):
    app = await launch()
    async with app.rooms["lobby"].subscribe() as messages:
        with pytest.raises(ConnectionError):
            await app.rooms["lobby"].send("lost")
        await app.rooms["lobby"].send("here", local=True)
        assert await anext(messages) == "here"
        server.start()
        await until(lambda: app.gaps)
        await app.rooms["lobby"].send("hello")
        assert await anext(messages) == "hello"


async def test_a_listener_of_gaps_reaches_each_member_once(redis, server, launch, visit):
    apps = [await launch(), await launch()]
    members = [await visit(app, "lobby") for app in apps]
    for app in apps:

        @app.listen("room_gap")
        async def tell(room):
            await room.send("gap", local=True)

    server.end()
    server.start()
    await until(lambda: all(app.gaps for app in apps))
    await apps[0].rooms["lobby"].send("after")
    for member in members:
        assert [await member.recv(), await member.recv()] == ["gap", "after"]


async def test_prefixes_and_names_keep_rooms_apart(redis, launch, visit):
    one, two = await launch(), await launch(prefix="other")
    ada, bob, eve = await visit(one), await visit(two), await visit(one, "lobb")
    await one.rooms["lobby"].send("ada")
    await two.rooms["lobby"].send("bob")
    await two.rooms["lobb"].send("nobody")
    await one.rooms["lobb"].send("eve")
    assert [await ada.recv(), await bob.recv(), await eve.recv()] == ["ada", "bob", "eve"]
    assert [await app.rooms["lobby"].count() for app in (one, two)] == [1, 1]


@pytest.mark.parametrize("name", ["", " ", "a:b", "\x00\r\n", "é€\U0001f600", "x" * 10_000, "*[?"])
async def test_any_text_is_a_name(redis, launch, name):
    app = await launch()
    reading = asyncio.ensure_future(read(app.rooms[name], 1))
    known = app.rooms.bus._session.subscriber.channels
    await until(lambda: len(known) and not known.unconfirmed)
    await app.rooms[name + "x"].send("elsewhere")
    await app.rooms[name].send("here")
    assert await reading == ["here"]
    assert await app.rooms[name].count() == 0


# Members.


async def test_members_of_all_processes_are_counted(redis, launch, visit):
    one, two = await launch(), await launch()
    three = [await visit(app) for app in (one, one, two)]
    await visit(two, "cellar")
    for app in (one, two):
        await until_count(app, 3)
        assert await app.rooms["cellar"].count() == 1
        assert await app.rooms["attic"].count() == 0
    assert (len(one.rooms["lobby"].members), len(two.rooms["lobby"].members)) == (2, 1)
    await three[0].close()
    await until(lambda: one.rooms["lobby"].size == 1)
    assert await one.rooms["lobby"].count() == 2
    await until_count(two, 2)
    await one.live.stop()
    assert await two.rooms["lobby"].count() == 1


async def until_count(app, number, name="lobby"):
    async with asyncio.timeout(PATIENCE):
        while await app.rooms[name].count() != number:
            await asyncio.sleep(0.001)


async def test_members_of_a_dead_process_expire(redis, launch, visit, monkeypatch):
    monkeypatch.setattr(census, "LIFE", 1)
    monkeypatch.setattr(census, "BEAT", 0.1)
    one, two = await launch(), await launch()
    await visit(one)
    await visit(two)
    await until_count(two, 2)
    client = Redis.from_url(redis.url)
    for task in one.rooms.bus._session.tasks:
        task.cancel()
    await until_count(two, 1)
    keys = await client.keys("roll:*")
    assert sorted(keys) == [b"roll:processes", b"roll:processes:" + process_of(two)]
    assert await client.smembers("roll:processes") == {process_of(two)}
    await client.aclose()


def process_of(app):
    return app.rooms.bus._session.process.hex().encode()


@pytest.mark.parametrize("what", ["flushed", "deleted"])
async def test_numbers_that_redis_loses_come_back(redis, launch, visit, monkeypatch, what):
    monkeypatch.setattr(census, "BEAT", 0.05)
    app = await launch()
    await visit(app)
    await until_count(app, 1)
    client = Redis.from_url(redis.url)
    if what == "flushed":
        await client.flushall()
    else:
        await client.delete(b"roll:processes:" + process_of(app))
    await until_count(app, 1)
    await client.aclose()


async def test_a_stop_leaves_nothing_in_redis(redis, launch, visit):
    app = await launch()
    await visit(app)
    assert await app.rooms["lobby"].count() == 1
    await app.live.stop()
    client = Redis.from_url(redis.url)
    assert await client.keys("*") == []
    await until_async(client.client_list, 1)
    await client.aclose()


async def until_async(call, count):
    async with asyncio.timeout(PATIENCE):
        while len(await call()) != count:
            await asyncio.sleep(0.001)


async def test_rooms_that_were_left_take_no_memory(redis, launch, visit):
    app = await launch()
    for start in range(0, 300, 50):
        visitors = await asyncio.gather(*(visit(app, f"{start + at}") for at in range(50)))
        assert len(list(app.rooms)) == 50
        await asyncio.gather(*(ws.close() for ws in visitors))
        await until(lambda: not list(app.rooms))
    session = app.rooms.bus._session
    await until(lambda: not len(session.subscriber.channels))
    await until(lambda: not session.census._changed)
    gc.collect()
    assert len(app.rooms._rooms) == len(session.census._sizes) == len(app.rooms.bus._rooms) == 0
    client = Redis.from_url(redis.url)
    assert await client.pubsub_channels() == []
    await client.aclose()


async def test_member_that_rejoins_at_once_misses_nothing(redis, launch, visit):
    """An UNSUBSCRIBE may be under way."""
    one, two = await launch(), await launch()
    for number in range(50):
        ada = await visit(one)
        await two.rooms["lobby"].send(str(number))
        assert await ada.recv() == str(number)
        ada.transport.abort()


# A Redis that goes and comes.


async def test_after_a_restart_of_redis_all_members_get_messages_and_the_gap_event(
    redis, launch, visit, caplog
):
    caplog.set_level(logging.WARNING, "roll")
    one, two = await launch(), await launch()
    clients = [await visit(one), await visit(one, "cellar"), await visit(two)]
    redis.end()
    await until(lambda: not (up(one) or up(two)))
    for app in (one, two):
        with pytest.raises(ConnectionError, match="Redis is unreachable"):
            await app.rooms["lobby"].send("lost")
        with pytest.raises(ConnectionError, match="Redis is unreachable"):
            await app.rooms["lobby"].count()
    late = await visit(two)  # who comes meanwhile is let in, and served afterwards
    redis.start()
    await until(lambda: up(one) and up(two))
    await until(lambda: len(one.gaps) + len(two.gaps) == 3)
    assert (sorted(one.gaps), two.gaps) == (["cellar", "lobby"], ["lobby"])
    await two.rooms["lobby"].send("again")
    for client in (clients[0], clients[2], late):
        assert await client.recv() == "again"
    await until_count(one, 3)
    await until_count(one, 1, "cellar")
    messages = [record.getMessage() for record in caplog.records]
    assert [text for text in messages if "back" in text] == ["Redis is back"] * 2
    assert len([text for text in messages if "unreachable" in text]) == 2
    assert len(messages) == 4


async def test_nothing_arrives_twice_over_connections_that_are_killed(redis, launch, visit):
    """Those over which messages are published, too: none is tried again."""
    app = await launch()
    ada = await visit(app)
    client = Redis.from_url(redis.url)
    for number in range(20):
        told = len(app.gaps)
        await client.client_kill_filter(_type="pubsub")
        await client.client_kill_filter(_type="normal", skipme=True)
        await until(lambda told=told: len(app.gaps) > told)
        await app.rooms["lobby"].send(str(number))
        assert await ada.recv() == str(number)
    await client.aclose()


async def test_a_unix_socket_will_do(server, launch, visit, tmp_path):
    server.start("--unixsocket", str(tmp_path / "redis.sock"))
    app = await launch(url=f"unix://{tmp_path}/redis.sock")
    ada = await visit(app)
    await app.rooms["lobby"].send("hello")
    assert await ada.recv() == "hello"


async def test_message_in_transit_when_redis_stops_raises(redis, launch, visit):
    app = await launch()
    await visit(app)
    redis.freeze()
    sending = [asyncio.ensure_future(app.rooms["lobby"].send("x")) for _ in range(100)]
    await asyncio.sleep(0)
    redis.end()
    for task in sending:
        with pytest.raises(ConnectionError):
            await task


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(redis_bus, "PATIENCE", 0.5)
    monkeypatch.setattr(subscriber, "PATIENCE", 0.5)
    monkeypatch.setattr(redis_bus, "FAREWELL", 0.1)


async def test_redis_that_never_answers_does_not_delay_members(redis, launch, visit, quick):
    app = await launch()
    ada = await visit(app)
    redis.freeze()
    with pytest.raises(ConnectionError):
        await app.rooms["lobby"].send("x")
    await until(lambda: not up(app))
    with pytest.raises(ConnectionError):
        await app.rooms["lobby"].send("x")
    bob = await visit(app)
    with pytest.raises(ConnectionError):
        await app.rooms["lobby"].count()
    await bob.close()
    redis.thaw()
    await until(lambda: up(app))
    await until(lambda: app.gaps == ["lobby"])
    await app.rooms["lobby"].send("again")
    # What was sent while Redis hung arrives late: it had been taken over.
    assert await ada.recv() in {"x", "again"}


async def test_an_application_starts_without_redis(server, launch, visit, caplog, monkeypatch):
    attempts = []
    note = subscriber.Subscriber._note
    monkeypatch.setattr(subscriber.Subscriber, "_note", lambda *args: attempts.append(note(*args)))
    app = await launch()
    ada = await visit(app)
    await until(lambda: len(attempts) > 2)
    assert caplog.text.count("Redis is unreachable, so rooms get no messages") == 1
    with pytest.raises(ConnectionError, match="Redis is unreachable"):
        await app.rooms["lobby"].send("x")
    server.start()
    await until(lambda: up(app))
    await until(lambda: app.gaps == ["lobby"])
    await app.rooms["lobby"].send("hello")
    assert await ada.recv() == "hello"


async def test_an_application_starts_and_stops_beside_a_redis_that_never_answers(
    redis, launch, visit, quick
):
    redis.freeze()
    app = await launch()
    await visit(app)
    await app.live.stop()
    redis.thaw()


async def impostor(answer):
    """The URL of a server that is not Redis."""

    async def serve(reader, writer):
        try:
            await answer(reader, writer)
        except ConnectionError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    return server, f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def closes(reader, writer):
    """Say nothing, and go."""


async def is_silent(reader, writer):
    await reader.read()


async def speaks_http(reader, writer):
    await reader.read(100)
    writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")


async def says_yes(reader, writer):
    """Answer each command, and subscribe to nothing."""
    while data := await reader.read(4096):
        writer.write(b"+OK\r\n" * data.count(b"*"))


async def talks_on(reader, writer):
    while True:
        writer.write(b"$1000000000\r\n" + bytes(10_000))
        await writer.drain()


@pytest.mark.parametrize("answer", [closes, is_silent, speaks_http, says_yes, talks_on])
async def test_server_that_is_not_redis_does_not_delay_members(
    launch, visit, quick, answer, caplog
):
    server, url = await impostor(answer)
    app = await launch(url=url)
    await visit(app)
    await until(lambda: not up(app))
    with pytest.raises(ConnectionError):
        await app.rooms["lobby"].send("x")
    assert caplog.text.count("Redis is unreachable, so rooms get no messages: ") == 1
    assert "messages: \n" not in caplog.text
    await app.live.stop()
    server.close()


async def pings(client):
    return (await client.info("commandstats"))["cmdstat_ping"]["calls"]


async def test_options_of_the_url_do_not_end_the_subscription(redis, launch, visit):
    query = "?socket_timeout=0.05&health_check_interval=1&protocol=3"
    app = await launch(url=redis.url + query)
    ada = await visit(app)
    connection = app.rooms.bus._session.subscriber.channels._ask
    client = Redis.from_url(redis.url)
    while await pings(client) < 15:
        await asyncio.sleep(0.05)
    await client.aclose()
    await app.rooms["lobby"].send("hello")
    assert await ada.recv() == "hello"
    assert app.rooms.bus._session.subscriber.channels._ask is connection
    assert app.gaps == []


@pytest.mark.parametrize("login", ["", ":wrong@", "ada:wrong@"])
async def test_a_wrong_password_stops_the_start(server, login):
    server.start("--requirepass", "s3cret")
    app = Roll()
    rooms(app, server.url.replace("//", f"//{login}"))
    with pytest.raises(ConnectionError, match="Redis refuses the rooms") as caught:
        await app.startup()
    assert "wrong" not in str(caught.value)


async def test_a_password_is_given(server, launch, visit):
    server.start("--requirepass", "s3cret")
    app = await launch(url=server.url.replace("//", "//:s3cret@"))
    ada = await visit(app)
    await app.rooms["lobby"].send("hello")
    assert await ada.recv() == "hello"


async def acl(client, rules):
    """Change the rights of the user `rooms`."""
    await client.execute_command("ACL", "SETUSER", "rooms", *rules.split())


@pytest.fixture
async def admin(redis):
    client = Redis.from_url(redis.url)
    await acl(client, "on >pw ~* &* +@all")
    yield client
    await client.aclose()


async def test_revoked_right_to_publish_is_an_error(admin, redis, launch, visit):
    app = await launch(url=redis.url.replace("//", "//rooms:pw@"))
    ada = await visit(app)
    await acl(admin, "-publish")
    with pytest.raises(ConnectionError, match="Redis did not take the message"):
        await app.rooms["lobby"].send("x")
    await acl(admin, "+publish")
    await app.rooms["lobby"].send("y")
    assert await ada.recv() == "y"


async def test_revoked_right_to_subscribe_is_waited_for(admin, redis, launch, visit, caplog):
    app = await launch(url=redis.url.replace("//", "//rooms:pw@"))
    ada = await visit(app)
    await acl(admin, "resetchannels")
    await until(lambda: not up(app))
    with pytest.raises(ConnectionError):
        await app.rooms["lobby"].send("x")
    await until(lambda: caplog.records)
    await acl(admin, "allchannels")
    await until(lambda: up(app))
    await app.rooms["lobby"].send("y")
    assert await ada.recv() == "y"
    await until(lambda: app.gaps == ["lobby"])


async def test_missing_right_to_count_is_an_error(admin, redis, launch, visit):
    app = await launch(url=redis.url.replace("//", "//rooms:pw@"))
    await acl(admin, "-eval")
    with pytest.raises(ConnectionError, match="Redis did not count"):
        await app.rooms["lobby"].count()


# Others on the channel, and long messages.


@pytest.mark.parametrize(
    "data",
    [b"", b"hello", b"T" + bytes(23), b"X" + bytes(24), b"T" + bytes(24) + b"\xff", b"B" * 10],
)
async def test_messages_of_other_programs_are_ignored_and_logged(
    redis, launch, visit, caplog, data
):
    app = await launch()
    ada = await visit(app)
    client = Redis.from_url(redis.url)
    await client.publish("roll:room:lobby", data)
    await app.rooms["lobby"].send("hello")
    assert await ada.recv() == "hello"
    assert "A message to the room 'lobby' was ignored" in caplog.text
    await client.aclose()


async def test_a_delivery_that_fails_is_logged_and_the_next_one_comes(
    redis, launch, visit, caplog, monkeypatch
):
    app = await launch()
    ada = await visit(app)
    room = app.rooms["lobby"]
    delivered = asyncio.Event()

    def fail(message, exclude):
        delivered.set()
        raise ZeroDivisionError

    monkeypatch.setattr(type(room), "deliver", lambda self, *args: fail(*args))
    await room.send("x")
    await delivered.wait()
    monkeypatch.undo()
    await room.send("y")
    assert await ada.recv() == "y"
    assert "was lost" in caplog.text


async def test_a_message_has_a_limit(redis, launch, visit):
    app = await launch()
    ada = await visit(app, max_size=None)
    room = app.rooms["lobby"]
    for message in (b"x" * (envelope.LONGEST + 1), "é" * (envelope.LONGEST // 2 + 1)):
        with pytest.raises(ValueError, match="at most 8388608 bytes, not"):
            await room.send(message)
    await room.send(b"x" * envelope.LONGEST)
    assert len(await ada.recv()) == envelope.LONGEST
    assert app.gaps == []


async def test_burst_does_not_make_members_slow(redis, launch, visit):
    """The messages of a burst come in one piece, and are delivered faster than they are read."""
    one, two = await launch(), await launch()
    ada = await visit(two, compression=None, max_queue=None)
    sends = [one.rooms["lobby"].send(f"{number:05}" + "x" * 2000) for number in range(5000)]
    await asyncio.gather(*sends)
    assert [int((await ada.recv())[:5]) for _ in range(5000)] == list(range(5000))
    assert two.rooms["lobby"].counters.closed == 0


# Beginning and end.


async def test_a_send_that_is_cancelled_leaves_the_others(redis, launch, visit):
    app = await launch()
    ada = await visit(app)
    room = app.rooms["lobby"]
    sends = [asyncio.ensure_future(room.send(str(number))) for number in range(200)]
    await asyncio.sleep(0)
    for task in sends[1::2]:
        task.cancel()
    await asyncio.wait(sends)
    await room.send("last")
    got = []
    while (message := await ada.recv()) != "last":
        got.append(int(message))
    assert got == sorted(got)
    assert set(range(0, 200, 2)) <= set(got)
    assert not room._house.bus._session.publisher._waiting


async def test_a_send_that_is_cancelled_under_way_leaves_the_others(redis, launch, visit):
    app = await launch()
    ada = await visit(app)
    room = app.rooms["lobby"]
    redis.freeze()
    sends = [asyncio.ensure_future(room.send(str(number))) for number in range(3)]
    publisher = app.rooms.bus._session.publisher
    await until(lambda: publisher._task is not None and not publisher._waiting)
    sends[1].cancel()
    await asyncio.sleep(0)
    redis.thaw()
    await asyncio.wait(sends)
    assert [await ada.recv() for _ in range(3)] == ["0", "1", "2"]
    assert sends[1].cancelled()


async def test_a_join_that_is_cancelled_leaves_nothing(redis, launch, quick):
    app = await launch()
    reading = asyncio.ensure_future(read(app.rooms["lobby"], 1))
    redis.freeze()
    other = asyncio.ensure_future(read(app.rooms["cellar"], 1))
    await until(lambda: len(list(app.rooms)) == 2)
    for task in (reading, other):
        task.cancel()
    await asyncio.wait([reading, other])
    assert list(app.rooms) == []
    redis.thaw()
    await until(lambda: up(app) and not len(app.rooms.bus._session.subscriber.channels))


async def test_after_the_end_nothing_is_sent(redis, launch, visit):
    app = await launch()
    room = app.rooms["lobby"]
    reading = asyncio.ensure_future(read(room, 1))
    await until(lambda: "lobby" in app.rooms)
    await app.live.stop()
    for call in (room.send("x"), room.count()):
        with pytest.raises(ConnectionError, match="The rooms are closed"):
            await call
    assert await reading == []
    assert await read(room, 1) == []  # one that begins after the end


async def test_member_that_outlives_the_shutdown_leaves_an_empty_room(redis, launch, visit):
    """As a handler may, beside an application that was started again."""
    app = await launch()
    await visit(app)
    room = app.rooms["lobby"]
    await app.rooms.bus.stop()
    room.deliver("still here", None)
    await asyncio.gather(*(ws.close() for ws in room.members))
    await until(lambda: not room.size)
    await app.startup()
    assert await room.count() == 0


async def test_a_listener_of_gaps_ends_with_the_application(redis, launch, visit):
    app = await launch()
    told, ended = asyncio.Event(), asyncio.Event()

    @app.listen("room_gap")
    async def wait(room):
        told.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    await visit(app)
    redis.end()
    await until(lambda: not up(app))
    redis.start()
    await told.wait()
    await app.live.stop()
    assert ended.is_set()


async def test_message_for_an_empty_room_is_dropped(redis, launch):
    """It may come before Redis has confirmed that the last one has gone."""
    app = await launch()
    app.rooms.bus.receive(b"roll:room:lobby", b"x")
    await app.rooms.bus.stop()
    app.rooms.bus.receive(b"roll:room:lobby", b"x")


def test_answers_for_other_channels_are_ignored():
    asked = []
    known = channels.Channels()
    known.connected(lambda *command: asked.append(command))
    known.confirm(b"other", active=True)
    known.close(b"other")
    assert (asked, len(known), known.unconfirmed) == ([], 0, 0)


async def test_a_channel_has_one_command_at_a_time():
    asked = []
    known = channels.Channels()
    await known.open(b"a")  # without a connection, nothing is waited for
    known.connected(lambda *command: asked.append(command))
    opening = asyncio.ensure_future(known.open(b"a"))
    await asyncio.sleep(0)
    known.close(b"a")
    opening.cancel()
    assert (asked, known.unconfirmed) == ([("SUBSCRIBE", b"a")], 1)
    again = asyncio.ensure_future(known.open(b"a"))
    await asyncio.sleep(0)
    known.close(b"a")
    known.confirm(b"a", active=True)
    assert asked[1:] == [("UNSUBSCRIBE", b"a")]
    third = asyncio.ensure_future(known.open(b"a"))
    await asyncio.sleep(0)
    known.confirm(b"a", active=False)
    assert asked[2:] == [("SUBSCRIBE", b"a")]
    known.lost()
    await asyncio.wait([again, third])
    assert (len(known), known.unconfirmed, known.names()) == (1, 0, [b"a"])


async def test_messages_in_transit_at_the_end_raise_a_connection_error(redis, launch):
    app = await launch()
    redis.freeze()
    sends = [asyncio.ensure_future(app.rooms["lobby"].send(str(n))) for n in range(100)]
    await until(lambda: app.rooms.bus._session.publisher._waiting)
    ending = asyncio.ensure_future(app.rooms.bus.stop())
    for task in sends:
        with pytest.raises(ConnectionError):
            await task
    redis.thaw()
    await ending


async def test_an_application_may_start_again(redis, visit):
    app = Roll()
    app.rooms = rooms(app, redis.url)
    for number in range(3):
        await app.startup()
        reading = asyncio.ensure_future(read(app.rooms["lobby"], 1))
        known = app.rooms.bus._session.subscriber.channels
        await until(lambda known=known: len(known) and not known.unconfirmed)
        await app.rooms["lobby"].send(str(number))
        assert await reading == [str(number)]
        await app.shutdown()


async def test_rooms_work_without_an_application_that_runs(redis):
    """As in a script that only sends."""
    app = Roll()
    hall = rooms(app, redis.url)
    await hall["lobby"].send("x")
    assert await hall["lobby"].count() == 0
    await app.shutdown()


async def test_a_listener_of_gaps_may_fail(redis, launch, visit, caplog):
    app = await launch()

    @app.listen("room_gap")
    async def fail(room):
        await room.send(f"a gap in {room.name}")
        raise ZeroDivisionError

    ada, bob = await visit(app), await visit(app, "cellar")
    redis.end()
    await until(lambda: not up(app))
    redis.start()
    assert [await ada.recv(), await bob.recv()] == ["a gap in lobby", "a gap in cellar"]
    await until(lambda: caplog.text.count("listener of room_gap") == 2)


async def test_internal_error_is_logged_and_the_connection_is_opened_again(
    redis, launch, visit, caplog, monkeypatch
):
    app = await launch()
    ada = await visit(app)
    session = app.rooms.bus._session
    confirm = session.subscriber.channels.confirm
    failed = asyncio.Event()

    def fail(*args):
        monkeypatch.setattr(session.subscriber.channels, "confirm", confirm)
        failed.set()
        raise ZeroDivisionError

    monkeypatch.setattr(session.subscriber.channels, "confirm", fail)
    bob = await visit(app, "cellar")
    await failed.wait()
    await until(lambda: up(app))
    assert "The connection to Redis failed" in caplog.text
    await app.rooms["lobby"].send("a")
    await app.rooms["cellar"].send("b")
    assert [await ada.recv(), await bob.recv()] == ["a", "b"]


async def test_numbers_that_cannot_be_written_are_logged_and_written_later(
    redis, launch, visit, caplog, monkeypatch
):
    monkeypatch.setattr(census, "BEAT", 0.01)
    app = await launch()
    own = app.rooms.bus._session.census

    async def fail(*args):
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr(own, "_write_numbers", fail)
        await visit(app)
        await until(lambda: "could not be written to Redis" in caplog.text)
    await until_count(app, 1)


async def test_numbers_that_redis_refuses_are_logged_once(
    admin, redis, launch, visit, caplog, monkeypatch
):
    monkeypatch.setattr(census, "BEAT", 0.01)
    app = await launch(url=redis.url.replace("//", "//rooms:pw@"))
    noted = []
    note = census.Census._note
    monkeypatch.setattr(census.Census, "_note", lambda *args: noted.append(note(*args)))
    refusing = "Redis refuses the numbers of room members"
    for number in (1, 2):
        await acl(admin, "-hset")
        await visit(app)
        await until(lambda number=number: caplog.text.count(refusing) == number)
        with pytest.raises(ConnectionError, match="Redis did not count"):
            await app.rooms["lobby"].count()
        beats = len(noted)
        await until(lambda beats=beats: len(noted) > beats + 1)
        await acl(admin, "+hset")
        await until_count(app, number)
        assert caplog.text.count(refusing) == number
