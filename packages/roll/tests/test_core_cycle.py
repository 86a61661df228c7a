"""The native cycle answers like the Python cycle, and is not used where that is overridden."""

from __future__ import annotations

import asyncio
import os
import re
import sys
import warnings
from typing import ClassVar

import pytest

import roll_http
from roll import HttpError, Roll, _core
from roll.application import Routes
from roll_routing import Route

if not roll_http.is_native:
    pytest.skip("the Python path is active", allow_module_level=True)


class Memory(asyncio.Transport):
    """Keeps what is written."""

    def __init__(self, protocol):
        super().__init__()
        self.written = []
        protocol.connection_made(self)
        self.protocol = protocol

    def write(self, data):
        self.written.append(bytes(data))

    def get_write_buffer_size(self):
        return 0

    def is_closing(self):
        return False

    def pause_reading(self):
        pass

    def resume_reading(self):
        pass


class Client:
    """One connection that stays open."""

    def __init__(self, app):
        self.transport = Memory(app.factory())

    async def ask(self, path="/", method="GET", body=b""):
        """Send a request in a callback of the loop; return the answer."""
        self.transport.written.clear()
        loop = asyncio.get_running_loop()
        delivered = loop.create_future()
        length = f"Content-Length: {len(body)}\r\n" if body else ""
        data = f"{method} {path} HTTP/1.1\r\nHost: a\r\n{length}\r\n".encode() + body

        def call():
            self.transport.protocol.data_received(data)
            delivered.set_result(None)

        loop.call_soon(call)
        await delivered
        # Until the request has ended: the handlers above wait for some turns of the loop.
        for _ in range(100):
            if self.transport.protocol.request is not None:
                await asyncio.sleep(0)
        return re.sub(r"Date: [^\r]*\r\n", "", b"".join(self.transport.written).decode())


def make_app(make=Roll):  # noqa: C901 - each handler is short
    app = make()

    @app.route("/")
    async def index(request, response):
        response.body = "index"

    @app.route("/plain")
    def plain(request, response):
        response.body = b"plain"

    @app.route("/user/{name}")
    async def user(request, response, name):
        response.json = {"name": name, "route": request.route.vars, "task": 1}

    @app.route("/number/{number}")
    async def number(request, response, number: int):
        response.body = repr(number)

    @app.route("/echo", methods=["POST", "PUT"])
    async def echo(request, response):
        response.body = request.body

    @app.route("/lazy", methods=["POST"], lazy_body=True)
    async def lazy(request, response):
        response.body = await request.read()

    @app.route("/small", methods=["POST"], max_body=3)
    async def small(request, response):
        response.body = request.body

    @app.route("/waits")
    async def waits(request, response):
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        response.body = "waited"

    @app.route("/fails-late")
    async def fails_late(request, response):
        await asyncio.sleep(0)
        raise HttpError(409, "late")

    @app.route("/fails")
    async def fails(request, response):
        raise HttpError(418, "teapot")

    @app.route("/stream")
    async def stream(request, response):
        response.body = iter(["a", "b"])

    @app.route("/later")
    def later(request, response):
        async def work():
            response.body = "later"

        return work()

    @app.route("/future")
    def future(request, response):
        future = asyncio.get_running_loop().create_future()
        future.set_result(None)
        response.body = "future"
        return future

    return app


REQUESTS = [
    *(("/",), ("/plain",), ("/user/ada%20b",), ("/number/7",), ("/number/x",), ("/missing",)),
    *(("/echo",), ("/echo", "POST", b"abc"), ("/echo", "PUT"), ("/lazy", "POST", b"abc")),
    *(("/small", "POST", b"abc"), ("/small", "POST", b"abcd"), ("/waits",), ("/fails",)),
    *(("/fails-late",), ("/stream",), ("/later",), ("/future",), ("/", "OPTIONS"), ("/", "HEAD")),
    *(("/", "DELETE"), ("/plain/",), ("/%2Fplain",)),
]


