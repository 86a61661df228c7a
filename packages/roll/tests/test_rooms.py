"""`rooms`: members, readers, events and slow peers, within one process."""

import asyncio
import gc
import json
import socket
import subprocess
import sys
from decimal import Decimal

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from roll import Roll, WSProtocol
from roll.extensions import rooms
from roll.server import AppServer
from roll.testing import Client, LiveClient
from roll.testing.responses import read_response
from roll_http import Limits

PATIENCE = 10


async def until(condition):
    """Let the loop run until something holds."""
    async with asyncio.timeout(PATIENCE):
        while not condition():
            await asyncio.sleep(0)


@pytest.fixture
def hall(app):
    """The rooms of the application, with a route by which clients join and talk."""
    app.rooms = rooms(app)
    talk_route(app)
    return app.rooms


def talk_route(app):
    @app.route("/talk/{name}", protocol="websocket")
    async def talk(request, ws, name):
        room = app.rooms[name]
        async with room.join(ws):
            await ws.send("joined")
            async for message in ws:
                await room.send(message, exclude=ws)


@pytest.fixture
def visit(liveclient):
    """Open websockets that have joined a room."""
    opened = []

    async def visit(name, **options):
        ws = await connect(f"{liveclient.wsl}/talk/{name}", **options)
        opened.append(ws)
        assert await ws.recv() == "joined"
        return ws

    yield visit
    for ws in opened:
        ws.transport.abort()


async def test_message_reaches_all_members_except_the_excluded_one(app, hall, visit):
    ada, bob, eve = await visit("lobby"), await visit("lobby"), await visit("cellar")
    await ada.send("hello")
    assert await bob.recv() == "hello"
    await bob.send(b"\x00\xff")
    assert await ada.recv() == b"\x00\xff"
    await hall["cellar"].send("only here")
    assert await eve.recv() == "only here"
    await hall["lobby"].send("for both")
    assert [await ada.recv(), await bob.recv()] == ["for both"] * 2


@pytest.mark.parametrize("data", [bytearray(b"abc"), memoryview(b"abc"), b"abc"])
async def test_bytes_like_messages_are_sent_as_binary(app, hall, visit, data):
    ada = await visit("lobby")
    await hall["lobby"].send(data)
    assert await ada.recv() == b"abc"


async def test_json_is_encoded_by_the_application(app, hall, visit):
    ada, bob = await visit("lobby"), await visit("lobby")
    members = {ws.request.client[1]: ws for ws in hall["lobby"].members}
    excluded = members[ada.local_address[1]]
    await hall["lobby"].send_json({"price": Decimal("1.5")}, exclude=excluded)
    await hall["lobby"].send_json([1])
    assert [json.loads(await bob.recv()) for _ in range(2)] == [{"price": "1.5"}, [1]]
    assert await ada.recv() == "[1]"


class Bytes:
    """A codec that gives bytes, as orjson does."""

    dumps = staticmethod(lambda value: json.dumps(value).encode())
    loads = staticmethod(json.loads)


async def test_a_codec_may_give_bytes(app, hall, visit):
    app.JSON = Bytes()
    ada = await visit("lobby")
    await hall["lobby"].send_json({"a": 1})
    assert await ada.recv() == '{"a": 1}'


async def test_messages_arrive_in_the_order_of_the_calls(app, hall, visit):
    ada = await visit("lobby")
    room = hall["lobby"]
    await asyncio.gather(*(room.send(str(number)) for number in range(100)))
    assert [await ada.recv() for _ in range(100)] == [str(number) for number in range(100)]


