"""Streams and websockets of the test clients, in process and live."""

import asyncio

import pytest
from websockets.frames import Frame, Opcode

from roll import ConnectionClosed, HttpError, Roll
from roll.testing import Client, WebsocketRefused
from roll.testing.connection import Duplex, InProcess


@pytest.fixture(params=["client", "liveclient"])
def tester(request):
    """Either client of the application."""
    return request.getfixturevalue(request.param)


# Streams.


@pytest.fixture
def events(app):
    """A stream that gives what is put into its queue, and says when it is closed."""
    app.queue, app.closed = asyncio.Queue(), asyncio.Event()

    @app.route("/events")
    async def events(request, response):
        async def body():
            try:
                while (event := await app.queue.get()) is not None:
                    yield event
            finally:
                app.closed.set()

        response.headers["X-A"] = "1"
        response.body = body()

    return app


async def test_stream_is_read_while_it_arrives(events, tester, until):
    async with tester.stream("GET", "/events") as response:
        assert (response.status, response.reason) == (200, "OK")
        assert response.headers["x-a"] == "1"
        chunks = aiter(response)
        for event in (b"first", b"second"):
            events.queue.put_nowait(event)
            assert await until(anext(chunks)) == event
        events.queue.put_nowait(None)
        assert await until(response.read()) == b""


async def test_a_stream_is_closed_when_its_client_leaves(events, tester, until):
    async with tester.stream("GET", "/events") as response:
        events.queue.put_nowait("once")
        assert await until(anext(aiter(response))) == b"once"
        assert not events.closed.is_set()
    await until(events.closed)


async def test_a_stream_has_ended_when_the_block_has(events, tester):
    async with tester.stream("get", "/events"):
        pass
    assert events.closed.is_set()


async def test_the_handler_of_a_websocket_has_ended_when_the_block_has(app, tester):
    ended = []

    @app.route("/ws", protocol="websocket")
    async def view(request, ws):
        try:
            async for _ in ws:
                pass
        finally:
            await asyncio.sleep(0)
            ended.append(ws.close_code)

    async with tester.websocket("/ws"):
        pass
    assert ended == [1000]


async def test_a_client_may_leave_a_response_that_it_has_read(app, tester):
    @app.route("/short")
    async def short(request, response):
        response.body = "short"

    async with tester.stream("GET", "/short") as response:
        assert await response.read() == b"short"


async def test_error_in_the_block_closes_the_stream_and_propagates(events, tester, until):
    with pytest.raises(KeyError, match="mine"):
        async with tester.stream("GET", "/events"):
            raise KeyError("mine")
    await until(events.closed)


async def test_lines_are_split_wherever_chunks_end(events, tester, until):
    for event in ["data: é"[:5], "data: é"[5:].encode()[:2], "é".encode()[1:], "\r\n", "\nlast"]:
        events.queue.put_nowait(event)
    events.queue.put_nowait(None)
    async with tester.stream("GET", "/events") as response:
        assert [line async for line in response.lines()] == ["data: é", "", "last"]


async def test_lines_end_where_the_body_does(events, tester):
    events.queue.put_nowait("a\nb\n")
    events.queue.put_nowait(None)
    async with tester.stream("GET", "/events") as response:
        assert [line async for line in response.lines()] == ["a", "b"]


async def test_a_stream_takes_the_options_of_other_requests(app, tester):
    @app.route("/echo", methods=["POST"])
    async def echo(request, response):
        response.cookies.set("seen", "yes")
        response.body = f"{request.query_string} {request.cookies} {request.body.decode()}"

    tester.keep_cookies = True
    for cookies in ("{'a': '1'}", "{'a': '1', 'seen': 'yes'}"):
        options = {"params": {"q": 1}, "cookies": {"a": "1"}}
        async with tester.stream("post", "/echo", json=[1], **options) as response:
            assert (await response.read()).decode() == f"q=1 {cookies} [1]"
    async with tester.stream("POST", "/echo", data={"b": 2}) as response:
        assert (await response.read()).endswith(b'{"b": 2}')