class InPython(Roll):
    """An application whose cycle is overridden, by the same."""

    def __call__(self, request, response):
        return super().__call__(request, response)


@pytest.mark.parametrize("request_", REQUESTS, ids=lambda request: " ".join(map(str, request)))
async def test_an_answer_is_that_of_the_cycle_in_python(request_):
    expected = await Client(make_app(InPython)).ask(*request_)
    assert expected.startswith("HTTP/1.1 ")
    assert await Client(make_app()).ask(*request_) == expected


def note(request, response):
    response.headers["X-Note"] = len(request.path)


async def note_later(request, response):
    await asyncio.sleep(0)
    note(request, response)


def to_the_plain_page(request, response):
    request.route = request.app.lookup(request) or request.route
    if request.route.payload is not None and request.path == "/user/ada":
        request.route = Route(request.route.payload, {"name": "other"})


def answer(request, response):
    response.body = "answered by a listener"
    return True


async def answer_later(request, response):
    return answer(request, response)


def refuse(request, response):
    raise HttpError(403, "refused")


async def refuse_later(request, response):
    await asyncio.sleep(0)
    refuse(request, response)


def fail(request, response):
    raise ZeroDivisionError


def have_late_work(request, response):
    response.after(lambda: None)
    response.etag = "a"


def give_nothing(request, response):
    return 0


def stream(request, response):
    response.body = iter(["a", "b"])


LISTENERS = [
    *(note, note_later, to_the_plain_page, answer, answer_later, refuse, refuse_later, fail),
    *(
        have_late_work,
        give_nothing,
        stream,
        lambda request, response: note_later(request, response),  # noqa: PLW0108 - a plain function
    ),
]
HEARD = [
    *(("/",), ("/plain",), ("/user/ada",), ("/number/7",), ("/number/x",), ("/missing",)),
    *(("/echo", "POST", b"abc"), ("/lazy", "POST", b"abc"), ("/small", "POST", b"abcd")),
    *(("/waits",), ("/fails",), ("/fails-late",), ("/stream",), ("/later",), ("/", "DELETE")),
]


@pytest.mark.parametrize("listener", LISTENERS, ids=lambda listener: listener.__name__)
@pytest.mark.parametrize("event", ["headers", "request", "response"])
async def test_listeners_are_heard_as_in_the_cycle_in_python(event, listener, caplog):
    caplog.set_level("CRITICAL", "roll")
    apps = [make_app(), make_app(InPython)]
    for app in apps:
        app.listen(event)(listener)
        app.listen(event)(note)
        for name in ("headers", "request", "response"):
            app.listen(name)(lambda request, response: None)
    for request in HEARD:
        answer, expected = [await Client(app).ask(*request) for app in apps]
        assert answer == expected


async def test_plain_listeners_keep_the_cycle_out_of_python(app, client):
    frames = []
    for event in ("headers", "request", "response"):
        app.listen(event)(note)

    @app.listen("response")
    def look(request, response):
        frame = sys._getframe()
        while frame is not None:
            frames.append(frame.f_code.co_name)
            frame = frame.f_back

    assert "X-Note: 6\r\n" in await client.ask("/plain")
    assert "look" in frames
    assert not {"_cycle", "hook"} & set(frames)


@pytest.mark.parametrize("kind", ["returns", "streams", "listens", "uploads", "fails"])
async def test_steps_after_a_wait_equal_those_of_the_python_cycle(kind, caplog):
    caplog.set_level("CRITICAL", "roll")
    answers = []
    for make in (Roll, InPython):
        app = make_app(make)

        @app.route("/behind")
        async def behind(request, response, app=app):
            await asyncio.sleep(0)
            if kind == "returns":
                return {"a": 1}
            if kind == "streams":
                response.body = iter("ab")
            if kind == "listens":
                app.listen("response")(note)
            if kind == "uploads":
                response.etag = "b"
            if kind == "fails":
                raise ZeroDivisionError
            return None

        with warnings.catch_warnings(record=True) as told:
            answers.append((await Client(app).ask("/behind"), len(told)))
    assert answers[0] == answers[1]


