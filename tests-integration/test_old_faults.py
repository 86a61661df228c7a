"""Faults of Roll 0.13, each on a real socket: none may return."""

import asyncio
import socket
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from roll import Roll
from roll.extensions import content_negociation

ROOT = Path(__file__).parents[1]
CLOSE = "Host: a\r\nConnection: close\r\n"
UPGRADE = (
    b"Host: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


@pytest.fixture
def app():
    return Roll()


@pytest.fixture
async def port(app):
    await app.startup()
    server = await asyncio.get_running_loop().create_server(app.factory, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()
    await app.shutdown()


@pytest.fixture
async def dial(port):
    """Open connections to the application; they close with the test."""
    writers = []

    async def connect():
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writers.append(writer)
        return reader, writer

    yield connect
    for writer in writers:
        writer.transport.abort()


@pytest.fixture
def ask(dial):
    """Send bytes, in pieces when asked to, and read until the server closes."""

    async def exchange(*pieces):
        reader, writer = await dial()
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0)  # lets the server read this piece alone
        return await reader.read()

    return exchange


def get(path, fields=CLOSE, version="1.1"):
    return f"GET {path} HTTP/{version}\r\n{fields}\r\n".encode()


def body(answer):
    return answer.partition(b"\r\n\r\n")[2]


async def test_pipelined_requests_are_answered_in_order(app, ask):
    fast_may_go = asyncio.Event()

    @app.route("/slow")
    async def slow(request, response):
        for _ in range(10):
            await asyncio.sleep(0)
        fast_may_go.set()
        response.body = "SLOW"

    @app.route("/fast")
    async def fast(request, response):
        response.body = f"FAST after slow: {fast_may_go.is_set()}"

    answer = await ask(get("/slow", "Host: a\r\n") + get("/fast"))
    assert answer.index(b"SLOW") < answer.index(b"FAST after slow: True")
    assert answer.count(b"HTTP/1.1 200 OK") == 2


async def test_head_cut_by_packets_is_read_whole(app, ask):
    @app.route("/long/{name}")
    async def long(request, response, name):
        response.body = f"{name} {request.query.get('q')} {request.headers['X-LONG-NAME']}"

    head = get("/long/name?q=value", f"X-Long-Name: some value\r\n{CLOSE}")
    for cut in range(1, len(head)):
        assert body(await ask(head[:cut], head[cut:])) == b"name value some value"
    every_byte = [head[index : index + 1] for index in range(len(head))]
    assert body(await ask(*every_byte)) == b"name value some value"


async def test_connection_close_closes(app, ask):
    @app.route("/")
    async def index(request, response):
        response.body = "bye"

    # `ask` reads until the server closes: that it comes back is the proof.
    answer = await ask(get("/", "Host: a\r\nConnection: foo, Close\r\n"))
    assert b"\r\nConnection: close\r\n" in answer


async def test_repeated_header_is_not_lost(app, ask):
    @app.route("/")
    async def index(request, response):
        response.json = [request.headers["X-TAG"], sorted(request.cookies.items())]

    fields = "X-Tag: one\r\nCookie: a=1\r\nX-Tag: two\r\nCookie: b=2\r\n"
    answer = await ask(get("/", fields + CLOSE))
    assert body(answer) == b'["one, two",[["a","1"],["b","2"]]]'


async def test_empty_chunk_does_not_end_the_response(app, ask):
    @app.route("/")
    async def index(request, response):
        async def chunks():
            yield b"before"
            yield b""
            yield b"after"

        response.body = chunks()

    assert body(await ask(get("/"))) == b"6\r\nbefore\r\n5\r\nafter\r\n0\r\n\r\n"


async def test_failing_generator_aborts_the_connection(app, dial, caplog):
    @app.route("/")
    async def index(request, response):
        async def chunks():
            yield b"begun"
            raise RuntimeError("in the middle")

        response.body = chunks()

    reader, writer = await dial()
    writer.write(get("/", "Host: a\r\n"))
    received = b""
    with suppress(ConnectionResetError):
        while data := await reader.read(1000):
            received += data
    assert b"begun" in received
    assert not received.endswith(b"0\r\n\r\n")
    assert "in the middle" in caplog.text


async def test_http_1_0_client_gets_no_chunks(app, ask):
    @app.route("/")
    async def index(request, response):
        async def chunks():
            yield b"one "
            yield b"two"

        response.body = chunks()

    answer = await ask(get("/", "Host: a\r\n", version="1.0"))
    assert b"ransfer-" not in answer
    assert body(answer) == b"one two"


def by_header(response):
    response.headers["X-Name"] = "a\r\nX-Evil: 1"


def by_header_name(response):
    response.headers["X-Name: a\r\nX-Evil"] = "1"


def by_redirect(response):
    response.redirect = "/a\r\nX-Evil: 1", 302


def by_cookie_value(response):
    response.cookies.set("name", "a\r\nX-Evil: 1")


def by_cookie_path(response):
    response.cookies.set("name", "a", path="/\r\nX-Evil: 1")


def by_cookie_domain(response):
    response.cookies.set("name", "a", domain="a.org\r\nX-Evil: 1")


def by_cookie_samesite(response):
    response.cookies.set("name", "a", samesite="Lax\r\nX-Evil: 1")


@pytest.mark.parametrize(
    "inject",
    [by_header, by_header_name, by_redirect, by_cookie_path, by_cookie_domain, by_cookie_samesite],
)
async def test_line_breaks_cannot_be_injected(app, ask, inject):
    @app.route("/")
    async def index(request, response):
        inject(response)

    answer = await ask(get("/"))
    assert answer.startswith(b"HTTP/1.1 500 ")
    assert b"X-Evil" not in answer


async def test_line_breaks_in_a_cookie_value_do_not_inject_a_header(app, ask):
    @app.route("/")
    async def index(request, response):
        by_cookie_value(response)

    assert b"\nX-Evil" not in await ask(get("/"))


async def test_websocket_bytes_in_the_handshake_packet_are_kept(app, dial):
    @app.route("/echo", protocol="websocket")
    async def echo(request, ws):
        await ws.send(await ws.recv())

    reader, writer = await dial()
    frame = b"\x81\x85\x00\x00\x00\x00hello"
    writer.write(b"GET /echo HTTP/1.1\r\n" + UPGRADE + frame)
    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101 ")
    assert await reader.readexactly(7) == b"\x81\x05hello"


async def test_upgrade_to_an_unknown_path_is_a_404(dial):
    reader, writer = await dial()
    writer.write(b"GET /nowhere HTTP/1.1\r\n" + UPGRADE)
    answer = await reader.readuntil(b"/nowhere")
    assert answer.startswith(b"HTTP/1.1 404 ")


async def test_latin_1_byte_in_a_header_is_accepted(app, ask):
    @app.route("/")
    async def index(request, response):
        response.body = request.headers["X-NAME"]

    answer = await ask(b"GET / HTTP/1.1\r\nX-Name: Zo\xe9\r\n" + CLOSE.encode() + b"\r\n")
    assert body(answer) == "Zoé".encode()


async def test_default_of_a_cast_may_be_none(app, ask):
    @app.route("/")
    async def index(request, response):
        response.json = request.query.int("n", None)

    assert body(await ask(get("/"))) == b"null"


async def test_route_without_accepts_takes_all(app, ask):
    content_negociation(app)

    @app.route("/")
    async def index(request, response):
        response.body = "anything"

    assert body(await ask(get("/", f"Accept: image/png\r\n{CLOSE}"))) == b"anything"
    assert body(await ask(get("/"))) == b"anything"


async def test_class_view_on_a_websocket_route(app, dial):
    @app.route("/echo", protocol="websocket")
    class Echo:
        async def on_get(self, request, ws):
            await ws.send("from a class")

    reader, writer = await dial()
    writer.write(b"GET /echo HTTP/1.1\r\n" + UPGRADE)
    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101 ")
    assert await reader.readexactly(14) == b"\x81\x0cfrom a class"


def test_port_in_use_is_said_plainly(run):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        support = str(ROOT / "tests-integration" / "support")
        program = run(sys.executable, "examples/hello.py", PYTHONPATH=support, ROLL_TEST_PORT=port)
        assert program.wait() != 0
    said = "".join(program.output)
    assert port in said
    assert "Rolling on" not in said
    assert "Traceback" not in said