async def test_members_are_counted_and_events_are_sent(app, hall, liveclient, visit):
    told = []

    @app.listen("room_join")
    async def joined(ws, room):
        told.append(("join", room.name, len(room.members), ws in room.members))

    @app.listen("room_leave")
    def left(room):
        told.append(("leave", room.name, len(room.members), room.size))

    ada = await visit("lobby")
    room = hall["lobby"]
    bob = await visit("lobby")
    assert (await room.count(), room.size, len(room.members)) == (2, 2, 2)
    assert all(isinstance(ws, WSProtocol) for ws in room.members)
    await ada.close()
    await until(lambda: room.size == 1)
    bob.transport.abort()
    await until(lambda: not room.size)
    assert told == [
        ("join", "lobby", 1, True),
        ("join", "lobby", 2, True),
        ("leave", "lobby", 1, 1),
        ("leave", "lobby", 0, 0),
    ]
    assert await room.count() == 0
    assert repr(room) == "<Room 'lobby': 0 members, 0 readers>"


async def test_joining_twice_makes_one_member(app, liveclient):
    app.rooms = rooms(app)
    told = []
    app.listen("room_join")(lambda ws: told.append("join"))
    app.listen("room_leave")(lambda ws: told.append("leave"))

    @app.route("/", protocol="websocket")
    async def handler(request, ws):
        room = app.rooms["lobby"]
        async with room.join(ws) as joined:
            assert joined is room
            async with room.join(ws), app.rooms["other"].join(ws):
                await room.send("once")
            assert (room.size, told) == (1, ["join", "join", "leave"])
            await room.send("still there")
        assert room.size == 0

    async with connect(liveclient.wsl) as ws:
        assert [await ws.recv(), await ws.recv()] == ["once", "still there"]
    assert told == ["join", "join", "leave", "leave"]


async def test_a_listener_may_keep_a_websocket_out(app, hall, liveclient, caplog):
    told = []

    @app.listen("room_join")
    def refuse(room, ws):
        raise ValueError("full")

    app.listen("room_leave")(lambda room: told.append("leave"))
    async with connect(f"{liveclient.wsl}/talk/lobby") as ws:
        with pytest.raises(ConnectionClosed):
            await ws.recv()
    assert ws.close_code == 1011
    assert list(hall) == told == []
    await until(lambda: caplog.records)
    assert "full" in caplog.text


async def test_a_listener_that_fails_at_the_end_is_logged(app, hall, visit, caplog):
    @app.listen("room_leave")
    def fail(room):
        raise ValueError("at the end")

    ada, bob = await visit("lobby"), await visit("lobby")
    await ada.close()
    await bob.send("still here")
    await until(lambda: caplog.records)
    (record,) = caplog.records
    assert record.getMessage() == "Unexpected exception: listener of room_leave"
    assert bob.close_code is None


@pytest.mark.parametrize("when", ["join", "leave", "inside"])
async def test_cancelled_member_is_removed_from_the_room(app, hall, liveclient, when):
    at, task = asyncio.Event(), []

    async def wait(room, ws):
        task.append(asyncio.current_task())
        at.set()
        await asyncio.Event().wait()

    if when != "inside":
        app.listen(f"room_{when}")(wait)

    @app.route("/", protocol="websocket")
    async def handler(request, ws):
        async with app.rooms["lobby"].join(ws):
            if when == "inside":
                await wait(app.rooms["lobby"], ws)

    async with connect(liveclient.wsl) as ws:
        await at.wait()
        task[0].cancel()
        await ws.wait_closed()
        await until(task[0].done)
    assert list(hall) == []


# Readers.


async def read(room, count):
    got = []
    async for message in room:
        got.append(message)
        if len(got) == count:
            break
    return got


async def test_a_room_can_be_read(app):
    hall = rooms(app)
    room = hall["lobby"]
    reading = [asyncio.ensure_future(read(room, count)) for count in (1, 3)]
    await until(lambda: "lobby" in hall)
    for message in ("one", b"two", "three"):
        await room.send(message)
    assert await asyncio.gather(*reading) == [["one"], ["one", b"two", "three"]]
    await until(lambda: "lobby" not in hall)


