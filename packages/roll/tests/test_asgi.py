"""A Roll application on ASGI, message by message."""

import asyncio
import contextlib
import gzip
import inspect
import json
import sys
import time

import pytest

from roll import HttpError, Limits, Response, Roll
from roll.asgi.head import head_of
from roll.asgi.origins import is_origin
from roll.extensions import access_log, observe
from roll_http import ClientDisconnected
from roll_websocket import ConnectionClosed


class Server:
    """Calls an application as a server does, for one scope."""

    def __init__(self, app, kind="http", call=None, **scope):
        self.sent = []
        self.came = asyncio.Event()
        self.messages = asyncio.Queue()
        self.scope = {
            "type": kind,
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": "1.1",
            "method": "GET",
            "scheme": "http",
            "path": "/",
            "query_string": b"",
            "root_path": "",
            "headers": [(b"host", b"example.org")],
            "client": ("192.0.2.1", 4000),
            "server": ("127.0.0.1", 80),
            **scope,
        }
        self.scope.setdefault("raw_path", self.scope["path"].encode())
        self.task = asyncio.ensure_future((call or app)(self.scope, self.receive, self.send))

    async def receive(self):
        return await self.messages.get()

    async def send(self, message):
        self.sent.append(message)
        self.came.set()

    def give(self, kind, **fields):
        self.messages.put_nowait({"type": kind, **fields})

    async def until(self, kind):
        """Wait for a message of a kind, and return it."""
        async with asyncio.timeout(10):
            while not (found := [one for one in self.sent if one["type"] == kind]):
                self.came.clear()
                await self.came.wait()
        return found[0]

    async def until_sent(self, count):
        async with asyncio.timeout(10):
            while len(self.sent) < count:
                self.came.clear()
                await self.came.wait()

    async def answer(self):
        """Wait for the end, and return status, headers and body."""
        await self.task
        start, *rest = self.sent
        body = b"".join(one.get("body", b"") for one in rest)
        assert [one.get("more_body", False) for one in rest] == [True] * (len(rest) - 1) + [False]
        return start["status"], dict(start["headers"]), body


async def ask(app, path="/", body=None, headers=(), **scope):
    fields = [(b"host", b"example.org"), *headers]
    if body is not None:
        fields.append((b"content-length", str(len(body)).encode()))
    server = Server(app, path=path, headers=fields, **scope)
    if body is not None:
        server.give("http.request", body=body)
    return await server.answer()


@pytest.fixture
def app():
    app = Roll()

    @app.route("/")
    async def index(request, response):
        response.body = "hello"

    @app.route("/echo", methods=["POST"])
    async def echo(request, response):
        response.json = request.json

    return app


def test_servers_see_an_async_function_where_they_look(app):
    assert inspect.iscoroutinefunction(app.__call__)
    assert inspect.iscoroutinefunction(app.asgi)


async def test_servers_may_call_by_name(app):
    def call(scope, receive, send):
        return app(scope=scope, receive=receive, send=send)

    assert (await Server(app, call=call).answer())[2] == b"hello"
    assert (await Server(app, call=app.__call__).answer())[2] == b"hello"


def test_uvicorn_does_not_take_the_application_for_a_factory(app):
    with pytest.raises(TypeError, match="is called with a request and a response"):
        app()


async def test_subclass_that_overrides_the_call_is_served_by_its_attribute():
    class Marked(Roll):
        async def __call__(self, request, response):
            await super().__call__(request, response)
            response.headers["X-Mark"] = "1"

    app = Marked()
    server = Server(app, call=app.asgi)
    assert (await server.answer())[1][b"x-mark"] == b"1"


async def test_response_is_a_start_and_a_body(app):
    status, headers, body = await ask(app)
    assert (status, body) == (200, b"hello")
    assert headers == {
        b"content-type": b"text/plain; charset=utf-8",
        b"content-length": b"5",
    }


async def test_each_cookie_has_its_line(app):
    @app.route("/cookies")
    async def cookies(request, response):
        response.cookies.set("a", "1")
        response.cookies.set("b", "2")

    server = Server(app, path="/cookies")
    await server.task
    lines = [value for name, value in server.sent[0]["headers"] if name == b"set-cookie"]
    assert lines == [b"a=1; Path=/", b"b=2; Path=/"]


async def test_body_is_read_message_by_message(app):
    server = Server(app, path="/echo", method="POST", headers=[(b"content-length", b"7")])
    server.give("http.request", body=b'{"a"', more_body=True)
    server.give("http.request", body=b":1}")
    assert (await server.answer())[2] == b'{"a":1}'


async def test_body_without_a_length_is_read_over_http_2(app):
    server = Server(app, path="/echo", method="POST", http_version="2")
    server.give("http.request", body=b"[1]")
    assert (await server.answer())[2] == b"[1]"


