"""Websocket routes: handshake, events, handler, end."""

import asyncio
import json
import re

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from roll import HttpError, Roll, WSProtocol
from roll.extensions import websockets_store
from roll.testing import LiveClient
from roll.websocket import broadcast

UPGRADE = {
    "Connection": "keep-alive, upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}


@pytest.fixture
def events(app):
    """The events of websockets, in their order; set `ended` with the last of each."""
    seen = []
    for name in ("connect", "error", "disconnect"):
        app.listen(f"websocket_{name}")(lambda ws, name=name: seen.append(name))
    for name in ("request", "response", "error"):
        app.listen(name)(lambda request, name=name: seen.append(name))
    return seen


async def test_a_handler_gets_request_websocket_and_placeholders(app, liveclient, events):
    @app.route("/echo/{word}", protocol="websocket")
    async def echo(request, ws, word):
        assert request.path == "/echo/hello"
        async for message in ws:
            await ws.send(f"{word} {message}")

    async with connect(f"{liveclient.wsl}/echo/hello") as ws:
        await ws.send("world")
        assert await ws.recv() == "hello world"
    await liveclient.stop()
    assert events == ["connect", "disconnect"]


async def test_a_handler_may_be_cancelled_with_its_client(app, liveclient, events):
    ended = asyncio.Event()
    told = []

    @app.route("/", protocol="websocket", cancel_on_disconnect=True)
    async def handler(request, ws):
        told.append(await request.disconnected())
        try:
            await ws.send("ready")
            await asyncio.Event().wait()
        finally:
            told.append(await request.disconnected())
            ended.set()

    async with connect(liveclient.wsl) as ws:
        assert await ws.recv() == "ready"
    await ended.wait()
    await liveclient.stop()
    assert told == [False, True]
    assert events == ["connect", "disconnect"]


async def test_a_class_view_answers(app, liveclient):
    @app.route("/", protocol="websocket")
    class View:
        async def on_get(self, request, ws):
            await ws.send("from a class")

    async with connect(liveclient.wsl) as ws:
        assert await ws.recv() == "from a class"


async def test_the_handler_is_the_one_in_the_payload(app, liveclient):
    @app.route("/", protocol="websocket", subprotocols=["chat"])
    def first(request, ws):
        """Never called."""

    async def second(request, ws):
        await ws.send(ws.subprotocol)

    app.routes.add("/", GET=second)
    async with connect(liveclient.wsl, subprotocols=["chat"]) as ws:
        assert await ws.recv() == "chat"


async def test_plain_handler_may_return_an_awaitable(app, liveclient):
    @app.route("/plain", protocol="websocket")
    def plain(request, ws):
        """Close at once."""

    @app.route("/awaitable", protocol="websocket")
    def awaitable(request, ws):
        return ws.send("awaited")

    async with connect(f"{liveclient.wsl}/awaitable") as ws:
        assert await ws.recv() == "awaited"
    async with connect(f"{liveclient.wsl}/plain") as ws:
        with pytest.raises(ConnectionClosed) as caught:
            await ws.recv()
    assert (caught.value.rcvd.code, caught.value.rcvd.reason) == (1000, "")


async def test_a_handler_that_raises_closes_with_1011_and_is_logged(
    app, liveclient, events, caplog
):
    errors = []

    @app.listen("websocket_error")
    async def on_error(error, request, ws):
        errors.append(error)

    @app.route("/", protocol="websocket")
    async def handler(request, ws):
        raise ValueError("a secret")

    async with connect(liveclient.wsl) as ws:
        with pytest.raises(ConnectionClosed) as caught:
            await ws.recv()
    assert caught.value.rcvd.code == 1011
    assert caught.value.rcvd.reason == "Handler died prematurely."
    await liveclient.stop()
    assert events == ["connect", "error", "disconnect"]
    assert [str(error) for error in errors] == ["a secret"]
    assert caplog.text.count("ValueError: a secret") == 1


async def test_a_listener_of_connect_that_raises_is_a_handler_that_raises(app, liveclient, events):
    @app.listen("websocket_connect")
    def refuse(ws):
        raise ValueError("no")

    app.route("/", protocol="websocket")(pytest.fail)
    async with connect(liveclient.wsl) as ws:
        with pytest.raises(ConnectionClosed, match="1011"):
            await ws.recv()
    await liveclient.stop()
    assert events == ["connect", "error", "disconnect"]


async def test_a_listener_of_disconnect_that_raises_is_logged(app, liveclient, caplog):
    @app.listen("websocket_disconnect")
    def fail(ws):
        raise ValueError("in a listener")

    app.route("/", protocol="websocket")(lambda request, ws: None)
    async with connect(liveclient.wsl) as ws:
        with pytest.raises(ConnectionClosed, match="1000"):
            await ws.recv()
    await liveclient.stop()
    assert "listener of websocket_disconnect" in caplog.text


async def test_peer_that_disconnects_is_not_logged(app, liveclient, events, caplog):
    @app.route("/", protocol="websocket")
    async def handler(request, ws):
        await ws.recv()

    async with connect(liveclient.wsl) as ws:
        ws.transport.abort()
    await liveclient.stop()
    assert events == ["connect", "disconnect"]
    assert caplog.records == []


async def test_a_server_that_stops_says_so(app, liveclient):
    @app.route("/", protocol="websocket")
    async def handler(request, ws):
        async for _ in ws:
            """Wait for more."""

    async with connect(liveclient.wsl) as ws:
        stopping = asyncio.ensure_future(liveclient.stop())
        with pytest.raises(ConnectionClosed, match="1001"):
            await ws.recv()
    await stopping


async def test_headers_and_cookies_go_out_with_the_101(app, liveclient):
    @app.listen("headers")
    def on_headers(request, response):
        response.headers["X-Number"] = 42
        response.cookies.set("session", "s3cr3t")

    app.route("/", protocol="websocket")(lambda request, ws: None)
    async with connect(liveclient.wsl) as ws:
        assert ws.response.headers["X-Number"] == "42"
        assert ws.response.headers["Set-Cookie"] == "session=s3cr3t; Path=/"


async def test_a_headers_listener_may_refuse(app, liveclient, events):
    @app.listen("headers")
    def refuse(request, response):
        response.status = 401
        response.body = "who are you?"
        return True

    app.route("/", protocol="websocket")(pytest.fail)
    with pytest.raises(InvalidStatus) as caught:
        await connect(liveclient.wsl)
    assert (caught.value.response.status_code, caught.value.response.body) == (
        401,
        b"who are you?",
    )
    assert events == ["response"]


async def test_a_headers_listener_may_raise(app, liveclient):
    @app.listen("headers")
    def refuse(request, response):
        raise HttpError(403, "no")

    app.route("/", protocol="websocket")(pytest.fail)
    with pytest.raises(InvalidStatus, match="403"):
        await connect(liveclient.wsl)


@pytest.mark.parametrize(
    ("headers", "status", "expected"),
    [
        ({}, 426, {"Upgrade": "websocket"}),
        ({"Connection": "upgrade"}, 426, {"Upgrade": "websocket"}),
        (UPGRADE | {"Upgrade": "h2c"}, 501, {}),
        (UPGRADE | {"Sec-WebSocket-Version": "12"}, 426, {"Sec-WebSocket-Version": "13"}),
        (UPGRADE | {"Sec-WebSocket-Key": "short"}, 400, {}),
    ],
    ids=["plain", "no upgrade", "another protocol", "another version", "bad key"],
)
async def test_a_bad_handshake_is_answered(app, liveclient, headers, status, expected):
    app.route("/", protocol="websocket")(pytest.fail)
    response = await liveclient.query("GET", "/", headers)
    assert response.status == status
    assert expected.items() <= dict(response.headers).items()


async def test_a_good_handshake_is_a_101(app, liveclient):
    app.route("/", protocol="websocket")(lambda request, ws: None)
    response = await liveclient.query("GET", "/", UPGRADE)
    assert (response.status, response.body) == (101, b"")


async def test_an_upgrade_to_an_unknown_path_is_a_404(liveclient):
    assert (await liveclient.query("GET", "/", UPGRADE)).status == 404


async def test_a_header_that_cannot_be_sent_is_a_500(app, liveclient):
    @app.listen("headers")
    def on_headers(request, response):
        response.headers["X-Bad"] = "a\r\nb: c"

    app.route("/", protocol="websocket")(pytest.fail)
    response = await liveclient.query("GET", "/", UPGRADE)
    assert response.status == 500
    assert b"b: c" not in str(response.headers).encode()


async def test_http_and_websocket_may_share_a_path(app, liveclient):
    app.route("/", protocol="websocket")(lambda request, ws: None)

    @app.route("/", methods=["POST"])
    def post(request, response):
        response.body = "posted"

    assert (await liveclient.query("POST", "/")).body == b"posted"
    assert (await liveclient.query("GET", "/", UPGRADE)).status == 101


async def test_extras_of_the_route_are_settings_of_the_handshake(app, liveclient):
    @app.route(
        "/",
        protocol="websocket",
        origins=["https://example.org"],
        subprotocols=["a", "b"],
        compression=False,
        ping_interval=None,
        ping_timeout=None,
        max_size=4,
    )
    async def echo(request, ws):
        assert ws.subprotocol == "b"
        async for message in ws:
            await ws.send(message)

    with pytest.raises(InvalidStatus, match="403"):
        await connect(liveclient.wsl, origin="https://example.com")
    settings = {"origin": "https://example.org", "subprotocols": ["x", "b", "a"]}
    async with connect(liveclient.wsl, **settings) as ws:
        assert ws.subprotocol == "b"
        assert "Sec-WebSocket-Extensions" not in ws.response.headers
        await ws.send("1234")
        assert await ws.recv() == "1234"
        await ws.send("12345")
        with pytest.raises(ConnectionClosed, match="1009"):
            await ws.recv()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ping_interval", -1),
        ("ping_interval", 0),
        ("ping_interval", "20"),
        ("ping_interval", float("nan")),
        ("ping_timeout", "3"),
        ("ping_timeout", float("inf")),
        ("ping_timeout", True),
        ("origins", ["*"]),
        ("origins", "*"),
        ("origins", ["https://example.com/"]),
        ("subprotocols", ["a b"]),
        ("subprotocols", None),
        ("compression", "no"),
        ("max_size", 0),
        ("max_size", 1.5),
    ],
    ids=str,
)
def test_an_extra_that_no_handshake_can_use_is_an_error_at_registration(app, name, value):
    async def handler(request, ws): ...

    with pytest.raises(ValueError, match=f"`{name}`.*not|`{name}`.*cannot"):
        app.route("/", protocol="websocket", **{name: value})(handler)
    with pytest.raises(ValueError, match=f"`{name}`"):
        app.group("/chat", **{name: value}).route("/", protocol="websocket")(handler)
    assert app.routes.match("/") == (None, None)
    app.route("/page", **{name: value})(
        lambda request, response: None
    )  # where it is an extra as any other


