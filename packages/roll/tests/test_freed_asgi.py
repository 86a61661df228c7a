"""A request on a server of ASGI is freed at its end: no reference cycle keeps it in memory."""

import asyncio
import gc
import weakref

import pytest

from roll import HttpError, Request, Response, Roll, extensions

pytestmark = pytest.mark.usefixtures("unlogged")

BODY = b"a=" + b"x" * 70_000


class WatchedRequest(Request):
    """A request that can be watched."""


class WatchedResponse(Response):
    """A response that can be watched."""


class Watched(Roll):
    Request = WatchedRequest
    Response = WatchedResponse


async def body(request, response):
    response.body = str(len(request.body))


async def form(request, response):
    response.json = len(request.form)


async def lazy(request, response):
    await request.read()


async def chunks(request, response):
    response.body = str([len(chunk) async for chunk in request])


async def unread(request, response):
    response.status = 403


async def refused(request, response):
    raise HttpError(400, "no")


async def fault(request, response):
    raise ZeroDivisionError


async def stream(request, response):
    async def items():
        yield str(len(await request.read()))

    response.body = items()


async def watches(request, response):
    response.body = str(request.protocol.gone)
    response.after(lambda: request.body)


async def session(request, response):
    request.session["a"] = 1


HANDLERS = [body, form, lazy, chunks, unread, refused, fault, stream, watches, session]


@pytest.fixture(autouse=True)
def no_collection():
    gc.disable()
    yield
    gc.enable()


def scope_of(kind, **more):
    headers = [(b"content-type", b"application/x-www-form-urlencoded")]
    headers += [(b"content-length", b"%d" % len(BODY)), (b"cookie", b"session=a.b.c")]
    return {
        "type": kind,
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "path": "/n",
        "raw_path": b"/n",
        "query_string": b"",
        "headers": headers,
        "scheme": "http",
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 2),
        **more,
    }


class Server:
    """The messages of a server, up to a disconnect."""

    def __init__(self, *messages):
        self.messages = list(messages)
        self.sent = []

    async def receive(self):
        await asyncio.sleep(0)
        return self.messages.pop(0) if self.messages else await asyncio.Event().wait()

    async def send(self, message):
        self.sent.append(message["type"])


MESSAGES = {
    "whole": [{"type": "http.request", "body": BODY}],
    "in parts": [
        {"type": "http.request", "body": BODY[:9], "more_body": True},
        {"type": "http.request", "body": BODY[9:]},
        {"type": "http.disconnect"},
    ],
    "cut": [
        {"type": "http.request", "body": BODY[:9], "more_body": True},
        {"type": "http.disconnect"},
    ],
}


async def assert_freed(app, scope, messages):
    seen = []

    def look(request, response):
        seen.extend([weakref.ref(request), weakref.ref(response)])

    app.hooks.setdefault("headers", []).insert(0, look)
    await app.startup()
    server = Server(*messages)
    await app(scope, server.receive, server.send)
    await app.shutdown()
    for _ in range(50):  # tasks that end
        await asyncio.sleep(0)
    assert seen
    assert [one() for one in seen if one() is not None] == []


@pytest.mark.parametrize("handler", HANDLERS, ids=lambda one: one.__name__)
@pytest.mark.parametrize("messages", MESSAGES)
@pytest.mark.parametrize("setting", ["sessions", "answered", "cancel"])
async def test_request_is_freed_at_its_end(setting, messages, handler):
    app = Watched()
    extensions.sessions(app, "a secret of many characters")
    if setting == "answered":
        app.listen("answered")(lambda request, response: None)
    extras = {"cancel_on_disconnect": setting == "cancel"}
    extras["lazy_body"] = handler in {lazy, chunks, unread, stream}
    app.route("/n", methods=["POST"], **extras)(handler)
    await assert_freed(app, scope_of("http"), MESSAGES[messages])


async def echo(request, ws):
    async for message in ws:
        await ws.send(message)


async def raises(request, ws):
    await ws.recv()
    raise ZeroDivisionError


async def refuses(request, ws):
    raise HttpError(403)


@pytest.mark.parametrize("handler", [echo, raises, refuses], ids=lambda one: one.__name__)
@pytest.mark.parametrize("origins", [None, ["https://a.org"]])
async def test_websocket_is_freed_at_its_end(handler, origins):
    app = Watched()
    app.route("/n", protocol="websocket", **({"origins": origins} if origins else {}))(handler)
    messages = [
        {"type": "websocket.connect"},
        {"type": "websocket.receive", "text": "hi"},
        {"type": "websocket.disconnect", "code": 1000},
    ]
    await assert_freed(app, scope_of("websocket", subprotocols=[]), messages)


async def test_function_given_after_the_answer_runs_at_once():
    app, ran = Watched(), asyncio.Event()
    kept = []
    app.route("/n", methods=["POST"])(lambda request, response: kept.append(response))
    await app.startup()
    server = Server(*MESSAGES["whole"])
    await app(scope_of("http"), server.receive, server.send)
    kept[0].after(ran.set)
    await ran.wait()
    await app.shutdown()