def with_bodies(app):
    """Return an application with routes that give back the body, whole or in pieces."""

    @app.route("/any", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
    async def whole(request, response):
        response.json = [request.body.decode()]

    @app.route("/lazy", methods=["GET", "POST", "PUT", "PATCH", "DELETE"], lazy_body=True)
    async def lazy(request, response):
        response.json = [piece.decode() async for piece in request]

    return app


LENGTHS = {
    "no length": [],
    "an empty length": [(b"content-length", b"")],
    "equal lengths": [(b"content-length", b"5"), (b"content-length", b"5")],
    "a list of equal lengths": [(b"content-length", b"5,5 , 5")],
    "a smaller length": [(b"content-length", b"4")],
    "a greater length": [(b"content-length", b"9")],
    "an encoding": [(b"transfer-encoding", b"chunked")],
}


@pytest.mark.parametrize("version", ["1.0", "1.1", "2"])
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("fields", LENGTHS.values(), ids=LENGTHS)
async def test_messages_are_the_body_whatever_length_is_announced(app, version, method, fields):
    """A middleware that unpacks bodies drops their length; some servers never give one."""
    for path, expected in (("/any", ["hello"]), ("/lazy", ["hel", "lo"])):
        extra = {"path": path, "method": method, "http_version": version, "headers": fields}
        server = Server(with_bodies(app) if path == "/any" else app, **extra)
        server.give("http.request", body=b"hel", more_body=True)
        server.give("http.request", body=b"lo", more_body=False)
        status, _, body = await server.answer()
        assert (status, json.loads(body)) == (200, expected)


async def test_empty_body_without_a_length_has_no_pieces(app):
    with_bodies(app)
    for path, expected in (("/any", [""]), ("/lazy", [])):
        server = Server(app, path=path, method="POST", headers=[])
        server.give("http.request", body=b"", more_body=False)
        assert json.loads((await server.answer())[2]) == expected


async def test_body_that_a_middleware_unpacks_is_read(app):
    with_bodies(app)

    async def unpacking(scope, receive, send):
        packed, more = b"", True
        while more:
            message = await receive()
            packed, more = packed + message["body"], message["more_body"]
        headers = [field for field in scope["headers"] if not field[0].startswith(b"content-")]
        whole = {"type": "http.request", "body": gzip.decompress(packed), "more_body": False}
        messages = iter([whole])

        async def receive_unpacked():
            return next(messages, None) or await receive()

        await app({**scope, "headers": headers}, receive_unpacked, send)

    packed = gzip.compress(b"x" * 1000)
    fields = [
        (b"content-encoding", b"gzip"),
        (b"content-length", str(len(packed)).encode()),
    ]
    server = Server(unpacking, path="/any", method="POST", headers=fields)
    server.give("http.request", body=packed, more_body=False)
    assert json.loads((await server.answer())[2]) == ["x" * 1000]


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
async def test_request_without_a_body_waits_for_no_message(app, method):
    server = Server(app, method=method)
    async with asyncio.timeout(10):
        await server.task
    assert server.sent


@pytest.mark.parametrize("values", [(b"5", b"6"), (b"5, 6",), (b"-1",), (b"5,",), (b"five",)])
async def test_content_length_that_is_no_length_is_a_400(app, values):
    fields = [(b"content-length", value) for value in values]
    server = Server(app, path="/echo", method="POST", headers=fields)
    server.give("http.request", body=b"[1]")
    status, _, body = await server.answer()
    assert (status, body) == (400, b"The Content-Length is not a number of bytes")


async def test_chunked_body_is_read(app):
    fields = [(b"transfer-encoding", b"chunked")]
    server = Server(app, path="/echo", method="POST", headers=fields)
    server.give("http.request", body=b"[1]")
    assert (await server.answer())[2] == b"[1]"


async def test_body_past_the_limit_is_a_413(app):
    app.limits = Limits(body=3)
    assert (await ask(app, "/echo", b"[1,2]", method="POST"))[0] == 413


async def test_large_body_is_received_no_faster_than_it_is_read(app):
    begun, go_on = asyncio.Event(), asyncio.Event()

    @app.route("/slow", methods=["POST"], lazy_body=True)
    async def slow(request, response):
        size = 0
        async for chunk in request:
            size += len(chunk)
            begun.set()
            await go_on.wait()
        response.body = str(size)

    server = Server(app, path="/slow", method="POST", headers=[(b"content-length", b"5000000")])
    for number in range(50):
        server.give("http.request", body=b"x" * 100_000, more_body=number < 49)
    await begun.wait()
    for _ in range(100):
        await asyncio.sleep(0)
    assert server.messages.qsize() > 40
    go_on.set()
    assert (await server.answer())[2] == b"5000000"


async def test_stream_is_sent_while_it_is_produced(app):
    @app.route("/stream")
    async def stream(request, response):
        response.body = (item for item in ["a", "", b"b", 3])

    server = Server(app, path="/stream")
    assert (await server.answer())[2] == b"ab3"
    assert [one["body"] for one in server.sent[1:]] == [b"a", b"b", b"3", b""]


async def test_stream_that_cannot_be_closed_is_sent(app):
    class Stream:
        def __init__(self):
            self.items = iter(["a", "b"])

        def __aiter__(self):
            return self

        async def __anext__(self):
            try:
                return next(self.items)
            except StopIteration:
                raise StopAsyncIteration from None

    @app.route("/stream")
    async def stream(request, response):
        response.body = Stream()

    server = Server(app, path="/stream")
    assert (await server.answer())[2] == b"ab"


async def test_message_of_an_empty_body_is_ignored(app):
    @app.route("/wait")
    async def wait(request, response):
        while not await request.disconnected():
            pass

    server = Server(app, path="/wait")
    server.give("http.request", body=b"")  # as some servers say that there is no body
    server.give("http.disconnect")
    await server.task


async def test_stream_is_closed_when_the_client_leaves(app):
    closed = asyncio.Event()

    @app.route("/stream")
    async def stream(request, response):
        async def endless():
            try:
                yield "first"
                await asyncio.Event().wait()
            finally:
                closed.set()

        response.body = endless()

    server = Server(app, path="/stream")
    await server.until("http.response.body")
    server.give("http.disconnect")
    await server.task
    assert closed.is_set()


async def test_stream_of_a_client_that_has_left_is_not_begun(app):
    closed = []

    class Stream:
        def __aiter__(self):
            return self

        async def __anext__(self):
            raise AssertionError

        async def aclose(self):
            closed.append(True)

    @app.route("/stream")
    async def stream(request, response):
        while not await request.disconnected():
            pass
        response.body = Stream()

    server = Server(app, path="/stream")
    server.give("http.disconnect")
    await server.task
    assert closed == [True]


class Closable:
    """A stream that counts how often it is closed."""

    def __init__(self, items=2):
        self.items, self.closed = iter([b"x"] * items), 0

    def __aiter__(self):
        return self

    async def __anext__(self):
        for item in self.items:
            return item
        raise StopAsyncIteration

    async def aclose(self):
        self.closed += 1


class Plain:
    """The same as a plain iterator."""

    def __init__(self):
        self.items, self.closed = iter([b"x"] * 2), 0

    def __iter__(self):
        return self

    def __next__(self):
        return next(self.items)

    def close(self):
        self.closed += 1


def status_304(response):
    response.status = 304


def bad_field(response):
    response.headers["X"] = "a\r\nb"


def bad_length(response):
    response.headers["Content-Length"] = "x"


def short_length(response):
    response.headers["Content-Length"] = 1


def error(response):
    raise ValueError


def http_error(response):
    raise HttpError(402)


def client_gone(response):
    raise ClientDisconnected


def cancelled(response):
    asyncio.current_task().cancel()


def nothing(response): ...


ENDS = [status_304, bad_field, bad_length, short_length, error, http_error, client_gone, cancelled]


@pytest.mark.parametrize("make", [Closable, Plain])
@pytest.mark.parametrize("listened", [False, True])
@pytest.mark.parametrize("end", [nothing, *ENDS])
async def test_streamed_body_is_closed_once_however_its_response_ends(app, make, listened, end):
    stream = make()
    if listened:
        app.listen("error")(lambda response: None)

    @app.route("/stream")
    async def view(request, response):
        response.body = stream
        end(response)
        await asyncio.sleep(0)

    for method in ("GET", "HEAD"):
        stream.closed = 0
        server = Server(app, path="/stream", method=method)
        await asyncio.wait({server.task}, timeout=10)
        server.task.cancelled() or server.task.exception()
        assert stream.closed == 1


@pytest.mark.parametrize("make", [Closable, Plain])
@pytest.mark.parametrize("wrong", [OSError("gone"), asyncio.CancelledError(), RuntimeError("no")])
@pytest.mark.parametrize("number", [1, 2, 3, 4])
async def test_streamed_body_is_closed_once_if_a_message_cannot_be_sent(app, make, wrong, number):
    stream, sent = make(), []

    @app.route("/stream")
    async def view(request, response):
        response.body = stream

    async def call(scope, receive, send):
        async def failing(message):
            sent.append(message)
            if len(sent) == number:
                raise wrong

        await app(scope, receive, failing)

    server = Server(app, path="/stream", call=call)
    await asyncio.wait({server.task}, timeout=10)
    assert server.task.cancelled() or server.task.exception() in {None, wrong}
    assert stream.closed == 1


@pytest.mark.parametrize("make", [Closable, Plain])
@pytest.mark.parametrize("end", ["raises", "refuses", "replaces", "wraps"])
async def test_streamed_body_of_an_overridden_cycle_is_closed_once(make, end, caplog):
    stream = make()

    class Mine(Roll):
        async def __call__(self, request, response):
            response.body = stream
            if end == "raises":
                raise ValueError
            if end == "refuses":
                raise HttpError(402)
            other = self.Response(self, response.protocol)
            other.body = stream if end == "wraps" else "other"
            return other

    app = Mine()
    await Server(app, call=app.asgi).task
    assert stream.closed == 1


@pytest.mark.parametrize("name", ["plain", "Zo\u00e9", "\u0141ukasz", "\U0001f600", "\udce9"])
async def test_field_of_any_text_is_the_same_bytes_in_a_handshake_and_a_page(app, name):
    app.route("/ws", protocol="websocket")(mirror)

    @app.listen("headers")
    def mark(request, response):
        response.headers["X-Name"] = name

    _, headers, _ = await ask(app)
    server = Server(app, "websocket", path="/ws")
    server.give("websocket.connect")
    accept = await server.until("websocket.accept")
    server.give("websocket.disconnect", code=1000)
    await server.task
    value = name.encode(errors="surrogateescape")
    assert headers[b"x-name"] == dict(accept["headers"])[b"x-name"] == value


@pytest.mark.parametrize("known", [{}, {"websocket.http.response": {}}])
async def test_streamed_body_of_a_refused_handshake_is_closed(app, known):
    stream = Closable()
    app.route("/ws", protocol="websocket")(mirror)

    @app.listen("headers")
    def refuse(request, response):
        response.status, response.body = 403, stream
        return True

    server = Server(app, "websocket", path="/ws", extensions=known)
    server.give("websocket.connect")
    await server.task
    assert stream.closed == 1


async def test_stream_shorter_than_its_length_is_an_error(app):
    @app.route("/short")
    async def short(request, response):
        response.headers["Content-Length"] = 5
        response.body = iter([b"abc"])

    server = Server(app, path="/short")
    with pytest.raises(ValueError, match="2 bytes short"):
        await server.task


async def test_head_sends_no_body_of_a_stream(app):
    closed = []

    @app.route("/stream")
    async def stream(request, response):
        async def lines():
            try:
                yield "x"
            finally:
                closed.append(True)

        response.body = lines()

    status, _, body = await ask(app, "/stream", method="HEAD")
    assert (status, body) == (200, b"")


async def test_file_is_sent_from_static(app, tmp_path):
    from roll.extensions import static

    (tmp_path / "a.txt").write_text("from a file" * 100_000)
    static(app, root=tmp_path)
    await app.startup()
    status, headers, body = await ask(app, "/static/a.txt")
    assert (status, body) == (200, b"from a file" * 100_000)
    assert headers[b"content-length"] == b"1100000"


async def test_cancel_on_disconnect_cancels_the_handler(app):
    begun, cancelled = asyncio.Event(), asyncio.Event()

    @app.route("/wait", cancel_on_disconnect=True)
    async def wait(request, response):
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    server = Server(app, path="/wait")
    await begun.wait()
    server.give("http.disconnect")
    await server.task
    assert cancelled.is_set()
    assert server.sent == []


async def test_task_that_the_server_cancels_is_cancelled(app):
    begun = asyncio.Event()

    @app.route("/wait")
    async def wait(request, response):
        begun.set()
        await asyncio.Event().wait()

    server = Server(app, path="/wait")
    await begun.wait()
    server.task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await server.task


async def test_reader_gets_client_disconnected(app):
    seen = []

    @app.route("/read", methods=["POST"], lazy_body=True)
    async def read(request, response):
        try:
            await request.read()
        except ClientDisconnected as error:
            seen.append(error)
            raise

    server = Server(app, path="/read", method="POST", headers=[(b"content-length", b"9")])
    server.give("http.request", body=b"a", more_body=True)
    server.give("http.disconnect")
    await server.task
    assert len(seen) == 1


async def test_error_of_a_server_whose_client_left_is_not_logged(app):
    async def send(message):
        raise OSError("gone")

    await app({"type": "http", "path": "/", "headers": []}, None, send)


async def test_response_that_cannot_be_sent_is_logged_and_a_500(app, caplog):
    @app.route("/bad")
    async def bad(request, response):
        response.headers["X"] = "a\r\nb"

    status, _, body = await ask(app, "/bad")
    assert (status, body) == (500, b"Internal Server Error")
    assert "a response that can't be sent to GET /bad" in caplog.text


class Text:
    def __str__(self):
        raise KeyError("no text")


async def test_header_whose_text_raises_is_logged_with_its_traceback(app, caplog):
    @app.route("/bad")
    async def bad(request, response):
        response.headers["X"] = Text()

    assert (await ask(app, "/bad"))[0] == 500
    assert "KeyError" in caplog.text


@pytest.mark.parametrize(
    ("error", "status", "body"),
    [
        (HttpError(418, "tea"), 418, b"tea"),
        (HttpError(404, ""), 404, b"Not Found"),
        (ValueError("x"), 500, b"Internal Server Error"),
    ],
)
async def test_error_of_an_overridden_cycle_is_answered(error, status, body, caplog):
    class Raising(Roll):
        async def __call__(self, request, response):
            raise error

    app = Raising()
    server = Server(app, call=app.asgi)
    found = await server.answer()
    assert (found[0], found[2]) == (status, body)


async def test_client_that_leaves_an_overridden_cycle_is_not_logged():
    class Leaving(Roll):
        async def __call__(self, request, response):
            raise ClientDisconnected

    app = Leaving()
    server = Server(app, call=app.asgi)
    await server.task
    assert server.sent == []


async def test_overridden_cycle_may_return_nothing_or_another_response():
    class Another(Roll):
        async def __call__(self, request, response):
            if request.path == "/":
                response.body = "same"
                return None
            other = Response(self, request.protocol)
            other.body = "other"
            return other

    app = Another()
    assert (await Server(app, call=app.asgi).answer())[2] == b"same"
    assert (await Server(app, call=app.asgi, path="/x").answer())[2] == b"other"


async def test_end_of_an_answer_is_reported(app):
    seen = []

    @app.route("/watched")
    async def watched(request, response):
        request.protocol.on_answered = lambda *exchange: seen.append(exchange)
        response.body = iter(["ab", "c"])

    await ask(app, "/watched")
    ((request, response, size),) = seen
    assert (request.path, response.status, size) == ("/watched", 200, 3)


@pytest.fixture
def reports(app):
    """The reports of `observe`, and the events `answered`."""
    seen, events = [], []

    def report(request, response, size, seconds):
        assert 0 < seconds < 10
        seen.append((request.path, request.route_path, int(response.status), size))

    observe(app, report)
    app.listen("answered")(lambda request, response: events.append(request.path))
    yield seen
    assert events == [path for path, *_ in seen]


async def test_each_answer_is_reported_once(app, reports):
    after = []

    @app.route("/plain/{name}")
    async def plain(request, response, name):
        response.body = name
        response.after(lambda: after.append(name))

    @app.route("/stream")
    async def stream(request, response):
        response.body = iter(["ab", "c"])

    @app.route("/fails")
    async def fails(request, response):
        raise ValueError

    for path in ("/plain/ada", "/stream", "/fails", "/missing"):
        await ask(app, path)
    assert reports == [
        ("/plain/ada", "/plain/{name}", 200, 3),
        ("/stream", "/stream", 200, 3),
        ("/fails", "/fails", 500, 21),
        ("/missing", None, 404, 8),
    ]
    await asyncio.sleep(0)  # functions of `after` run in a task
    assert after == ["ada"]


async def test_an_answer_whose_client_has_gone_is_reported_once(app, reports):
    after, begun = [], asyncio.Event()

    @app.route("/waits", cancel_on_disconnect=True)
    async def waits(request, response):
        response.after(lambda: after.append(True))
        begun.set()
        await asyncio.Event().wait()

    server = Server(app, path="/waits")
    await begun.wait()
    server.give("http.disconnect")
    await server.task
    assert reports == [("/waits", "/waits", 400, 0)]
    await asyncio.sleep(0)
    assert after == [True]


async def test_size_sent_of_a_lost_stream_is_reported(app, reports):
    @app.route("/stream")
    async def stream(request, response):
        async def body():
            yield "abc"
            await asyncio.Event().wait()

        response.body = body()

    server = Server(app, path="/stream")
    await server.until("http.response.body")
    server.give("http.disconnect")
    await server.task
    assert reports == [("/stream", "/stream", 200, 3)]


async def test_websockets_are_reported_once(app, reports):
    server = websocket(app, mirror)
    server.give("websocket.receive", text="abc")
    await server.until("websocket.send")
    server.give("websocket.disconnect", code=1000)
    await server.task
    headers = [(b"origin", b"https://elsewhere.example")]
    refused = websocket(app, mirror, headers=headers, origins=["https://a.example"], replace=True)
    await refused.task
    assert reports == [("/ws", "/ws", 101, 3), ("/ws", "/ws", 403, 0)]


async def test_a_report_that_fails_harms_no_answer(app, caplog):
    def fail(request, response, size, seconds):
        raise ValueError("no disk")

    observe(app, fail)
    assert (await ask(app, "/missing"))[0] == 404
    assert "no disk" in caplog.text


async def test_access_log_has_the_responses_on_other_servers(app, tmp_path):
    log = access_log(app, tmp_path / "log", "json")
    await ask(app, "/missing")
    log.close()
    line = json.loads((tmp_path / "log").read_text())
    assert (line["peer"], line["path"], line["status"]) == ("192.0.2.1", "/missing", 404)


# The head.


def head(**scope):
    made = {"path": "/", "headers": [], "query_string": b"", **scope}
    return head_of(made)


@pytest.mark.parametrize(
    ("scope", "path", "query", "target"),
    [
        ({"path": "/a b", "raw_path": b"/a%20b"}, "/a b", "", b"/a%20b"),
        ({"path": "/a b\u00e9%"}, "/a b\u00e9%", "", b"/a%20b%C3%A9%25"),
        ({"path": "/a", "query_string": b"x=1"}, "/a", "x=1", b"/a?x=1"),
        ({"path": "/a", "raw_path": b"/a?x=1", "query_string": b"x=1"}, "/a", "x=1", b"/a?x=1"),
        ({"path": "/app/a", "root_path": "/app"}, "/a", "", b"/a"),
        ({"path": "/app", "root_path": "/app/"}, "/", "", b"/"),
        ({"path": "/apple", "root_path": "/app"}, "/apple", "", b"/apple"),
        ({"path": "/x", "root_path": "/app"}, "/x", "", b"/x"),
    ],
)
def test_target_is_below_the_root_path(scope, path, query, target):
    found = head(**scope)
    assert (found.path, found.query, found.target) == (path, query, target)


def seconds_of(count):
    fields = [(b"a", b"1")] * count
    begin = time.process_time()
    assert len(head(headers=fields).headers["A"]) == 3 * count - 2
    return time.process_time() - begin


def test_repeated_fields_are_joined_in_linear_time():
    """Before, 500,000 in one head took 12 seconds: some servers set no limit."""
    few, many = (min(seconds_of(count) for _ in range(3)) for count in (25_000, 400_000))
    assert many < 16 * few * 4


@pytest.mark.parametrize(
    ("field", "length"),
    [
        (b"5", 5),
        (b"0" * 5000 + b"5", 5),
        (b"0", 0),
        (b"9" * 18, 10**18 - 1),
        (b"9" * 5000, sys.maxsize),
        (b"-1", 0),
        (b"", 0),
        ("٣".encode(), 0),
    ],
)
def test_content_length_of_any_size_is_read(field, length):
    """Before, one of 5,000 digits was an error of the application."""
    assert head(headers=[(b"content-length", field)]).length == length


async def test_content_length_beyond_all_limits_is_a_413(app):
    @app.route("/", methods=["POST"])
    def view(request, response): ...

    server = Server(app, method="POST", headers=[(b"content-length", b"9" * 5000)])
    status, _, _ = await server.answer()
    assert status == 413


def test_fields_are_joined_and_raw_fields_are_kept():
    fields = [
        (b"X-A", b"1"),
        (b"x-a", b"2"),
        (b"cookie", b"a=1"),
        (b"cookie", b"b=2"),
        (b"l", b"\xe9"),
    ]
    found = head(headers=fields)
    assert found.headers == {"X-A": "1, 2", "COOKIE": "a=1; b=2", "L": "\u00e9"}
    assert found.block == b"X-A: 1\r\nx-a: 2\r\ncookie: a=1\r\ncookie: b=2\r\nl: \xe9\r\n\r\n"


async def test_client_and_scheme_are_those_of_the_scope(app):
    @app.route("/who")
    async def who(request, response):
        response.json = [request.client, request.scheme]

    _, _, body = await ask(app, "/who", scheme="https")
    assert json.loads(body) == [["192.0.2.1", 4000], "https"]
    _, _, body = await ask(app, "/who", client=None)
    assert json.loads(body) == [None, "http"]
    _, _, body = await ask(app, "/who", client=("/run/s", None))
    assert json.loads(body) == [None, "http"]


# The life of an application.


async def test_lifespan_starts_and_ends_the_application(app):
    seen = []
    app.listen("startup")(lambda: seen.append("up"))
    app.listen("shutdown")(lambda: seen.append("down"))
    server = Server(app, "lifespan")
    server.give("lifespan.startup")
    await server.until("lifespan.startup.complete")
    assert seen == ["up"]
    server.give("lifespan.shutdown")
    await server.until("lifespan.shutdown.complete")
    assert seen == ["up", "down"]
    await server.task


async def test_failed_startup_is_reported_to_the_server(app):
    @app.listen("startup")
    def fail():
        raise OSError("no database")

    server = Server(app, "lifespan")
    server.give("lifespan.startup")
    with pytest.raises(OSError, match="no database"):
        await server.task
    assert server.sent == [
        {"type": "lifespan.startup.failed", "message": "OSError('no database')"}
    ]


async def test_other_scopes_are_refused(app):
    with pytest.raises(ValueError, match="http, websocket and lifespan, not 'mqtt'"):
        await app({"type": "mqtt"}, print, print)


# Websockets.


def websocket(app, handler, path="/ws", headers=(), extensions=None, **extras):
    app.route("/ws", protocol="websocket", **extras)(handler)
    fields = [(b"host", b"example.org"), *headers]
    server = Server(app, "websocket", path=path, headers=fields, extensions=extensions)
    server.give("websocket.connect")
    return server


async def mirror(request, ws):
    async for message in ws:
        await ws.send(message)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ([], 426),
        (
            [
                (b"connection", b"upgrade"),
                (b"upgrade", b"websocket"),
                (b"sec-websocket-version", b"13"),
                (b"sec-websocket-key", b"dGhlIHNhbXBsZSBub25jZQ=="),
            ],
            501,  # the server has given it as HTTP: it has no websockets
        ),
    ],
)
async def test_plain_request_to_a_websocket_route_is_refused(app, headers, status):
    app.route("/ws", protocol="websocket")(mirror)
    server = Server(app, path="/ws", headers=[(b"host", b"x"), *headers])
    assert (await server.answer())[0] == status