async def test_a_reader_that_waits_may_be_cancelled(app):
    hall = rooms(app)
    reading = asyncio.ensure_future(read(hall["lobby"], 1))
    await until(lambda: list(hall) == ["lobby"])
    reading.cancel()
    await asyncio.wait([reading])
    assert list(hall) == []
    await hall["lobby"].send("to nobody")


async def test_a_reader_may_be_closed_before_it_has_begun(app):
    hall = rooms(app)
    iteration = aiter(hall["lobby"])
    await iteration.aclose()
    assert list(hall) == []


@pytest.mark.parametrize("size", [0, 1000])
@pytest.mark.parametrize("slow", ["close", "drop"])
async def test_a_reader_that_is_slow_is_bounded(app, slow, size):
    hall = rooms(app, slow=slow, backlog=100_000)
    room = hall["lobby"]
    iteration = aiter(room)
    first = asyncio.ensure_future(anext(iteration))
    await until(lambda: "lobby" in hall)
    message = "x" * size
    for _ in range(2000):
        await room.send(message)
    assert await first == message
    most = 100_000 // (size + 100)
    got = [await anext(iteration) for _ in range(most)]
    assert got == [message] * most
    if slow == "close":
        with pytest.raises(StopAsyncIteration):
            await anext(iteration)
        assert (room.counters.closed, room.counters.dropped) == (1, 0)
    else:
        await room.send("again")
        assert await anext(iteration) == "again"
        assert room.counters.closed == 0
        assert room.counters.dropped == 2000 - 1 - most
    assert room.counters.messages == 2000 + (slow == "drop")
    assert hall.counters == room.counters
    await iteration.aclose()


async def test_a_reader_that_waits_when_it_is_slow_is_ended(app):
    """As it is woken only later."""
    hall = rooms(app, backlog=1)
    iteration = aiter(hall["lobby"])
    first = asyncio.ensure_future(anext(iteration))
    await until(lambda: "lobby" in hall)
    for _ in range(3):
        hall["lobby"].deliver("x", None)
    assert await first == "x"
    with pytest.raises(StopAsyncIteration):
        await anext(iteration)


async def test_one_message_may_pass_the_backlog(app):
    hall = rooms(app, backlog=1)
    reading = asyncio.ensure_future(read(hall["lobby"], 1))
    await until(lambda: "lobby" in hall)
    await hall["lobby"].send("x" * 10**6)
    assert await reading == ["x" * 10**6]


@pytest.mark.parametrize("message", ["x" * 1000, b"x" * 1000, "é" * 1000, "€" * 1000, "😀" * 1000])
async def test_backlog_of_a_reader_counts_bytes(app, message):
    hall = rooms(app, backlog=10_000, slow="drop")
    room = hall["lobby"]
    size = len(message.encode() if isinstance(message, str) else message)
    async with room.subscribe() as messages:
        for _ in range(100):
            room.deliver(message, None)
        waiting = 100 - room.counters.dropped
        assert 2 <= waiting <= 10_000 // size
        assert [await anext(messages) for _ in range(waiting)] == [message] * waiting
        room.deliver(message, None)  # there is space again
        assert await anext(messages) == message
        assert room.counters.dropped == 100 - waiting


async def test_messages_wait_from_the_subscription_on(app):
    hall = rooms(app)
    room = hall["lobby"]
    async with room.subscribe() as messages:
        assert list(hall) == ["lobby"]
        for message in ("one", b"two"):
            await room.send(message)
        assert [await anext(messages), await anext(messages)] == ["one", b"two"]
        await room.send("left behind")
    assert list(hall) == []
    await room.send("three")
    assert [message async for message in messages] == ["left behind"]


