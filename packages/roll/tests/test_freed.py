"""A request is freed when it ends: no reference cycle keeps its body in memory."""

import asyncio
import contextlib
import gc
import weakref

import pytest

from roll import HttpError, Request, Response, Roll, ServerSentEvent, extensions
from roll.extensions import MemoryStore

pytestmark = pytest.mark.usefixtures("unlogged")

SECRET = "a secret of many characters"
BODY = b"a=" + b"x" * 70_000
POST = (
    b"POST /n HTTP/1.1\r\nHost: h\r\nCookie: session=a.b.c; d=e\r\nAccept-Encoding: gzip\r\n"
    b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n%b"
)


class WatchedRequest(Request):
    """A request that can be watched."""


class WatchedResponse(Response):
    """A response that can be watched."""


class Watched(Roll):
    Request = WatchedRequest
    Response = WatchedResponse


def nothing(*args, **kwargs):
    """Do nothing."""


def listen(event, listener=nothing):
    return lambda app, path: app.listen(event)(listener)


def failing(*args, **kwargs):
    raise ZeroDivisionError


def refusing(*args, **kwargs):
    raise HttpError(403)


SETTINGS = {
    "nothing": nothing,
    "sessions": lambda app, path: extensions.sessions(app, SECRET),
    "stored sessions": lambda app, path: extensions.sessions(app, SECRET, store=MemoryStore()),
    "cors": lambda app, path: extensions.cors(app),
    "compress": lambda app, path: extensions.compress(app, min_size=1),
    "csrf": lambda app, path: extensions.csrf(app),
    "options": lambda app, path: extensions.options(app),
    "request_ids": lambda app, path: extensions.request_ids(app),
    "proxy_headers": lambda app, path: extensions.proxy_headers(app),
    "access_log": lambda app, path: extensions.access_log(app, path / "log", "json"),
    "logger": lambda app, path: extensions.logger(app),
    "observe": lambda app, path: extensions.observe(app, nothing),
    "traceback": lambda app, path: extensions.traceback(app),
    "negotiation": lambda app, path: extensions.content_negociation(app),
    "static": lambda app, path: extensions.static(app, root=path),
    "headers": listen("headers"),
    "request": listen("request"),
    "response": listen("response"),
    "answered": listen("answered"),
    "error": listen("error"),
    "headers fails": listen("headers", failing),
    "request fails": listen("request", failing),
    "response fails": listen("response", failing),
    "answered fails": listen("answered", failing),
    "error fails": listen("error", failing),
    "headers refuses": listen("headers", refusing),
    "request refuses": listen("request", refusing),
}


async def body(request, response):
    response.body = str(len(request.body))


async def form(request, response):
    response.json = [len(request.form), len(request.files), request.cookies, request.query]


async def session(request, response):
    request.session["a"] = "b"
    response.body = repr(request.session)


async def renewed(request, response):
    request.session = {"a": 1}
    request.session.renew()


async def refused(request, response):
    raise HttpError(400, "no")


async def fault(request, response):
    response.body = 1 / len(request.headers.get("NONE", ""))


async def wrong_body(request, response):
    response.body = object()


async def wrong_header(request, response):
    response.headers["A"] = "\r\n"


async def redirect(request, response):
    response.redirect = "/a", 303


async def waits(request, response):
    await asyncio.sleep(0)
    response.headers["A"] = [request.id, request.trace and "trace", request.base_url]


async def stream(request, response):
    async def items():
        yield str(len(request.body))

    response.body = items()


async def generator(request, response):
    response.body = (str(len(request.body)) for _ in range(3))


async def failing_stream(request, response):
    async def items():
        yield str(len(request.body))
        raise ZeroDivisionError

    response.body = items()


async def events(request, response):
    response.sse = iter([ServerSentEvent(str(len(request.body)))])


async def file(request, response):
    response.send_file(__file__)
    response.etag = "a"


async def missing_file(request, response):
    response.send_file("none")


async def conditional(request, response):
    response.etag = response.html = str(len(request.body))
    response.cookies.set("a", "b")


async def after(request, response):
    response.after(lambda: len(request.body))