async def test_websocket_is_accepted_and_talks(app):
    headers = [(b"sec-websocket-protocol", b"x, chat")]
    server = websocket(app, mirror, subprotocols=["chat"], headers=headers)
    accept = await server.until("websocket.accept")
    assert accept == {"type": "websocket.accept", "subprotocol": "chat", "headers": []}
    server.give("websocket.receive", text="a")
    server.give("websocket.receive", bytes=b"b")
    server.give("websocket.receive", text=None, bytes=b"c")
    await server.until_sent(4)
    server.give("websocket.disconnect", code=1000)
    await server.task
    assert server.sent[1:] == [
        {"type": "websocket.send", "text": "a"},
        {"type": "websocket.send", "bytes": b"b"},
        {"type": "websocket.send", "bytes": b"c"},
    ]


async def test_messages_follow_a_message_in_pieces_that_was_sent_before(app):
    async def pieces():
        for number in range(5):
            yield str(number)
            await asyncio.sleep(0)

    async def handler(request, ws):
        sends = [ws.send(pieces()), *(ws.send(str(number)) for number in range(5, 9))]
        await asyncio.gather(*sends)

    server = websocket(app, handler)
    await server.until("websocket.close")
    texts = [message["text"] for message in server.sent if message["type"] == "websocket.send"]
    assert texts == ["01234", "5", "6", "7", "8"]
    server.give("websocket.disconnect", code=1000)
    await server.task