async def test_cancelled_wait_for_a_message_can_be_repeated(app):
    room = rooms(app)["lobby"]
    async with room.subscribe() as messages:
        for _ in range(3):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0):
                    await anext(messages)
        waiting = asyncio.ensure_future(anext(messages))
        await asyncio.sleep(0)
        await room.send("one")
        waiting.cancel()  # when the message is there already
        await asyncio.wait([waiting])
        got = [] if waiting.cancelled() else [waiting.result()]
        await room.send("two")
        while len(got) < 2:
            got.append(await anext(messages))
        assert got == ["one", "two"]


async def test_one_task_at_a_time_waits_for_a_message(app):
    room = rooms(app)["lobby"]
    async with room.subscribe() as messages:
        waiting = asyncio.ensure_future(anext(messages))
        await asyncio.sleep(0)
        with pytest.raises(RuntimeError, match="Another task"):
            await anext(messages)
        await room.send("one")
        assert await waiting == "one"


async def test_a_wait_ends_with_its_block(app):
    async with rooms(app)["lobby"].subscribe() as messages:
        waiting = asyncio.ensure_future(anext(messages, "the end"))
        await asyncio.sleep(0)
    assert await waiting == "the end"


async def test_a_local_message_reaches_members_and_readers(app, hall, visit):
    ada, bob = await visit("lobby"), await visit("lobby")
    (own, _) = hall["lobby"].members
    async with hall["lobby"].subscribe() as messages:
        await hall["lobby"].send("to all", local=True)
        await hall["lobby"].send_json({"a": 1}, exclude=own, local=True)
        assert [await anext(messages), await anext(messages)] == ["to all", '{"a":1}']
    assert {await ada.recv(), await bob.recv()} == {"to all"}
    await hall["lobby"].send("last")
    assert sorted([await ada.recv(), await bob.recv()]) == ["last", '{"a":1}']


# Slow websockets.