async def failing_after(request, response):
    response.after(lambda: request.body / 1)


async def task(request, response):
    request.app.create_task(asyncio.sleep(0))


HANDLERS = [
    *(body, form, session, renewed, refused, fault, wrong_body, wrong_header, redirect, waits),
    *(stream, generator, failing_stream, events, file, missing_file, conditional),
    *(after, failing_after, task),
]


async def lazy(request, response):
    await request.read()
    response.body = str(len(request.body))


async def lazy_form(request, response):
    await request.load_form()


async def chunks(request, response):
    response.body = str([len(chunk) async for chunk in request])


async def first_chunk(request, response):
    async for chunk in request:
        response.body = str(len(chunk))
        break


async def unread(request, response):
    response.status = 403


async def begun(request, response):
    response.body = (chunk async for chunk in request)


LAZY = [lazy, lazy_form, chunks, first_chunk, unread, begun]


async def asgi(scope, receive, send):
    if scope["type"] != "http":
        raise NotImplementedError
    while (await receive())["more_body"]:
        pass
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"x"})


async def silent(scope, receive, send):
    """Answer nothing."""


async def raises(scope, receive, send):
    await receive()
    raise ZeroDivisionError


def raises_at_once(scope, receive, send):
    raise ZeroDivisionError


async def begins(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})


async def cut(scope, receive, send):
    await begins(scope, receive, send)
    await send({"type": "http.response.body", "body": b"x", "more_body": True})


async def cut_by_an_error(scope, receive, send):
    await cut(scope, receive, send)
    raise ZeroDivisionError


async def wrong_message(scope, receive, send):
    await send({"type": "http.response.other"})


async def wrong_status(scope, receive, send):
    await send({"type": "http.response.start", "status": "x", "headers": []})


APPLICATIONS = [
    *(asgi, silent, raises, raises_at_once, begins, cut, cut_by_an_error),
    *(wrong_message, wrong_status),
]


async def served(app):
    """Send requests, and return weak references to them and their responses."""
    seen = []

    def look(request, response):
        seen.extend([weakref.ref(request), weakref.ref(response)])

    app.hooks.setdefault("headers", []).insert(0, look)
    await app.startup()
    server = await asyncio.get_running_loop().create_server(app.factory, "127.0.0.1", 0)
    try:
        for _ in range(2):
            await exchange(server.sockets[0].getsockname()[1])
    finally:
        server.close()
        await app.shutdown()
    return seen