async def test_pieces_may_send_a_message_before_the_first_of_them_only(app):
    async def none():
        return
        yield

    async def pieces(ws):
        await ws.send("before")
        with pytest.raises(RuntimeError, match="cannot send another message"):
            await ws.send(none())
        yield "first"
        with pytest.raises(RuntimeError, match="cannot send another message"):
            await ws.send("within")
        yield "last"

    async def handler(request, ws):
        await ws.send(pieces(ws))
        await ws.send("after")

    server = websocket(app, handler)
    await server.until("websocket.close")
    texts = [message["text"] for message in server.sent if message["type"] == "websocket.send"]
    assert texts == ["before", "firstlast", "after"]
    server.give("websocket.disconnect", code=1000)
    await server.task


@pytest.mark.parametrize(("code", "seen"), [(1000, 1000), (None, 1005), ("silent", 1006)])
async def test_failed_send_of_the_server_is_the_end_of_the_connection(
    app, caplog, monkeypatch, code, seen
):
    """ASGI 2.4: `send` raises an OSError when the client has gone."""
    monkeypatch.setattr("roll.asgi.websocket.REPORT_SECONDS", 0.01)
    accepted = asyncio.Event()
    left = asyncio.Event()
    ends = []

    @app.listen("websocket_disconnect")
    async def ended(request, ws):
        ends.append(ws.close_code)

    @app.route("/gone", protocol="websocket")
    async def handler(request, ws):
        with pytest.raises(ConnectionClosed) as closed:
            await ws.send("tick")
        ends.append(closed.value.code)
        raise closed.value

    async def receive():
        if not accepted.is_set():
            accepted.set()
            return {"type": "websocket.connect"}
        await (asyncio.Event() if code == "silent" else left).wait()
        return {"type": "websocket.disconnect", "code": code}

    async def send(message):
        if message["type"] != "websocket.accept":
            left.set()
            raise OSError("gone")

    fields = [(b"host", b"example.org")]
    await app(
        {"type": "websocket", "path": "/gone", "headers": fields, "query_string": b""},
        receive,
        send,
    )
    assert ends == [seen, seen]
    assert not caplog.records


