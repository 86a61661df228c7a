"""The event `answered`, on which logs are built."""

import asyncio

import pytest

from roll import HttpError, Limits, Response, Roll
from roll.answered import call_until_one_waits
from roll.server import AppServer

CLOSE = b"Host: x\r\nConnection: close\r\n\r\n"
GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.fixture
def seen(app, event_loop):
    """The paths and statuses that listeners of `answered` got."""
    seen = asyncio.Queue()

    @app.listen("answered")
    def keep(response, request):
        seen.put_nowait((request.path, response.status.value))

    @app.route("/")
    async def index(request, response):
        response.body = "hello"

    return seen


async def test_answered_is_sent_after_the_response(seen, talk, until):
    assert b"hello" in await talk(b"GET / HTTP/1.1\r\n" + CLOSE)
    assert await until(seen.get()) == ("/", 200)
    assert seen.empty()


async def test_answered_is_sent_for_errors(app, seen, talk, until):
    @app.route("/fails")
    def fails(request, response):
        raise ValueError

    @app.route("/refuses")
    def refuses(request, response):
        raise HttpError(403)

    @app.route("/odd")
    def odd(request, response):
        response.headers["X"] = "a\nb"

    for path, status in [("/fails", 500), ("/refuses", 403), ("/odd", 500), ("/nowhere", 404)]:
        await talk(f"GET {path} HTTP/1.1\r\n".encode() + CLOSE)
        assert await until(seen.get()) == (path, status)
    await talk(b"DELETE / HTTP/1.1\r\n" + CLOSE)
    assert await until(seen.get()) == ("/", 405)


async def test_answered_is_sent_for_a_refusal_of_a_headers_listener(app, seen, talk, until):
    @app.listen("headers")
    def refuse(response):
        response.status = 503
        return True

    await talk(b"GET / HTTP/1.1\r\n" + CLOSE)
    assert await until(seen.get()) == ("/", 503)


async def test_answered_is_sent_for_a_refused_upload(app, seen, talk, until):
    app.route("/up", methods=["POST"], max_body=3)(lambda request, response: None)
    answer = await talk(b"POST /up HTTP/1.1\r\nContent-Length: 4\r\n" + CLOSE + b"abcd")
    assert b"413" in answer
    assert await until(seen.get()) == ("/up", 413)


async def test_answered_is_sent_after_the_last_byte_of_a_stream(app, seen, connect, until):
    go_on = asyncio.Event()

    @app.route("/stream")
    def stream(request, response):
        async def body():
            yield "first"
            await go_on.wait()
            yield "last"

        response.body = body()

    reader, _ = await connect(GET.replace(b"/ ", b"/stream "))
    await until(reader.readuntil(b"first\r\n"))
    assert seen.empty()
    go_on.set()
    await until(reader.readuntil(b"0\r\n\r\n"))
    assert await until(seen.get()) == ("/stream", 200)


async def test_answered_is_sent_for_a_stream_that_fails(app, seen, talk, until):
    @app.route("/stream")
    def stream(request, response):
        async def body():
            yield "first"
            raise ValueError

        response.body = body()

    with pytest.raises(ConnectionResetError):
        await talk(GET.replace(b"/ ", b"/stream "))
    assert await until(seen.get()) == ("/stream", 200)


async def test_request_whose_client_disconnected_is_reported_as_400(app, seen, connect, until):
    waits = asyncio.Event()

    @app.route("/slow", cancel_on_disconnect=True)
    async def slow(request, response):
        waits.set()
        await asyncio.Event().wait()

    _, writer = await connect(GET.replace(b"/ ", b"/slow "))
    await until(waits)
    writer.transport.abort()
    assert await until(seen.get()) == ("/slow", 400)


async def test_request_cancelled_by_the_server_s_stop_is_reported_as_503(
    app, seen, connect, liveclient, until
):
    waits = asyncio.Event()

    @app.route("/slow")
    async def slow(request, response):
        waits.set()
        await asyncio.Event().wait()

    await connect(GET.replace(b"/ ", b"/slow "))
    await until(waits)
    await until(liveclient.server.stop(0))
    assert seen.get_nowait() == ("/slow", 503)


async def test_request_cancelled_in_a_response_listener_is_reported_as_503(
    app, seen, connect, liveclient, until
):
    waits = asyncio.Event()

    @app.listen("response")
    async def slow(request, response):
        waits.set()
        await asyncio.Event().wait()

    await connect(GET)
    await until(waits)
    await until(liveclient.server.stop(0))
    assert seen.get_nowait() == ("/", 503)