def small_socket(port):
    """A connection that the system gives little room."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.connect(("127.0.0.1", port))
    return sock


@pytest.mark.parametrize("slow", ["close", "drop"])
@pytest.mark.parametrize("size", [1, 60_000])
async def test_websocket_that_does_not_read_does_not_delay_others(
    app, liveclient, visit, slow, size, monkeypatch
):
    monkeypatch.setattr(WSProtocol, "TIMEOUT", 0.1)
    monkeypatch.setattr(WSProtocol, "WRITE_LIMIT", 1000)
    monkeypatch.setattr(WSProtocol, "BACKLOG_LIMIT", 100_000)
    app.rooms = rooms(app, slow=slow)
    talk_route(app)
    healthy = await visit("lobby", compression=None)
    (kept,) = app.rooms["lobby"].members
    deaf = await visit("lobby", compression=None, sock=small_socket(liveclient.port))
    deaf.transport.pause_reading()
    room = app.rooms["lobby"]
    (lost,) = room.members - {kept}
    sock = lost._connection.transport.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    count = 0
    while not (room.counters.closed or room.counters.dropped):
        await room.send("x" * size)
        count += 1
        assert len(await healthy.recv()) == size
    assert room.counters.messages == count
    if slow == "close":
        assert (room.counters.closed, room.counters.dropped) == (1, 0)
        await until(lambda: room.size == 1)
        assert room.members == {kept}
    else:
        assert (room.counters.closed, room.size) == (0, 2)
    await room.send("after")
    assert await healthy.recv() == "after"


async def test_sending_in_a_loop_does_not_make_readers_slow(app, hall, visit):
    """A client in this very loop: it reads only when the sender lets it."""
    ada = await visit("lobby", compression=None, max_queue=None)
    room = hall["lobby"]
    for number in range(5000):
        await room.send(f"{number:04}" + "x" * 2000)
    assert [int((await ada.recv())[:4]) for _ in range(5000)] == list(range(5000))
    assert room.counters.closed == 0


# The end.


async def test_messages_may_be_sent_during_a_stop(app, liveclient):
    app.rooms = rooms(app)
    sent = []

    @app.route("/", protocol="websocket")
    async def handler(request, ws):
        room = app.rooms["lobby"]
        try:
            async with room.join(ws):
                await ws.send("joined")
                await ws.recv()
        finally:
            await room.send("gone")
            sent.append(len(room.members))

    @app.listen("shutdown")
    async def say():
        await app.rooms["lobby"].send("the end")

    async with connect(liveclient.wsl) as ws:
        await ws.recv()
        await liveclient.stop()
        with pytest.raises(ConnectionClosed):
            await ws.recv()
    assert ws.close_code == 1001
    assert sent == [0]


async def test_server_sent_events_come_from_a_room(app, liveclient):
    """Until the client leaves, or the server stops."""
    hall = rooms(app)

    @app.route("/events")
    async def events(request, response):
        response.sse = hall["lobby"]

    async def listen():
        reader, writer = await asyncio.open_connection("127.0.0.1", liveclient.port)
        writer.write(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert b"text/event-stream" in await reader.readuntil(b"\r\n\r\n")
        return reader, writer

    leaver, stayer = await listen(), await listen()
    await until(lambda: len(hall["lobby"]._readers) == 2)
    await hall["lobby"].send("one\ntwo")
    await hall["lobby"].send_json({"a": 1})
    for reader, _ in (leaver, stayer):
        assert await reader.readuntil(b'{"a":1}\n\n') != b""
    leaver[1].close()
    await until(lambda: len(hall["lobby"]._readers) == 1)
    await hall["lobby"].send("last")
    assert b"data: last\n\n" in await stayer[0].readuntil(b"last\n\n")
    await liveclient.stop()
    assert (await stayer[0].read()).endswith(b"0\r\n\r\n")
    stayer[1].close()
    assert list(hall) == []


async def test_readers_end_with_the_application(app):
    hall = rooms(app)
    reading = [asyncio.ensure_future(read(hall[name], None)) for name in ("lobby", "cellar")]
    await until(lambda: len(list(hall)) == 2)
    await hall["lobby"].send("last")
    await app.shutdown()
    assert await asyncio.gather(*reading) == [["last"], []]
    assert list(hall) == []
    await app.startup()
    reading = asyncio.ensure_future(read(hall["lobby"], 1))
    await until(lambda: "lobby" in hall)
    await hall["lobby"].send("again")
    assert await reading == ["again"]


class Guest:
    """A client that waits for a message of a room, in one of the ways to wait."""

    def __init__(self, app):
        self.hall = hall = rooms(app)

        @app.route("/stream")
        async def stream(request, response):
            response.body = lines(hall["lobby"])

        @app.route("/sse")
        async def events(request, response):
            response.sse = hall["lobby"]

        @app.route("/wait")
        async def wait(request, response):
            async for message in hall["lobby"]:
                response.body = message
                return
            response.body = "nothing came"

        @app.route("/ws", protocol="websocket")
        async def pass_on(request, ws):
            async with hall["lobby"].subscribe() as messages:
                async for message in messages:
                    await ws.send(message)


async def lines(room):
    yield b"begin\n"
    async for message in room:
        yield message.encode()
    yield b"end\n"


@pytest.fixture(params=["", "/inner"], ids=["own", "mounted"])
def place(request):
    return request.param


@pytest.fixture
def house(place):
    """An application whose stop may take longer than the test, and the one with the rooms."""
    outer = inner = Roll(limits=Limits(graceful_timeout=60))
    if place:
        inner = Roll(limits=Limits(graceful_timeout=60))
        outer.mount(place, inner)
    return outer, Guest(inner).hall


@pytest.mark.parametrize(
    ("path", "body"),
    [("/stream", b"begin\nend\n"), ("/sse", b""), ("/wait", b"nothing came")],
)
async def test_answer_that_waits_for_a_room_is_whole_when_the_server_stops(
    house, place, path, body
):
    app, hall = house
    async with asyncio.timeout(PATIENCE), LiveClient(app) as client:
        reader, writer = await asyncio.open_connection("127.0.0.1", client.port)
        writer.write(f"GET {place}{path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        await until(lambda: "lobby" in hall)
        await client.stop()
        answer = await read_response(reader, "GET")
        assert await reader.read() == b""
        writer.close()
    assert (answer.status, answer.body) == (200, body)
    assert list(hall) == []


async def code_at_stop(app, hall, path):
    """Return the close code of a websocket that waits for a room when the server stops."""
    async with (
        asyncio.timeout(PATIENCE),
        LiveClient(app) as client,
        connect(f"{client.wsl}{path}") as ws,
    ):
        await until(lambda: "lobby" in hall)
        await client.stop()
        with pytest.raises(ConnectionClosed):
            await ws.recv()
    return ws.close_code


async def test_websocket_that_waits_for_a_room_is_closed_with_1001_when_the_server_stops(
    house, place
):
    assert await code_at_stop(*house, f"{place}/ws") == 1001


async def test_websocket_class_without_shutdown_is_closed_with_1000_when_the_server_stops():
    class Plain(WSProtocol):
        shutdown = None

    app = type("Site", (Roll,), {"WebsocketProtocol": Plain})(limits=Limits(graceful_timeout=60))
    hall = Guest(app).hall
    assert await code_at_stop(app, hall, "/ws") == 1000


@pytest.mark.parametrize("client", [LiveClient, Client])
async def test_task_that_reads_a_room_ends_when_the_application_stops(client):
    app = Roll(limits=Limits(graceful_timeout=60))
    hall = rooms(app)
    async with asyncio.timeout(PATIENCE):
        async with client(app):
            reading = app.create_task(read(hall["lobby"], None))
            await until(lambda: "lobby" in hall)
            await hall["lobby"].send("last")
        assert await reading == ["last"]


@pytest.mark.parametrize("together", [False, True])
async def test_reader_of_two_servers_ends_when_both_stop(together):
    app = Roll(limits=Limits(graceful_timeout=60))
    hall = Guest(app).hall
    await app.startup()
    servers = [AppServer(app), AppServer(app)]
    async with asyncio.timeout(PATIENCE):
        for server in servers:
            await server.listen("127.0.0.1", 0)
        port = servers[1].sockets[0].getsockname()[1]
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /wait HTTP/1.1\r\nHost: localhost\r\n\r\n")
        await until(lambda: "lobby" in hall)
        if not together:
            await servers[0].stop()
            assert "lobby" in hall  # the other server goes on
        await asyncio.gather(*(server.stop() for server in servers))
        assert (await reader.read()).endswith(b"nothing came")
        await app.shutdown()
    writer.close()


async def test_reader_that_begins_during_or_after_the_stop_ends_at_once(app):
    hall = rooms(app)
    found = []

    @app.listen("shutdown")
    async def read_late():
        found.append(await read(hall["lobby"], None))

    async with asyncio.timeout(PATIENCE):
        await app.startup()
        await app.shutdown()
        assert found == [[]]
        assert await read(hall["lobby"], None) == []
        assert list(hall) == []
        await app.startup()
        reading = asyncio.ensure_future(read(hall["lobby"], 1))
        await until(lambda: "lobby" in hall)
        await hall["lobby"].send("again")
        assert await reading == ["again"]


async def test_function_that_fails_at_the_notice_of_a_stop_is_logged(app, caplog):
    told = []
    app.stop_notice.add(lambda: 1 / 0)
    app.stop_notice.add(lambda: told.append(1))
    await app.startup()
    await app.shutdown()
    assert told == [1]
    assert "ZeroDivisionError" in caplog.text


# What is asked for wrongly.


@pytest.mark.parametrize("name", [None, 3, b"lobby", ("a",), object(), ["a"]])
def test_a_name_is_text(app, name):
    with pytest.raises(TypeError, match="The name of a room is a str, not"):
        rooms(app)[name]


@pytest.mark.parametrize(
    "name", ["", " ", "a:b", "\x00\r\n", "é€\U0001f600", "x" * 100_000, "*[?"]
)
async def test_any_text_is_a_name(app, name):
    hall = rooms(app)
    assert hall[name] is not hall[name + "x"]
    room = hall[name]
    assert hall[name] is room
    assert name not in hall
    reading = asyncio.ensure_future(read(room, 1))
    await until(lambda: name in hall)
    await hall[name + "x"].send("elsewhere")
    await room.send("here")
    assert await reading == ["here"]


def test_room_name_with_a_lone_surrogate_is_refused(app):
    with pytest.raises(ValueError, match="surrogates"):
        rooms(app)["\ud800"]


@pytest.mark.parametrize("message", [None, 3, 1.5, ["a"], {"a": 1}, object(), range(3)])
async def test_a_message_is_text_or_bytes(app, message):
    with pytest.raises(TypeError, match="A message is str or bytes, not"):
        await rooms(app)["lobby"].send(message)


async def test_message_that_json_cannot_encode_is_an_error(app):
    with pytest.raises(TypeError):
        await rooms(app)["lobby"].send_json(object())


@pytest.mark.parametrize("ws", [None, 3, "ws", WSProtocol, object(), [1]])
async def test_members_are_websockets(app, ws):
    room = rooms(app)["lobby"]
    with pytest.raises(TypeError, match="`join` takes the websocket of a handler"):
        async with room.join(ws):
            raise AssertionError
    if ws is not None:
        with pytest.raises(TypeError, match="`exclude` takes the websocket of a handler"):
            await room.send("x", exclude=ws)


@pytest.mark.parametrize(
    "options",
    [
        *({"slow": slow} for slow in (None, True, "wait", ["close"], {}, b"drop")),
        *({"backlog": size} for size in (None, 0, -1, 1.5, "1", True)),
        *({"url": url} for url in (5, True, "", "localhost", "http://localhost", b"redis://x")),
        *({"url": "redis://x", "prefix": prefix} for prefix in (None, 5, "", b"x", "\ud800")),
        *({"prefix": prefix} for prefix in (None, 5, "", b"x", print)),
    ],
)
def test_invalid_options_are_errors_at_once(app, options):
    with pytest.raises(ValueError, match=f"^`{list(options)[-1]}` "):
        rooms(app, **options)


def test_a_missing_extra_names_itself():
    code = """