@pytest.mark.parametrize("accepts", [False, True])
async def test_disconnect_before_a_mounted_application_accepts_is_noticed(app, caplog, accepts):
    """Before, its `receive` waited for ever, and uvicorn with it."""
    seen = []

    async def mounted(scope, receive, send):
        if scope["type"] != "websocket":
            raise ValueError(scope["type"])
        seen.append(await receive())
        seen.append(await receive())
        if accepts:
            await send({"type": "websocket.accept"})

    app.mount("/m", mounted)
    server = Server(app, "websocket", path="/m")
    server.give("websocket.connect")
    while not seen:
        await asyncio.sleep(0)
    server.give("websocket.disconnect", code=1006)
    async with asyncio.timeout(20):
        await server.task
    assert [message["type"] for message in seen] == ["websocket.connect", "websocket.disconnect"]
    assert accepts or not server.sent
    assert not caplog.records


async def test_mounted_application_that_asks_before_it_accepts_gets_all_messages(app):
    async def mounted(scope, receive, send):
        if scope["type"] != "websocket":
            raise ValueError(scope["type"])
        await receive()
        asking = asyncio.ensure_future(receive())
        await asyncio.sleep(0)
        await send({"type": "websocket.accept"})
        for message in (await asking, await receive()):
            await send({"type": "websocket.send", "text": message["text"]})

    app.mount("/m", mounted)
    server = Server(app, "websocket", path="/m")
    server.give("websocket.connect")
    await server.until("websocket.accept")
    server.give("websocket.receive", text="a")
    server.give("websocket.receive", text="b")
    await server.until_sent(3)
    assert [one.get("text") for one in server.sent[1:3]] == ["a", "b"]
    server.give("websocket.disconnect", code=1000)
    await server.task