async def test_bodies_of_any_framing_are_read(app, tester):
    size = 300_000

    @app.route("/sized", methods=["GET", "HEAD"])
    async def sized(request, response):
        response.body = b"x" * size

    @app.route("/empty")
    async def empty(request, response):
        response.status = 204

    async with tester.stream("GET", "/sized") as response:
        pieces = [piece async for piece in response]
    assert sum(map(len, pieces)) == size
    async with tester.stream("HEAD", "/sized") as response:
        assert await response.read() == b""
        assert response.headers["Content-Length"] == str(size)
    async with tester.stream("GET", "/empty") as response:
        assert await response.read() == b""
    async with tester.stream("GET", "/nowhere") as response:
        assert (response.status, await response.read()) == (404, b"/nowhere")


async def test_a_body_that_lasts_until_the_end_of_the_connection_is_read(app, tester, monkeypatch):
    @app.route("/old")
    async def old(request, response):
        async def body():
            yield "a"
            yield "b"

        request.version = "1.0"  # a client of HTTP/1.0 gets no chunks
        response.body = body()

    async with tester.stream("GET", "/old") as response:
        assert response.headers["Transfer-Encoding"] is None
        assert await response.read() == b"ab"


async def test_truncated_body_is_an_error(app, tester):
    @app.route("/cut/{length}")
    async def cut(request, response, length: int):
        async def body():
            yield "begun"
            raise OSError("disk")

        if length:
            response.headers["Content-Length"] = length
        response.body = body()

    for length in (0, 100):
        async with tester.stream("GET", f"/cut/{length}") as response:
            with pytest.raises((EOFError, ConnectionError)):
                await response.read()


async def test_a_large_upload_is_sent_while_it_is_read(app, tester):
    size = 3_000_000

    @app.route("/up", methods=["POST"], lazy_body=True)
    async def up(request, response):
        response.body = str(sum([len(chunk) async for chunk in request]))

    async with tester.stream("POST", "/up", body=b"x" * size) as response:
        assert await response.read() == str(size).encode()


async def test_stream_that_is_not_read_is_paused(app, tester):
    sent = []

    @app.route("/endless")
    async def endless(request, response):
        async def body():
            while True:
                yield b"x" * 10_000
                sent.append(True)

        response.body = body()

    async with tester.stream("GET", "/endless") as response:
        before = -1
        while before != (before := len(sent)):
            for _ in range(1000):
                await asyncio.sleep(0)
        chunks = aiter(response)
        for _ in range(before + 100):
            assert await anext(chunks) == b"x" * 10_000
    assert len(sent) > before


@pytest.fixture
def waiting(app, monkeypatch):
    """Handlers that see nothing, and what became of them."""
    monkeypatch.setattr("roll.testing.connection.PATIENCE", 0.01)
    seen = []

    async def wait(*_):
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            seen.append("cancelled")
            raise

    app.route("/slow")(wait)
    app.route("/ws", protocol="websocket")(wait)
    return seen


async def test_a_handler_that_does_not_see_its_client_leave_is_cancelled(client, waiting):
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01), client.stream("GET", "/slow"):
            pytest.fail("there is no answer")
    assert waiting == ["cancelled"]


async def test_a_websocket_that_does_not_see_its_client_leave_is_cancelled(client, waiting):
    async with client.websocket("/ws"):
        pass
    assert waiting == ["cancelled"]


async def test_unexpected_errors_of_a_stream_are_raised_at_the_end(app, tester):
    @app.route("/fails")
    async def fails(request, response):
        async def body():
            yield "begun"
            raise OSError("disk")

        response.body = body()

    @app.route("/bug")
    async def bug(request, response):
        raise OSError("disk")

    tester.raise_errors = True
    for path in ("/fails", "/bug"):
        with pytest.raises(OSError, match=r"^disk$"):
            async with tester.stream("GET", path) as response:
                await response.read()


