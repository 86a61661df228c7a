"""A request is freed when it has ended, however the client or the handler ends it.

Otherwise bodies that were sent one after the other would add up until the next collection, to more
than a gigabyte.
"""

import asyncio
import contextlib
import gc
import socket
import struct
import weakref

import pytest

from roll import HttpError, Limits, Roll, extensions
from roll.server import AppServer

HOST = b"Host: a\r\n"
FORM = b"Content-Type: multipart/form-data; boundary=x\r\n"
PART = b"--x\r\nContent-Disposition: form-data; name=a\r\n\r\nvalue"
HANDSHAKE = (
    b"GET %s HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)
PATIENCE = 10


def post(path, length, body, fields=b""):
    head = b"POST %s HTTP/1.1\r\n%sContent-Length: %d\r\n\r\n"
    return head % (path.encode(), HOST + fields, length) + body


def chunked(path, chunks):
    return b"POST %s HTTP/1.1\r\n%sTransfer-Encoding: chunked\r\n\r\n%s" % (
        path.encode(),
        HOST,
        chunks,
    )


def get(path):
    return b"GET %s HTTP/1.1\r\n%s\r\n" % (path.encode(), HOST)


def frame(code, data):
    return bytes([0x80 | code, 0x80 | len(data)]) + bytes(4) + data


async def mounted(scope, receive, send):
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        while (await receive())["type"] != "websocket.disconnect":
            pass
        return
    if scope["path"].endswith("/fails"):
        raise KeyError("no page")
    while (message := await receive()).get("more_body"):
        pass
    if message["type"] == "http.disconnect":
        return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    for _ in range(100 if scope["path"].endswith("/stream") else 0):
        await send({"type": "http.response.body", "body": bytes(70_000), "more_body": True})
    await send({"type": "http.response.body", "body": b"ok"})


async def endless():
    while True:
        yield b"x" * 70_000
        await asyncio.sleep(0)


async def pieces():
    while True:
        yield "x" * 10_000
        await asyncio.sleep(0)


async def failing():
    yield b"x"
    raise KeyError("no more")


ROUTES = []


def route(path, **options):
    """Keep a handler, for the application of each test."""
    return lambda handler: ROUTES.append((path, options, handler))


@route("/loaded", methods=["POST"])
async def loaded(request, response):
    response.body = str(len(request.body))


@route("/lazy", methods=["POST"], lazy_body=True)
async def lazy(request, response):
    response.body = str(sum([len(chunk) async for chunk in request]))


@route("/read", methods=["POST"], lazy_body=True)
async def read(request, response):
    response.body = await request.read()


@route("/form", methods=["POST"])
async def form(request, response):
    response.json = request.form


@route("/lazyform", methods=["POST"], lazy_body=True)
async def lazy_form(request, response):
    await request.load_form()


@route("/waits", cancel_on_disconnect=True)
async def waits(request, response):
    await asyncio.Event().wait()


@route("/fails")
async def fails(request, response):
    raise KeyError("at once")


@route("/failslater")
async def fails_later(request, response):
    await asyncio.sleep(0)
    raise KeyError("later")


@route("/error")
async def error(request, response):
    raise HttpError(418)


@route("/cancelled")
async def cancelled(request, response):
    asyncio.current_task().cancel()
    await asyncio.sleep(0)


@route("/stream")
async def stream(request, response):
    response.body = endless()


@route("/failingstream")
async def failing_stream(request, response):
    response.body = failing()


@route("/events")
async def events(request, response):
    response.sse = endless()


@route("/late", timeout=0.01)
async def late(request, response):
    await asyncio.Event().wait()


@route("/after")
async def after(request, response):
    response.after(lambda: None)


async def fail_later(request):
    await asyncio.sleep(0)
    raise KeyError("in a task")


async def await_cancelled(request):
    raise asyncio.CancelledError


@route("/task", methods=["POST"])
async def task(request, response):
    request.app.create_task(fail_later(request))


@route("/cancelledtask", methods=["POST"])
async def cancelled_task(request, response):
    request.app.create_task(await_cancelled(request))


@route("/echo", protocol="websocket", max_size=10)
async def echo(request, ws):
    async for message in ws:
        await ws.send(message)


@route("/sends", protocol="websocket")
async def sends(request, ws):
    while True:
        await ws.send("x" * 200_000)


@route("/sendspieces", protocol="websocket")
async def sends_pieces(request, ws):
    await ws.send(pieces())


@route("/wsfails", protocol="websocket")
async def ws_fails(request, ws):
    raise KeyError("at once")


@pytest.fixture
def app():
    app = Roll()
    app.limits = Limits(body_timeout=0.1, body=20_000_000)
    for path, options, handler in ROUTES:
        app.route(path, **options)(handler)
    app.mount("/mount", mounted, max_body=1000)
    return app


TASKS = ["/task", "/cancelledtask"]
BODIES = ["/loaded", "/lazy", "/read", "/mount/x"]
PLAIN = ["/fails", "/failslater", "/error", "/late", "/after", "/none", "/mount/x", "/mount/fails"]
ENDLESS = ["/stream", "/events", "/waits", "/mount/stream"]
CUT = ["/cancelled", "/failingstream"]
SENDING = ("/sends", "/sendspieces")
SOCKETS = ["/echo", "/wsfails", "/mount/ws"]

# What the client sends, and what it does then: `read` all, `part`, `half` closes, or `leave`.
ENDS = {
    **{f"cut {path}": (post(path, 100, b"x" * 50), "leave") for path in BODIES},
    **{f"closed {path}": (post(path, 100, b"x" * 50), "close") for path in BODIES},
    **{f"half {path}": (post(path, 100, b"x" * 50), "half") for path in BODIES},
    **{f"late {path}": (post(path, 100, b"x" * 50), "read") for path in BODIES},
    **{f"bad {path}": (chunked(path, b"3\r\nabc\r\nZ\r\n"), "read") for path in BODIES},
    **{f"whole {path}": (post(path, 50, b"x" * 50), "part") for path in BODIES},
    **{f"whole {path}": (post(path, 50, b"x" * 50), "part") for path in TASKS},
    **{f"long {path}": (post(path, 30_000_000, b"x" * 50), "part") for path in BODIES},
    **{
        f"{name} {path}": (post(path, length, PART, FORM), how)
        for path in ("/form", "/lazyform")
        for name, length, how in (
            ("cut", 1000, "leave"),
            ("late", 1000, "read"),
            ("bad", len(PART), "part"),
        )
    },
    "too long, in chunks": (chunked("/mount/x", b"fff\r\n%s\r\n0\r\n\r\n" % bytes(4095)), "part"),
    **{f"answered {path}": (get(path), "part") for path in PLAIN},
    **{f"left {path}": (get(path), "leave") for path in (*PLAIN, *ENDLESS)},
    **{f"cut {path}": (get(path), "read") for path in CUT},
    "pipelined": (get("/fails") + get("/error") + post("/loaded", 5, b"12345"), "part"),
    **{
        f"{how} {path}": (HANDSHAKE % path.encode() + frame(1, b"x" * size), how)
        for path in SOCKETS
        for how, size in (("leave", 1), ("close", 20))
    },
    **{
        f"bye {path}": (HANDSHAKE % path.encode() + frame(8, b"\x03\xe8"), "read")
        for path in SOCKETS
    },
    **{f"wrong {path}": (HANDSHAKE % path.encode() + frame(3, b"x"), "read") for path in SOCKETS},
    **{f"left {path}": (HANDSHAKE % path.encode(), "leave") for path in SENDING},
    "no websocket": (HANDSHAKE % b"/after", "part"),
}


async def use(port, data, how):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(data)
    if how == "half":
        writer.write_eof()
    if how in {"half", "read"}:
        with contextlib.suppress(ConnectionError):
            await reader.read()
    elif how == "part":
        await reader.read(1000)
    else:
        yield  # once the request has begun
    if how == "leave":
        sock = writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


@pytest.fixture
async def port(app):
    """Serve without the test client, which keeps errors with their tracebacks."""
    await app.startup()
    server = AppServer(app, None)
    listener = socket.create_server(("127.0.0.1", 0))
    await server.serve([listener])
    yield listener.getsockname()[1]
    await server.stop(1)
    await app.shutdown()


@pytest.mark.usefixtures("unlogged")
@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("extended", [False, True], ids=["plain", "extended"])
async def test_request_is_freed_at_its_end(app, port, end, extended):
    requests = []

    class Watched(app.Request):
        def __init__(self, *arguments):
            super().__init__(*arguments)
            requests.append(weakref.ref(self))

    app.Request = Watched
    if extended:
        extensions.compress(app)
        extensions.sessions(app, secret="a secret of twenty characters")
        extensions.request_ids(app)
    gc.disable()
    try:
        async with asyncio.timeout(PATIENCE):
            async for _ in use(port, *ENDS[end]):
                while not requests:
                    await asyncio.sleep(0)
                for _ in range(20):
                    await asyncio.sleep(0)
            while any(request() is not None for request in requests):
                await asyncio.sleep(0)
        assert requests
    finally:
        gc.enable()