@pytest.mark.parametrize("wrong", [OSError("gone"), RuntimeError("odd"), {"type": "odd"}])
async def test_receive_that_fails_is_the_end_of_the_connection(app, caplog, wrong):
    """Before, the handler waited for ever."""
    ends = []

    @app.route("/wait", protocol="websocket")
    async def handler(request, ws):
        with pytest.raises(ConnectionClosed) as closed:
            await ws.recv()
        ends.append(closed.value.code)

    messages = [wrong, {"type": "websocket.connect"}]

    async def receive():
        message = messages.pop()
        if isinstance(message, Exception):
            raise message
        return message

    async def send(message):
        assert message["type"] == "websocket.accept"

    fields = [(b"host", b"example.org")]
    scope = {"type": "websocket", "path": "/wait", "headers": fields, "query_string": b""}
    async with asyncio.timeout(20):
        await app(scope, receive, send)
    assert ends == [1006]
    assert "The server failed to give the next message of a websocket" in caplog.text


@pytest.mark.parametrize("error", [OSError, ValueError])
async def test_close_that_fails_is_an_error_of_the_server_unless_the_client_has_gone(
    app, caplog, error
):
    """daphne refuses some codes; an OSError says that the client has gone (ASGI 2.4)."""
    messages = [{"type": "websocket.connect"}]

    @app.route("/short", protocol="websocket")
    async def handler(request, ws):
        """Return at once."""

    async def receive():
        return messages.pop() if messages else await asyncio.Event().wait()

    async def send(message):
        if message["type"] == "websocket.close":
            raise error("no close")

    fields = [(b"host", b"example.org")]
    scope = {"type": "websocket", "path": "/short", "headers": fields, "query_string": b""}
    expected = contextlib.nullcontext() if error is OSError else pytest.raises(error)
    with expected:
        await app(scope, receive, send)
    assert bool(caplog.records) == (error is ValueError)