async def test_the_websocket_class_of_a_subclass_is_used():
    class Shouting(WSProtocol):
        async def send(self, data):
            await super().send(data.upper())

    class App(Roll):
        WebsocketProtocol = Shouting

    assert App().WebsocketProtocol is Shouting


async def test_constants_are_read_when_used(app, liveclient, monkeypatch):
    monkeypatch.setattr(WSProtocol, "MAX_SIZE", 2)

    @app.route("/", protocol="websocket")
    async def handler(request, ws):
        await ws.recv()

    async with connect(liveclient.wsl) as ws:
        await ws.send("123")
        with pytest.raises(ConnectionClosed, match=re.escape("1009")):
            await ws.recv()


async def test_a_websocket_knows_its_request(app, liveclient):
    @app.route("/room/{name}", protocol="websocket")
    async def room(request, ws, name):
        await ws.send_json([ws.path, ws.query_string, ws.headers["X-TOKEN"], ws.client[0]])
        await ws.recv()

    url = f"{liveclient.wsl}/room/caf%C3%A9?a=1"
    async with connect(url, additional_headers={"X-Token": "t"}) as ws:
        assert json.loads(await ws.recv()) == ["/room/caf\u00e9", "a=1", "t", "127.0.0.1"]


async def test_json_of_a_websocket_is_that_of_the_application(app, liveclient):
    class Codec:
        def dumps(self, value):
            return f"<{value}>".encode()

        def loads(self, data):
            return data.decode().strip("<>")

    @app.route("/", protocol="websocket")
    async def handler(request, ws):
        async for value in ws.iter_json():
            await ws.send_json(value)

    app.JSON = Codec()
    async with connect(liveclient.wsl) as ws:
        await ws.send("<one>")
        assert await ws.recv() == "<one>"
    app.JSON = json
    async with connect(liveclient.wsl) as ws:
        await ws.send('{"a": 1}')
        assert await ws.recv() == '{"a": 1}'
        await ws.send("no json")
        with pytest.raises(ConnectionClosed, match="1007"):
            await ws.recv()