UPGRADE = (
    b"GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


async def test_websocket_is_reported_as_101_after_its_end(app, seen, connect, until):
    order = []
    app.listen("websocket_disconnect")(lambda *_: order.append("disconnect"))
    app.listen("answered")(lambda *_: order.append("answered"))

    @app.route("/ws", protocol="websocket")
    async def ws(request, ws):
        async for _ in ws:
            pass

    reader, writer = await connect(UPGRADE)
    await until(reader.readuntil(b"\r\n\r\n"))
    assert seen.empty()
    writer.transport.abort()
    assert await until(seen.get()) == ("/ws", 101)
    assert order == ["disconnect", "answered"]


async def test_refused_handshake_is_reported_with_its_status(app, seen, talk, until):
    app.route("/ws", protocol="websocket")(lambda request, ws: None)
    await talk(UPGRADE.replace(b"Version: 13", b"Version: 12"))
    assert await until(seen.get()) == ("/ws", 426)


async def test_pipelined_responses_are_reported_in_order(seen, talk, until):
    await talk(GET.replace(b"/ ", b"/a ") + GET + b"GET /b HTTP/1.1\r\n" + CLOSE)
    assert [await until(seen.get()) for _ in range(3)] == [("/a", 404), ("/", 200), ("/b", 404)]


# Listeners.


async def test_listeners_run_in_order_even_if_they_return_true_or_raise(
    app, liveclient, caplog, until
):
    order = []
    done = asyncio.Event()

    @app.listen("answered")
    def first(request, response):
        order.append("plain")
        return "true"

    @app.listen("answered")
    def fails(request, response):
        raise ValueError("disk full")

    @app.listen("answered")
    def exits(request, response):
        raise GeneratorExit("exit")

    @app.listen("answered")
    async def slow(request):
        await asyncio.sleep(0)
        order.append("async")
        return True

    @app.listen("answered")
    async def fails_too(request):
        raise KeyError("no database")

    @app.listen("answered")
    def last(response):
        order.append("last")
        done.set()

    assert (await liveclient.query("GET", "/")).status == 404
    await until(done)
    assert order == ["plain", "async", "last"]
    raised = [record.exc_info[0] for record in caplog.records]
    assert raised == [ValueError, GeneratorExit, KeyError]
    texts = [record.getMessage() for record in caplog.records]
    assert "fails (" in texts[0]
    assert "exits (" in texts[1]
    assert "fails_too (" in texts[2]


async def test_a_graceful_stop_waits_for_listeners(app, liveclient, connect, until):
    begun, ended = asyncio.Event(), []

    @app.listen("answered")
    async def slow(response):
        begun.set()
        for _ in range(100):
            await asyncio.sleep(0)
        ended.append(True)

    await connect(GET)
    await until(begun)
    await until(liveclient.stop())
    assert ended == [True]


async def test_a_listener_may_cancel_nothing_but_itself(app, liveclient, caplog, until):
    told = asyncio.Event()

    @app.listen("answered")
    async def cancelled(request):
        future = asyncio.get_running_loop().create_future()
        future.cancel()
        await future

    @app.listen("answered")
    def last(request):
        told.set()

    await liveclient.query("GET", "/")
    await until(told)
    assert [record.exc_info[0] for record in caplog.records] == [asyncio.CancelledError]


async def test_a_hard_stop_ends_listeners_that_wait(app, liveclient, connect, until):
    app.limits = Limits(graceful_timeout=0.01)
    begun, never = asyncio.Event(), []

    @app.listen("answered")
    async def slow(response):
        begun.set()
        await asyncio.Event().wait()

    app.listen("answered")(lambda *_: never.append(True))
    await connect(GET)
    await until(begun)
    await until(liveclient.stop())
    assert never == []


async def test_listener_added_later_gets_requests_of_open_connections(
    app, liveclient, connect, until
):
    reader, writer = await connect(GET)
    await until(reader.readuntil(b"\r\n\r\n"))
    seen = asyncio.Queue()

    @app.listen("answered")
    def keep(request):
        seen.put_nowait(request.path)

    writer.write(GET)
    assert await until(seen.get()) == "/"


async def test_each_response_is_reported_once_to_each_listener(app, liveclient, connect, until):
    reader, writer = await connect(GET)
    await until(reader.readuntil(b"\r\n\r\n"))
    seen = asyncio.Queue()
    app.listen("answered")(lambda *_: None)

    @app.listen("answered")
    def keep(request):
        seen.put_nowait(request.path)

    @app.listen("response")
    def after(response):
        response.after(lambda: None)

    writer.write(GET + b"GET /last HTTP/1.1\r\n" + CLOSE)
    await until(reader.read())
    assert [await until(seen.get()) for _ in range(2)] == ["/", "/last"]
    assert seen.empty()


async def test_connections_of_another_application_are_not_reported(app, liveclient, until):
    other = Roll()
    await other.startup()
    server = AppServer(other)
    await server.listen("127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    writer.write(GET)
    await until(reader.readuntil(b"\r\n\r\n"))
    seen = []
    app.listen("answered")(lambda *exchange: seen.append(exchange))
    writer.write(b"GET / HTTP/1.1\r\n" + CLOSE)
    await until(reader.read())
    writer.close()
    await server.stop()
    await other.shutdown()
    assert seen == []


async def test_answered_is_sent_for_requests_of_the_test_client(seen, client):
    await client.get("/")
    await client.get("/nowhere")
    assert [seen.get_nowait() for _ in range(2)] == [("/", 200), ("/nowhere", 404)]


async def test_the_application_may_answer_by_another_response(app, client):
    seen = []

    class Other(type(app)):
        def __call__(self, request, response):
            return self.other(request)

        async def other(self, request):
            response = Response(self, request.protocol)
            response.status = 202
            return response

    app.__class__ = Other
    app.listen("answered")(lambda response: seen.append(response.status))
    await client.get("/")
    assert seen == [202]


@pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt])
def test_error_that_ends_the_program_leaves_a_plain_listener(kind):
    def end():
        raise kind

    with pytest.raises(kind):
        call_until_one_waits([(end, end)])