async def test_protocol_without_on_answered_is_not_waited_for():
    class Foreign(Receiver):
        def __init__(self, app):
            super().__init__()

        def connection_made(self, transport):
            self.transport = transport

        def data_received(self, data):
            self.transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")

        def connection_lost(self, exc):
            seen.append("lost")

        pause_writing = resume_writing = lambda self: None

    class Application(Roll):
        HttpProtocol = Foreign

    seen = []
    async with Client(Application()).stream("GET", "/") as response:
        assert await response.read() == b"hi"
    assert seen == ["lost"]


async def test_the_protocol_in_process_is_that_of_the_stream(events, client):
    async with client.stream("GET", "/events"):
        assert client.protocol.request.path == "/events"


# Websockets.


async def close(request, ws):
    await ws.close(4000, "told so")


async def fail(request, ws):
    raise OSError("disk")


async def query(request, ws):
    await ws.send(f"{request.query_string} {request.cookies} {ws.subprotocol}")


async def as_json(request, ws):
    await ws.send_json({"a": "é"})


async def ping(request, ws):
    await ws.send(str(type(await (await ws.ping()))))


async def parts(request, ws):
    async def each():
        for part in ("a", "é", "c"):
            yield part

    await ws.send(each())


ORDERS = {order.__name__: order for order in (close, fail, query, as_json, ping, parts)}


@pytest.fixture
def echo(app):
    """A websocket that echoes messages and obeys commands."""
    app.ended = asyncio.Queue()

    @app.route("/ws", protocol="websocket", subprotocols=["chat"])
    async def echo(request, ws):
        try:
            async for message in ws:
                if message in ORDERS:
                    await ORDERS[message](request, ws)
                else:
                    await ws.send(message)
        finally:
            app.ended.put_nowait(ws)

    return app


async def test_messages_are_sent_and_received(echo, tester, until):
    async with tester.websocket("/ws") as ws:
        for message in ("text é", b"bytes", "", b"", "x" * 200_000):
            await ws.send(message)
            assert await until(ws.recv()) == message
        await ws.send("as_json")
        assert await until(ws.recv_json()) == {"a": "é"}
        await ws.send_json([1, {"b": 2}])
        assert await until(ws.recv()) == '[1,{"b":2}]'
        await ws.send("parts")
        assert await until(ws.recv()) == "aéc"
        assert (ws.closed, ws.close_code, ws.close_reason) == (False, None, None)
    assert (ws.close_code, ws.close_reason) == (1000, "")
    server = await until(echo.ended.get())
    assert (server.close_code, server.close_reason) == (1000, "")


async def test_the_handler_has_ended_when_the_block_has(echo, client):
    async with client.websocket("/ws"):
        assert echo.ended.empty()
    assert echo.ended.qsize() == 1


async def test_a_handshake_takes_params_headers_cookies_and_subprotocols(echo, tester, until):
    seen = []
    echo.listen("headers")(lambda request, response: seen.append(request.headers["X-A"]))
    options = {"params": {"q": 1}, "cookies": {"a": "1"}, "headers": {"X-A": "2"}}
    async with tester.websocket("/ws", subprotocols=["old", "chat"], **options) as ws:
        assert ws.subprotocol == "chat"
        await ws.send("query")
        assert await until(ws.recv()) == "q=1 {'a': '1'} chat"
    assert seen == ["2"]


async def test_a_handshake_keeps_cookies(echo, tester, until):
    @echo.listen("headers")
    def login(request, response):
        response.cookies.set("user", "ada")

    tester.keep_cookies = True
    async with tester.websocket("/ws") as ws:
        assert ws.headers["Set-Cookie"].startswith("user=ada")
    async with tester.websocket("/ws") as ws:
        await ws.send("query")
        assert await until(ws.recv()) == " {'user': 'ada'} None"