async def test_a_task_shows_where_its_handler_waits(app, client):
    seen = []

    @app.route("/stack")
    async def handler(request, response):
        task = asyncio.current_task()
        asyncio.get_running_loop().call_soon(look, task)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        response.body = "done"

    def look(task):
        seen.extend([repr(task), [frame.f_code.co_name for frame in task.get_stack()]])

    assert (await client.ask("/stack")).endswith("done")
    assert "handler" in seen[0]
    assert seen[1] == ["handler"]


async def test_a_handler_whose_task_is_destroyed_is_closed(app, client):
    ended = []

    @app.route("/left")
    async def handler(request, response):
        response.after(lambda: None)
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            ended.append(response.status)

    delivered = asyncio.get_running_loop().create_future()

    def call():
        protocol = client.transport.protocol
        protocol.data_received(b"GET /left HTTP/1.1\r\nHost: a\r\n\r\n")
        response = protocol.response
        protocol.exchange.task.get_coro().close()
        delivered.set_result(response)

    asyncio.get_running_loop().call_soon(call)
    response = await delivered
    assert ended == [200]
    assert response.status == 503


async def test_the_core_goes_through_the_cycle_of_common_requests(monkeypatch):
    cycles = []
    original = Roll._cycle

    async def counted(self, request, response, routed=False):
        cycles.append(request.path)
        return await original(self, request, response, routed)

    app = make_app()
    client = Client(app)
    for path in ("/", "/plain", "/user/a", "/number/7", "/missing", "/waits"):
        app_class = type(app)
        assert app_class.__answer_now__ is _core.answer_now
        await client.ask(path)
    monkeypatch.setattr(Roll, "_cycle", counted)  # which the core then sees as an override
    await client.ask("/plain")
    assert cycles == ["/plain"]


# Changes while a connection is open: the next request sees them.


@pytest.fixture
async def app():
    class Own(Roll):
        pass

    return make_app(Own)


@pytest.fixture
async def client(app):
    client = Client(app)
    assert (await client.ask()).endswith("\r\n\r\nindex")
    return client


async def test_route_added_later_is_found(app, client):
    assert "404" in await client.ask("/new")

    @app.route("/new")
    async def new(request, response):
        response.body = "new"

    assert (await client.ask("/new")).endswith("\r\n\r\nnew")


@pytest.mark.parametrize("event", ["headers", "request", "response"])
async def test_listener_added_later_is_called(app, client, event):
    seen = []

    @app.listen(event)
    def listener(request, response):
        seen.append(request.path)

    await client.ask("/plain")
    assert seen == ["/plain"]
    app.hooks[event].clear()
    del app.hooks[event]
    await client.ask("/plain")
    assert seen == ["/plain"]


async def test_a_listener_of_responses_that_a_handler_adds_is_called(app, client):
    seen = []

    @app.route("/listens")
    async def listens(request, response):
        app.listen("response")(lambda request, response: seen.append(request.path))

    await client.ask("/listens")
    assert seen == ["/listens"]


async def test_a_listener_of_errors_is_called(app, client):
    @app.listen("error")
    def listener(request, response, error):
        response.body = f"{error.status}!"

    assert (await client.ask("/fails")).endswith("\r\n\r\n418!")
    assert (await client.ask("/missing")).endswith("\r\n\r\n404!")


def to_plain(app):
    def lookup(request):
        payload, variables = app.routes.match("/plain")
        request.route = Route(payload, variables)

    return lookup


@pytest.mark.parametrize("of", ["instance", "class"])
async def test_a_lookup_that_is_overridden_later_is_called(app, client, of):
    lookup = to_plain(app)
    if of == "class":
        type(app).lookup = lambda self, request: lookup(request)
    else:
        app.lookup = lookup
    assert (await client.ask()).endswith("\r\n\r\nplain")
    if of == "class":
        del type(app).lookup
    else:
        del app.lookup
    assert (await client.ask()).endswith("\r\n\r\nindex")