async def test_without_a_codec_json_is_strict(app, liveclient):
    @app.route("/", protocol="websocket")
    async def handler(request, ws):
        await ws.send_json({"value": await ws.recv_json()})

    app.JSON = None
    async with connect(liveclient.wsl) as ws:
        await ws.send("1")
        assert await ws.recv() == '{"value":1}'


async def test_a_broadcast_reaches_all_websockets(app, liveclient):
    websockets_store(app)

    @app.route("/", protocol="websocket")
    async def handler(request, ws):
        await ws.send("ready")
        async for message in ws:
            broadcast(app["websockets"], message)

    async with connect(liveclient.wsl) as one, connect(liveclient.wsl) as two:
        assert [await one.recv(), await two.recv()] == ["ready", "ready"]
        await one.send("hello")
        assert [await one.recv(), await two.recv()] == ["hello", "hello"]


NAMES = ["plain", "Zo\u00e9", "\u0141ukasz", "\u20ac", "\U0001f600", "\x80\u0085", "\udce9"]


async def head_of(port, path):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    lines = [f"{name}: {value}" for name, value in UPGRADE.items()] if path != "/page" else []
    head = "\r\n".join([f"GET {path} HTTP/1.1", "Host: a", *lines, "", ""])
    writer.write(head.encode())
    async with asyncio.timeout(10):
        answer = await reader.readuntil(b"\r\n\r\n")
    writer.close()
    return answer.split(b"\r\n")