async def test_send_that_fails_after_the_end_of_the_handler_is_the_end_of_the_connection(app):
    begun, go_on, found = asyncio.Event(), asyncio.Event(), []

    @app.route("/task", protocol="websocket")
    async def handler(request, ws):
        async def late():
            with pytest.raises(ConnectionClosed):
                await ws.send("late")
            found.append(ws.close_code)

        tasks.append(asyncio.ensure_future(late()))
        await begun.wait()

    async def receive():
        return messages.pop() if messages else await asyncio.Event().wait()

    async def send(message):
        if message["type"] == "websocket.send":
            begun.set()
            await go_on.wait()
            raise OSError("gone")

    tasks, messages = [], [{"type": "websocket.connect"}]
    fields = [(b"host", b"example.org")]
    await app(
        {"type": "websocket", "path": "/task", "headers": fields, "query_string": b""},
        receive,
        send,
    )
    go_on.set()
    await tasks[0]
    assert found == [1000]


async def test_message_in_pieces_ends_when_the_client_leaves(app):
    """Before, it collected pieces for ever."""
    closed = asyncio.Event()

    async def pieces():
        try:
            while True:
                yield "piece"
                await asyncio.sleep(0)
        finally:
            closed.set()

    async def handler(request, ws):
        await ws.send(pieces())

    server = websocket(app, handler)
    await server.until("websocket.accept")
    server.give("websocket.disconnect", code=1001)
    await server.task
    assert closed.is_set()
    assert [message["type"] for message in server.sent] == ["websocket.accept"]


async def test_fields_of_the_response_are_in_the_handshake(app):
    @app.listen("headers")
    def mark(response):
        response.headers["X-Mark"] = "1"
        response.cookies.set("a", "b")

    server = websocket(app, mirror, subprotocols="chat")
    accept = await server.until("websocket.accept")
    assert accept["headers"] == [(b"x-mark", b"1"), (b"set-cookie", b"a=b; Path=/")]
    assert accept["subprotocol"] is None
    server.give("websocket.disconnect", code=1001)
    await server.task


REFUSED = {"websocket.http.response": {}}


async def test_refusal_is_a_response_where_the_server_can_send_it(app):
    server = websocket(app, mirror, path="/none", extensions=REFUSED)
    await server.task
    start, body = server.sent
    assert (start["type"], start["status"]) == ("websocket.http.response.start", 404)
    assert body == {"type": "websocket.http.response.body", "body": b"/none"}


async def test_refusal_is_a_close_elsewhere(app):
    server = websocket(app, mirror, path="/none")
    await server.task
    assert server.sent == [{"type": "websocket.close"}]


@pytest.mark.parametrize(
    ("origin", "status"), [(b"https://evil.example", 403), (b"https://a.org", None), (None, None)]
)
async def test_origin_is_checked(app, origin, status):
    headers = [(b"origin", origin)] if origin else []
    server = websocket(app, mirror, origins="https://a.org", headers=headers, extensions=REFUSED)
    server.give("websocket.disconnect", code=1000)
    await server.task
    assert server.sent[0].get("status") == status


def test_origin_may_be_a_pattern():
    import re

    assert is_origin("https://a.org", re.compile(r"https://[a-z]\.org"))
    assert not is_origin("https://a.org.evil", re.compile(r"https://[a-z]\.org"))


async def closed_with(app, handler, *messages):
    """Return the close message of a websocket."""
    server = websocket(app, handler)
    for message in messages:
        server.give("websocket.receive", text=message)
    await server.task
    return server.sent[-1]


async def test_handler_that_ends_closes_with_1000(app):
    async def handler(request, ws):
        assert not ws.closed
        assert (ws.close_code, ws.close_reason, ws.latency) == (None, None, None)

    found = await closed_with(app, handler)
    assert found == {"type": "websocket.close", "code": 1000, "reason": ""}


async def test_handler_that_raises_closes_with_1011(app, caplog):
    async def handler(request, ws):
        raise ValueError("secret")

    found = await closed_with(app, handler)
    assert (found["code"], found["reason"]) == (1011, "Handler died prematurely.")
    assert "secret" in caplog.text


async def test_message_that_is_not_json_closes_with_1007(app):
    async def handler(request, ws):
        async for value in ws.iter_json():
            await ws.send_json(value)

    found = await closed_with(app, handler, "[1]", "{")
    assert found["code"] == 1007


async def test_handler_may_close(app):
    async def handler(request, ws):
        await ws.close(4001, "enough")
        assert (ws.closed, ws.close_code, ws.close_reason) == (True, 4001, "enough")
        with pytest.raises(ConnectionClosed):
            await ws.recv()
        with pytest.raises(ConnectionClosed):
            await ws.send("late")
        await ws.close()

    found = await closed_with(app, handler)
    assert found == {"type": "websocket.close", "code": 4001, "reason": "enough"}


@pytest.mark.parametrize(
    ("code", "reason"), [(1005, ""), (1000, "x" * 124), ("1000", ""), (1000, 5)]
)
async def test_close_that_cannot_be_sent_is_refused(app, code, reason):
    async def handler(request, ws):
        with pytest.raises((ValueError, TypeError)):
            await ws.close(code, reason)

    assert (await closed_with(app, handler))["code"] == 1000


async def test_each_reader_gets_the_end_of_the_connection(app):
    seen = []

    async def handler(request, ws):
        for _ in range(2):
            try:
                await ws.recv()
            except ConnectionClosed as error:
                seen.append((error.code, error.reason))
        await ws.recv()

    server = websocket(app, handler)
    server.give("websocket.disconnect", code=1001, reason="bye")
    await server.task
    assert seen == [(1001, "bye"), (1001, "bye")]


async def test_iteration_raises_for_an_end_that_is_an_error(app):
    seen = []

    async def handler(request, ws):
        try:
            async for _ in ws:
                pass
        except ConnectionClosed as error:
            seen.append(error.code)
        try:
            async for _ in ws.iter_json():
                pass
        except ConnectionClosed as error:
            seen.append(error.code)

    server = websocket(app, handler)
    server.give("websocket.disconnect")
    await server.task
    assert seen == [1005, 1005]


async def test_iteration_over_json_ends_with_the_connection(app):
    seen = []

    async def handler(request, ws):
        seen.extend([value async for value in ws.iter_json()])

    server = websocket(app, handler)
    server.give("websocket.receive", text="[1]")
    server.give("websocket.receive", bytes=b"2")
    server.give("websocket.disconnect", code=1000)
    await server.task
    assert seen == [[1], 2]