class Traced(Route):
    __slots__ = ()
    seen: ClassVar[list[object]] = []

    def __new__(cls, payload, variables):
        cls.seen.append(variables)
        return super().__new__(cls, payload, variables)


@pytest.mark.parametrize("of", ["instance", "class"])
async def test_route_class_set_later_is_used(app, client, of):
    Traced.seen.clear()
    (app if of == "instance" else type(app)).Route = Traced
    await client.ask("/user/ada")
    assert Traced.seen == [{"name": "ada"}]


async def test_a_call_that_is_overridden_later_is_called(app, client):
    async def call(self, request, response):
        response.body = "called"
        return response

    type(app).__call__ = call
    assert (await client.ask()).endswith("\r\n\r\ncalled")


async def test_another_router_is_used(app, client):
    class Always:
        def match(self, path):
            return app_routes.match("/plain")

    app_routes, app.routes = app.routes, Always()
    assert (await client.ask()).endswith("\r\n\r\nplain")


async def test_another_router_may_give_other_mappings(app, client):
    class Lists:
        def match(self, path):
            payload, variables = routes.match(path)
            return [payload, variables]

    routes, app.routes = app.routes, Lists()
    assert isinstance(routes, Routes)
    assert (await client.ask("/user/ada")).endswith(
        '{"name":"ada","route":{"name":"ada"},"task":1}'
    )
    assert "404" in await client.ask("/missing")


async def test_slashes_and_aliases_that_come_later_count(app, client):
    assert "404" in await client.ask("/plain/")
    app.strict_slashes = False
    assert "308" in await client.ask("/plain/")

    @app.route("/user/{other}", methods=["POST"])
    async def other(request, response, other):
        response.body = other

    assert (await client.ask("/user/ada", "POST")).endswith("\r\n\r\nada")
    assert '"name":"ada"' in await client.ask("/user/ada")


async def test_a_handler_that_is_put_straight_into_the_router_is_called(app, client):
    app.routes.add("/straight", GET=lambda request, response: setattr(response, "body", "it"))
    assert (await client.ask("/straight")).endswith("\r\n\r\nit")


async def test_an_overridden_loading_of_bodies_is_used(app, client):
    class Loud(Roll.Request):
        async def load_body(self):
            self._body = b"loud"

    app.Request = Loud
    assert (await client.ask("/echo", "POST", b"abc")).endswith("\r\n\r\nloud")


async def test_result_that_looks_like_an_answer_causes_a_warning(app, client):
    @app.route("/returns")
    async def returns(request, response):
        return {"a": 1}

    with pytest.warns(UserWarning, match="response.json"):
        await client.ask("/returns")


async def test_log_of_an_invalid_body_names_its_handler(app, client, caplog):
    @app.route("/wrong")
    async def wrong(request, response):
        response.body = {"a": 1}

    assert "500" in await client.ask("/wrong")
    assert "wrong" in caplog.text


async def test_the_task_is_the_same_before_and_after_a_wait(app, client):
    tasks = []

    @app.route("/tasks")
    async def handler(request, response):
        tasks.append(asyncio.current_task())
        await asyncio.sleep(0)
        tasks.append(asyncio.current_task())
        async with asyncio.timeout(10):
            await asyncio.sleep(0)
        response.body = "done"

    assert (await client.ask("/tasks")).endswith("done")
    assert tasks[0] is tasks[1]


async def test_a_cancelled_handler_ends(app, client):
    ended = []

    @app.route("/cancelled")
    async def handler(request, response):
        try:
            asyncio.current_task().cancel()
            await asyncio.sleep(10)
        finally:
            ended.append(True)

    assert await client.ask("/cancelled") == ""
    assert ended == [True]


def test_an_application_goes_without_a_cycle_that_was_not_built(monkeypatch):
    def refuse(name):
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(_core, "import_module", refuse)
    assert _core._load() is None


def test_the_core_is_active_where_it_has_to_be():
    if os.environ.get("ROLL_CORE") == "1":
        assert _core.answer_now is not None