async def exchange(port):
    """Send a request, and read its answer until the server has closed the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(POST.replace(b"Host", b"Connection: close\r\nHost") % (len(BODY), BODY))
    with contextlib.suppress(ConnectionResetError):  # of a stream that fails
        assert await reader.read()
    writer.close()


async def abandon(port, ended):
    """Send a part of a request, and leave; wait until it has ended."""
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(POST % (len(BODY), BODY[:-1]))
    await writer.drain()
    writer.close()
    await ended.wait()


async def abandoned(app):
    """Send a part of a request, and return weak references to the request and its response."""
    seen, ended = [], asyncio.Event()

    def look(request, response):
        seen.extend([weakref.ref(request), weakref.ref(response)])
        task = asyncio.current_task()
        task.add_done_callback(lambda _: ended.set())

    app.hooks.setdefault("headers", []).insert(0, look)
    await app.startup()
    server = await asyncio.get_running_loop().create_server(app.factory, "127.0.0.1", 0)
    try:
        await abandon(server.sockets[0].getsockname()[1], ended)
    finally:
        server.close()
        await app.shutdown()
    return seen


async def assert_freed(app, serve=served):
    gc.disable()
    try:
        seen = await serve(app)
        # The threads that opened files still refer to their last work for a moment.
        await asyncio.get_running_loop().shutdown_default_executor()
        for _ in range(50):  # the callbacks of closed connections
            await asyncio.sleep(0)
        assert seen
        assert [one() for one in seen if one() is not None] == []
    finally:
        gc.enable()


def make_app(setting, path):
    app = Watched()
    SETTINGS[setting](app, path)
    return app


@pytest.mark.parametrize("handler", HANDLERS, ids=lambda handler: handler.__name__)
@pytest.mark.parametrize("setting", SETTINGS)
async def test_request_is_freed_at_its_end(tmp_path, setting, handler):
    app = make_app(setting, tmp_path)
    app.route("/n", methods=["POST"])(handler)
    await assert_freed(app)


@pytest.mark.parametrize("handler", LAZY, ids=lambda handler: handler.__name__)
@pytest.mark.parametrize("setting", ["nothing", "sessions", "compress", "access_log"])
async def test_request_with_a_lazy_body_is_freed_at_its_end(tmp_path, setting, handler):
    app = make_app(setting, tmp_path)
    app.route("/n", methods=["POST"], lazy_body=True)(handler)
    await assert_freed(app)


@pytest.mark.parametrize(
    "extras",
    [{"timeout": 5}, {"timeout": 0.0001}, {"cancel_on_disconnect": True}, {"max_body": 10}],
    ids=str,
)
@pytest.mark.parametrize("setting", ["nothing", "sessions"])
async def test_request_with_settings_is_freed_at_its_end(tmp_path, setting, extras):
    app = make_app(setting, tmp_path)

    @app.route("/n", methods=["POST"], **extras)
    async def slow(request, response):
        await asyncio.sleep(0.01)
        response.body = str(len(request.body))

    await assert_freed(app)


OF_TASKS = [{"timeout": 5}, {"cancel_on_disconnect": True}]


@pytest.mark.parametrize("handler", [*HANDLERS, *LAZY], ids=lambda handler: handler.__name__)
@pytest.mark.parametrize("extras", OF_TASKS, ids=str)
@pytest.mark.parametrize("serve", [served, abandoned])
async def test_request_whose_handler_has_a_task_is_freed_at_its_end(handler, extras, serve):
    """Before, one whose handler had a time limit and raised was kept with its body."""
    app = Watched()
    extensions.sessions(app, SECRET)
    app.route("/n", methods=["POST"], lazy_body=handler in LAZY, **extras)(handler)
    await assert_freed(app, serve)


@pytest.mark.parametrize("application", APPLICATIONS, ids=lambda one: one.__name__)
@pytest.mark.parametrize("setting", ["nothing", "sessions", "observe", "error", "error fails"])
async def test_request_to_a_mount_is_freed_at_its_end(tmp_path, setting, application):
    app = make_app(setting, tmp_path)
    app.mount("/n", application)
    await assert_freed(app)


@pytest.mark.parametrize("path", ["/none", "/n/"])
@pytest.mark.parametrize("setting", ["nothing", "sessions"])
async def test_request_without_a_handler_is_freed_at_its_end(tmp_path, setting, path):
    app = make_app(setting, tmp_path)
    app.route(path, methods=["GET"])(body)
    await assert_freed(app)


@pytest.mark.parametrize("handler", [body, form, session, *LAZY], ids=lambda one: one.__name__)
@pytest.mark.parametrize("setting", ["nothing", "sessions", "compress", "access_log", "error"])
async def test_request_of_a_client_that_leaves_is_freed(tmp_path, setting, handler):
    app = make_app(setting, tmp_path)
    app.route("/n", methods=["POST"], lazy_body=handler in LAZY)(handler)
    await assert_freed(app, abandoned)


@pytest.mark.parametrize("handler", [body, lazy, chunks], ids=lambda one: one.__name__)
async def test_request_that_is_cancelled_is_freed(tmp_path, handler):
    app = Watched()
    app.route("/n", methods=["POST"], lazy_body=handler in LAZY, cancel_on_disconnect=True)(
        handler
    )
    await assert_freed(app, abandoned)


@pytest.mark.parametrize("application", APPLICATIONS, ids=lambda one: one.__name__)
@pytest.mark.parametrize("serve", [served, abandoned])
async def test_request_to_a_mount_that_is_refused_or_abandoned_is_freed(application, serve):
    app = Watched()
    app.mount("/n", application, max_body=10 if serve is served else None)
    await assert_freed(app, serve)