async def test_close_by_the_server_raises_connection_closed(echo, tester, until):
    async with tester.websocket("/ws") as ws:
        await ws.send("close")
        with pytest.raises(ConnectionClosed) as caught:
            await until(ws.recv())
        assert (caught.value.code, caught.value.reason) == (4000, "told so")
        assert (ws.closed, ws.close_code, ws.close_reason) == (True, 4000, "told so")
        with pytest.raises(ConnectionClosed):
            await ws.send("too late")


async def test_handler_gets_the_close_of_the_client(echo, tester, until):
    async with tester.websocket("/ws") as ws:
        await until(ws.close(4001, "mine"))
        with pytest.raises(ConnectionClosed):
            await ws.recv()
    server = await until(echo.ended.get())
    assert (server.close_code, server.close_reason) == (4001, "mine")


async def test_an_iteration_ends_with_a_normal_close(app, tester, until):
    @app.route("/ws/{code}", protocol="websocket")
    async def handler(request, ws, code: int):
        await ws.send("a")
        await ws.send("b")
        await ws.close(code)

    async with tester.websocket("/ws/1000") as ws:
        assert [message async for message in ws] == ["a", "b"]
    seen = []
    async with tester.websocket("/ws/4000") as ws:
        with pytest.raises(ConnectionClosed):
            seen += [message async for message in ws]
        assert ws.close_code == 4000


async def test_pings_are_answered_whatever_the_test_does(echo, tester, until):
    async with tester.websocket("/ws") as ws:
        await ws.send("ping")
        assert await until(ws.recv()) == "<class 'float'>"


@pytest.mark.parametrize("how", ["protocol", "transport"])
async def test_lost_connection_raises(app, tester, until, how):
    @app.route("/ws", protocol="websocket")
    async def handler(request, ws):
        protocol = request.protocol
        (protocol if how == "protocol" else protocol.transport).abort()

    async with tester.websocket("/ws") as ws:
        with pytest.raises(ConnectionClosed) as caught:
            await until(ws.recv())
        assert caught.value.code == 1006


async def test_a_refused_handshake_is_an_error_with_the_response(echo, app, tester):
    @app.listen("headers")
    def refuse(request, response):
        if request.query_string:
            raise HttpError(403, "Not you")

    app.route("/page")(lambda request, response: None)
    with pytest.raises(WebsocketRefused, match="403 Forbidden: Not you") as caught:
        async with tester.websocket("/ws?me"):
            pytest.fail("it is refused")
    assert caught.value.response.status == 403
    for path, status in (("/nowhere", 404), ("/page", 200)):
        with pytest.raises(WebsocketRefused) as caught:
            async with tester.websocket(path):
                pytest.fail("it is refused")
        assert caught.value.response.status == status


async def test_raise_errors_raises_errors_of_a_websocket_handler(echo, tester, until):
    async with tester.websocket("/ws") as ws:
        await ws.send("fail")
        with pytest.raises(ConnectionClosed) as caught:
            await until(ws.recv())
        assert caught.value.code == 1011
    tester.raise_errors = True
    with pytest.raises(OSError, match="disk"):
        async with tester.websocket("/ws") as ws:
            await ws.send("fail")
            with pytest.raises(ConnectionClosed):
                await until(ws.recv())


async def test_a_test_that_does_not_receive_holds_the_server_back(app, client, until):
    sent, ended = [], asyncio.Event()

    @app.route("/ws", protocol="websocket")
    async def flood(request, ws):
        try:
            for number in range(5000):
                await ws.send(f"{number} " + "x" * 1000)
                sent.append(number)
        finally:
            ended.set()

    async with client.websocket("/ws") as ws:
        before = -1
        while before != (before := len(sent)):
            for _ in range(1000):
                await asyncio.sleep(0)
        assert before < 5000
        for number in range(100):
            assert (await until(ws.recv())).startswith(f"{number} ")
    await until(ended)