async def test_peer_that_leaves_while_this_side_closes_is_not_lost(app):
    async def handler(request, ws):
        await ws.close()
        server.give("websocket.disconnect", code=1000)
        while not server.messages.empty():
            await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert not request.protocol.gone

    server = websocket(app, handler)
    await server.task
    assert server.sent[-1]["code"] == 1000


async def test_connection_error_of_something_else_is_an_error(app, caplog):
    async def handler(request, ws):
        raise ConnectionClosed(1000, "of another websocket")

    assert (await closed_with(app, handler))["code"] == 1011
    assert "of another websocket" in caplog.text


async def test_messages_of_many_kinds_are_sent(app):
    async def pieces():
        yield "a"
        yield "b"

    async def parts():
        yield b"c"
        yield b"d"

    async def none():
        return
        yield

    async def handler(request, ws):
        for data in (bytearray(b"1"), memoryview(b"2"), pieces(), parts(), none()):
            await ws.send(data)
        with pytest.raises(TypeError, match="A message is str or bytes, not int"):
            await ws.send(5)
        await ws.pong()
        with pytest.raises(NotImplementedError, match="ASGI has no pings"):
            await ws.ping()

    server = websocket(app, handler)
    await server.task
    sent = [one.get("text") or one.get("bytes") for one in server.sent[1:-1]]
    assert sent == [b"1", b"2", "ab", b"cd"]


async def test_message_may_be_read_as_a_stream(app):
    async def handler(request, ws):
        async for piece in ws.stream():
            await ws.send(piece)

    server = websocket(app, handler)
    server.give("websocket.receive", text="whole")
    await server.task
    assert server.sent[1] == {"type": "websocket.send", "text": "whole"}


async def test_request_is_seen_from_the_websocket(app):
    seen = []

    async def handler(request, ws):
        seen.append((ws.path, ws.query_string, ws.headers["HOST"], ws.client))
        seen.append(await request.disconnected())

    app.route("/ws", protocol="websocket")(handler)
    server = Server(app, "websocket", path="/ws", query_string=b"a=b")
    server.give("websocket.connect")
    await server.task
    assert seen == [("/ws", "a=b", "example.org", ("192.0.2.1", 4000)), False]


async def test_handler_that_is_cancelled_on_disconnect(app):
    cancelled = asyncio.Event()

    async def handler(request, ws):
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise

    server = websocket(app, handler, cancel_on_disconnect=True)
    await server.until("websocket.accept")
    server.give("websocket.disconnect", code=1006)
    await asyncio.wait([server.task])
    assert cancelled.is_set()


async def test_events_of_websockets_are_sent(app):
    seen = []
    app.listen("websocket_connect")(lambda request, ws: seen.append("connect"))
    app.listen("websocket_disconnect")(lambda request, ws: seen.append("disconnect"))

    async def handler(request, ws):
        seen.append("handler")
        ws.shutdown()
        while not ws.closed:
            await asyncio.sleep(0)

    found = await closed_with(app, handler)
    assert seen == ["connect", "handler", "disconnect"]
    assert found["code"] == 1001


async def test_client_that_leaves_before_the_accept_is_not_logged(app, caplog):
    app.route("/ws", protocol="websocket")(mirror)

    async def receive():
        return {"type": "websocket.connect"}

    async def send(message):
        raise OSError("gone")

    scope = {"type": "websocket", "path": "/ws", "headers": [], "query_string": b""}
    await app(scope, receive, send)
    await app({**scope, "path": "/none"}, receive, send)


# Applications of others, mounted in one that another server runs.


async def read_all(receive):
    data, more = b"", True
    while more:
        message = await receive()
        data += message.get("body", b"")
        more = message.get("more_body", False)
    return data


async def inner(scope, receive, send):
    """An application of ASGI: echoes, streams, websockets."""
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        message = await receive()
        await send({"type": "websocket.send", "text": message["text"].upper()})
        return
    start = {"type": "http.response.start", "status": 200}
    if scope["path"].endswith("/stream"):
        await send({**start, "headers": [(b"content-type", b"text/plain")]})
        for piece in (b"one", b"", b"two"):
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body"})
    elif scope["path"].endswith("/cut"):
        await send({**start, "headers": [(b"content-length", b"9")]})
        await send({"type": "http.response.body", "body": b"one", "more_body": True})
    else:
        data = await read_all(receive)
        await send({**start, "headers": [(b"x-path", scope["path"].encode())]})
        await send({"type": "http.response.body", "body": data})


@pytest.fixture
def outer(app):
    app.mount("/inner", inner)
    return app


async def test_mounted_application_is_served(outer):
    status, headers, body = await ask(outer, "/inner/x", body=b"sent", method="POST")
    assert (status, body) == (200, b"sent")
    assert headers[b"x-path"] == b"/inner/x"


async def test_mounted_application_streams(outer):
    answered = []
    outer.listen("answered")(lambda request, response: answered.append(response.status.value))
    status, headers, body = await ask(outer, "/inner/stream")
    assert (status, headers[b"content-type"], body) == (200, b"text/plain", b"onetwo")
    status, _, body = await ask(outer, "/inner/stream", method="HEAD")
    assert (status, body) == (200, b"")


async def test_mounted_application_that_ends_within_its_response_sends_no_end(outer, caplog):
    server = Server(outer, path="/inner/cut")
    await server.task
    assert [message["type"] for message in server.sent] == [
        "http.response.start",
        "http.response.body",
    ]
    assert "its last 'http.response.body' has `more_body`" in caplog.text


async def test_mounted_application_has_websockets(outer):
    server = Server(outer, "websocket", path="/inner/ws", subprotocols=[])
    server.give("websocket.connect")
    await server.until("websocket.accept")
    server.give("websocket.receive", text="shout")
    assert (await server.until("websocket.send"))["text"] == "SHOUT"
    await server.task


async def test_mounted_application_gets_the_disconnect(app):
    got = asyncio.get_running_loop().create_future()

    async def waits(scope, receive, send):
        await receive()
        got.set_result(await receive())

    app.mount("/inner", waits)
    server = Server(app, path="/inner")
    server.give("http.disconnect")
    assert await got == {"type": "http.disconnect"}
    await server.task
