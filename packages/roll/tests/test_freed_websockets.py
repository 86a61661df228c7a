"""A websocket and its request are freed at their end: no reference cycle keeps them in memory."""

import asyncio
import gc
import weakref

import pytest

from roll import HttpError, Request, Roll, WSProtocol, extensions

pytestmark = pytest.mark.usefixtures("unlogged")

HANDSHAKE = (
    b"GET /ws HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    b"Cookie: session=a.b.c\r\n\r\n"
)
MASK = b"\0\0\0\0"
TEXT = b"\x81\x82" + MASK + b"hi"
CLOSE = b"\x88\x82" + MASK + b"\x03\xe8"
UNFINISHED = b"\x01\xfe\xff\xff" + MASK + b"x" * 100
WRONG = b"\xff\x82" + MASK + b"hi"


class WatchedRequest(Request):
    """A request that can be watched."""


class WatchedWebsocket(WSProtocol):
    """A websocket that can be watched."""


class Watched(Roll):
    Request = WatchedRequest
    WebsocketProtocol = WatchedWebsocket


async def iterates(request, ws):
    async for message in ws:
        await ws.send(message)


async def receives(request, ws):
    while True:
        await ws.send(await ws.recv())


async def receives_again(request, ws):
    for _ in range(5):
        try:
            await ws.recv()
        except Exception:  # noqa: BLE001 - of any kind
            continue


async def sends(request, ws):
    await ws.recv()
    for _ in range(100):
        await ws.send("x" * 10_000)


async def returns(request, ws):
    """Return at once."""


async def raises(request, ws):
    await ws.recv()
    raise ZeroDivisionError


async def raises_at_once(request, ws):
    raise ZeroDivisionError


async def refuses(request, ws):
    raise HttpError(403)


async def closes(request, ws):
    await ws.close(1000, "")
    await ws.send("x")


async def waits(request, ws):
    await request.app["forever"].wait()


async def pings(request, ws):
    await (await ws.ping())


async def uses_the_session(request, ws):
    await ws.send(str(request.session))
    await ws.recv()


HANDLERS = [
    *(iterates, receives, receives_again, sends, returns, raises, raises_at_once, refuses),
    *(closes, waits, pings, uses_the_session),
]


async def mounted(scope, receive, send):
    if scope["type"] != "websocket":
        raise NotImplementedError
    await receive()
    await send({"type": "websocket.accept"})
    while (await receive())["type"] != "websocket.disconnect":
        await send({"type": "websocket.send", "text": "x"})


async def mounted_refuses(scope, receive, send):
    if scope["type"] != "websocket":
        raise NotImplementedError
    await receive()
    await send({"type": "websocket.close"})


async def mounted_raises(scope, receive, send):
    await mounted_accepts(scope, receive, send)
    raise ZeroDivisionError


async def mounted_accepts(scope, receive, send):
    if scope["type"] != "websocket":
        raise NotImplementedError
    await receive()
    await send({"type": "websocket.accept"})


async def mounted_raises_first(scope, receive, send):
    raise ZeroDivisionError


APPLICATIONS = [mounted, mounted_refuses, mounted_raises, mounted_accepts, mounted_raises_first]

CLIENTS = {
    "closes": TEXT + CLOSE,
    "leaves": TEXT,
    "leaves within a message": TEXT + UNFINISHED,
    "errs": TEXT + WRONG,
}


async def served(app, sent):
    """Serve one client, and return weak references to its request and websocket."""
    seen, ended = [], asyncio.Event()
    app["forever"] = asyncio.Event()

    def look(request, response):
        seen.append(weakref.ref(request))
        asyncio.current_task().add_done_callback(lambda _: ended.set())

    app.hooks.setdefault("headers", []).insert(0, look)
    app.listen("websocket_connect")(lambda request, ws: seen.append(weakref.ref(ws)))
    await app.startup()
    server = await asyncio.get_running_loop().create_server(app.factory, "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    writer.write(HANDSHAKE)
    await reader.readuntil(b"\r\n\r\n")
    writer.write(sent)
    await writer.drain()
    writer.transport.abort() if CLOSE not in sent else writer.close()
    app["forever"].set()
    await ended.wait()
    server.close()
    await app.shutdown()
    return seen


async def assert_freed(app, sent):
    gc.disable()
    try:
        seen = await served(app, sent)
        for _ in range(50):  # the callbacks of closed connections
            await asyncio.sleep(0)
        assert seen
        assert [one() for one in seen if one() is not None] == []
    finally:
        gc.enable()


def make_app(setting):
    app = Watched()
    app.WebsocketProtocol.TIMEOUT = 0.1
    if setting == "sessions":
        extensions.sessions(app, "a secret of many characters")
    elif setting == "store":
        extensions.websockets_store(app)
    elif setting == "listeners":
        app.listen("websocket_disconnect")(lambda request, ws: None)
        app.listen("websocket_error")(lambda request, ws, error: None)
    return app


@pytest.mark.parametrize("handler", HANDLERS, ids=lambda one: one.__name__)
@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("setting", ["nothing", "sessions", "store", "listeners"])
async def test_websocket_is_freed_at_its_end(setting, client, handler):
    app = make_app(setting)
    app.route("/ws", protocol="websocket", compression=setting == "listeners")(handler)
    await assert_freed(app, CLIENTS[client])


@pytest.mark.parametrize("application", APPLICATIONS, ids=lambda one: one.__name__)
@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("setting", ["nothing", "sessions"])
async def test_websocket_of_a_mount_is_freed_at_its_end(setting, client, application):
    app = make_app(setting)
    app.mount("/ws", application)
    await assert_freed(app, CLIENTS[client])


@pytest.mark.parametrize("extras", [{"origins": ["https://a.org"]}, {"max_size": 1}], ids=str)
async def test_refused_websocket_is_freed(extras):
    app = make_app("nothing")
    app.route("/ws", protocol="websocket", **extras)(iterates)
    await assert_freed(app, TEXT + CLOSE)