async def test_a_server_that_does_not_receive_holds_the_test_back(app, client, until):
    go_on = asyncio.Event()

    @app.route("/ws", protocol="websocket")
    async def slow(request, ws):
        await go_on.wait()
        async for message in ws:
            await ws.send(str(len(message)))

    async with client.websocket("/ws") as ws:
        sending = asyncio.ensure_future(send_many(ws, 200))
        for _ in range(1000):
            await asyncio.sleep(0)
        assert not sending.done()
        go_on.set()
        assert [await until(ws.recv()) for _ in range(200)] == ["10000"] * 200
        await until(sending)


async def send_many(ws, count):
    for _ in range(count):
        await ws.send(b"x" * 10_000)


async def test_several_websockets_at_once(echo, tester, until):
    async with tester.websocket("/ws") as one, tester.websocket("/ws") as two:
        await one.send("one")
        await two.send("two")
        assert [await until(one.recv()), await until(two.recv())] == ["one", "two"]


async def test_task_that_waits_for_a_message_gets_the_end(echo, tester, until):
    async with tester.websocket("/ws") as ws:
        waiting = asyncio.ensure_future(ws.recv())
        await asyncio.sleep(0)
    with pytest.raises(ConnectionClosed):
        await until(waiting)


async def test_protocol_violation_is_a_lost_connection(app, tester, until):
    @app.route("/ws", protocol="websocket")
    async def handler(request, ws):
        request.protocol.transport.write(Frame(Opcode.PONG, b"", fin=False).serialize(mask=False))
        async for _ in ws:
            pass

    async with tester.websocket("/ws") as ws:
        with pytest.raises(ConnectionClosed):
            await until(ws.recv())


async def test_leaving_the_block_cancels_a_handler_that_has_not_ended(monkeypatch):
    monkeypatch.setattr("roll.testing.connection.PATIENCE", 0)
    seen = []

    class Slow(Receiver):
        on_answered = None

        def connection_lost(self, exc):
            seen.append("lost")

        def cancel(self):
            seen.append("cancelled")
            self.on_answered()

    await InProcess(Slow()).leave()
    assert seen == ["lost", "cancelled"]


# The transport in process.


class Receiver(asyncio.Protocol):
    """Keeps what it is given."""

    def __init__(self):
        self.data = b""

    def data_received(self, data):
        self.data += data


async def test_transport_buffers_bytes_while_its_server_does_not_read():
    receiver = Receiver()
    duplex = Duplex(receiver)
    duplex.pause_reading()
    duplex.receive(b"a")
    duplex.receive(b"b")
    assert receiver.data == b""
    duplex.resume_reading()
    duplex.resume_reading()
    await asyncio.sleep(0)
    assert receiver.data == b"ab"


async def test_closed_transport_drops_writes_and_ends_the_reading():
    duplex = Duplex(Receiver())
    duplex.write(b"a")
    duplex.close()
    duplex.write(b"b")
    duplex.receive(b"c")
    assert await duplex.reader.read() == b"a"
    assert duplex.get_protocol().data == b""


async def test_closed_server_is_not_resumed():
    class Writer(Receiver):
        calls = ()

        def pause_writing(self):
            self.calls += ("pause",)

        def resume_writing(self):
            self.calls += ("resume",)

    duplex = Duplex(Writer())
    for _ in range(2):
        duplex.write(b"x" * 200_000)
        assert len(await duplex.reader.readexactly(200_000)) == 200_000
    duplex.write(b"x" * 200_000)
    duplex.lose = lambda: None  # this receiver does not want to know
    duplex.close()
    await duplex.reader.read()
    assert duplex.get_protocol().calls == ("pause", "resume", "pause", "resume", "pause")


async def test_eof_of_the_server_ends_the_reading():
    duplex = Duplex(Receiver())
    duplex.write(b"a")
    duplex.write_eof()
    assert await duplex.reader.read() == b"a"
    assert not duplex.is_closing()