@pytest.mark.parametrize("name", NAMES)
async def test_field_of_any_text_is_the_same_bytes_in_a_handshake_and_a_page(app, name):
    async def asgi(scope, receive, send):
        if scope["type"] != "websocket":
            return
        await receive()
        value = name.encode(errors="surrogateescape")
        await send({"type": "websocket.accept", "headers": [(b"X-Inner", value)]})

    @app.listen("headers")
    def mark(request, response):
        response.headers["X-Name"] = name
        response.headers["X-List"] = [name, "b"]

    app.route("/page")(lambda request, response: None)

    @app.route("/ws", protocol="websocket")
    async def handler(request, ws): ...

    app.mount("/mounted", asgi)
    value = name.encode(errors="surrogateescape")
    async with LiveClient(app) as client:
        for path in ("/page", "/ws", "/mounted"):
            lines = await head_of(client.port, path)
            assert lines[0].split()[1] == (b"200" if path == "/page" else b"101")
            assert b"X-Name: " + value in lines
            assert b"X-List: " + value in lines
            assert (b"X-Inner: " + value in lines) == (path == "/mounted")


@pytest.mark.parametrize("value", ["a\r\nb", "\0", "\ud800"])
async def test_field_that_cannot_be_sent_is_a_500_of_the_handshake(app, liveclient, value):
    @app.listen("headers")
    def mark(request, response):
        if request.path == "/ws":
            response.headers["X-Name"] = value

    @app.listen("error")
    def clear(response):
        response.headers.pop("X-Name", None)

    @app.route("/ws", protocol="websocket")
    async def handler(request, ws): ...

    assert (await head_of(liveclient.port, "/ws"))[0].split()[1] == b"500"