import sys
sys.modules["redis"] = None
from roll import Roll, extensions
extensions.rooms(Roll())
extensions.rooms(Roll(), "redis://localhost")
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert done.stderr.splitlines()[-1].endswith('needs redis: `pip install "roll[redis]"`')


# Growth.


async def test_rooms_that_were_left_take_no_memory(app, liveclient):
    app.rooms = hall = rooms(app)

    @app.route("/", protocol="websocket")
    async def handler(request, ws):
        async for name in ws:
            async with hall[name].join(ws):
                await hall[name].send("in")
            await asyncio.wait_for(read_one(hall[name]), PATIENCE)
            await ws.send("done")

    async def read_one(room):
        reading = asyncio.ensure_future(read(room, 1))
        await until(lambda: room.used)
        await room.send("read")
        await reading

    async with connect(liveclient.wsl) as ws:
        for number in range(1000):
            await ws.send(f"room {number}")
            assert [await ws.recv(), await ws.recv()] == ["in", "done"]
    gc.collect()
    assert (list(hall), len(hall._rooms)) == ([], 0)


async def test_each_application_has_its_own_rooms(app):
    one, two = rooms(app), rooms(Roll())
    reading = asyncio.ensure_future(read(one["lobby"], 1))
    await until(lambda: "lobby" in one)
    await two["lobby"].send("elsewhere")
    await one["lobby"].send("here")
    assert await reading == ["here"]
