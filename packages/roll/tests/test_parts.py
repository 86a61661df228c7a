"""The parts of an application: classes of other packages fit, and mistakes are errors."""

import asyncio
import json
import re
import types
import warnings
from functools import partial
from http.cookies import SimpleCookie
from urllib.parse import unquote

import autoroutes
import pytest
import ujson
from werkzeug.datastructures import MultiDict

import roll
import roll_http
from roll import (
    Files,
    HttpError,
    HTTPProtocol,
    Request,
    Response,
    Roll,
    RollWarning,
    WSProtocol,
    part_checks,
    part_trials,
    parts,
)
from roll.extensions import logger
from roll.old_hooks import OLD_HOOKS, base_of
from roll.testing import Client, LiveClient
from roll.testing.encoding import encode_multipart
from roll_multipart import LimitError

URLENCODED = "application/x-www-form-urlencoded"


def client_of(**attributes):
    """Return a client of an application with these parts."""
    return Client(type("Mine", (Roll,), attributes)())


# Forms, queries and files.


class Adding:
    """Pairs, which only `add` changes: not even a dict."""

    def __init__(self, mapping=None):
        assert not mapping, "a class with `add` is made empty"
        self.pairs = []

    def add(self, key, value):
        self.pairs.append((key, value))

    def __bool__(self):
        return bool(self.pairs)

    def all(self, key):
        return [value for name, value in self.pairs if name == key]


class Upper(dict):
    """A dict with values in upper case, however they come."""

    def __init__(self, mapping):
        super().__init__({key: [v.upper() for v in values] for key, values in mapping.items()})

    def setdefault(self, key, default):
        return super().setdefault(key, Shouting(default))


class Shouting(list):
    def append(self, value):
        super().append(value.upper())


def make_multidict(mapping):
    return MultiDict(mapping)


CONTAINERS = {
    "werkzeug": (MultiDict, MultiDict.getlist, ["1", "2"]),
    "add": (Adding, Adding.all, ["1", "2"]),
    "dict": (dict, dict.get, ["1", "2"]),
    "function": (make_multidict, MultiDict.getlist, ["1", "2"]),
    "lists": (Upper, dict.get, ["1", "2"]),
}


@pytest.mark.parametrize("part", ["Form", "Query"])
@pytest.mark.parametrize("kind", CONTAINERS)
@pytest.mark.parametrize("content_type", [URLENCODED, "multipart/form-data"])
async def test_foreign_container_has_the_same_values_from_any_kind_of_form(
    part, kind, content_type
):
    make, read, expected = CONTAINERS[kind]
    make = staticmethod(make) if kind == "function" else make
    client = client_of(**{part: make})
    seen = []

    @client.app.route("/", methods=["POST"])
    def view(request, response):
        seen.append(read(getattr(request, part.lower()), "a"))

    data = {"a": ["1", "2"], "b": "3"}
    response = await client.post("/?a=1&b=3&a=2", data, content_type=content_type)
    assert (response.status, seen) == (200, [expected])


class Bag:
    """Files, which only `add` changes."""

    def __init__(self):
        self.found = []

    def add(self, key, value):
        self.found.append(value)


@pytest.mark.parametrize("make", [MultiDict, dict, Bag])
@pytest.mark.parametrize("lazy", [False, True])
async def test_foreign_files_are_filled_and_closed_at_the_end(make, lazy):
    client = client_of(Files=make)
    seen = []

    @client.app.route("/", methods=["POST"], lazy_body=lazy)
    async def view(request, response):
        await request.load_form()
        files = request.files
        found = files.found if make is Bag else files["f"]
        seen.append(found[0] if isinstance(found, list) else found)
        response.body = str(len(seen[0].read()))

    size = 2**21  # on disk, which is why it is closed
    response = await client.post("/", {}, files={"f": (b"x" * size, "f.bin")})
    assert response.body == b"%d" % size
    assert seen[0].closed


@pytest.fixture
def made(monkeypatch):
    """The containers of files that are made while bodies are parsed."""
    found = []

    class Noted(Files):
        def __init__(self):
            found.append(self)

    monkeypatch.setattr("roll.forms.Files", Noted)
    return found


@pytest.mark.parametrize("lazy", [False, True])
@pytest.mark.parametrize("cut", [0, 20])
async def test_files_are_closed_when_the_body_is_cut_or_a_foreign_form_fails(made, lazy, cut):
    class Fussy(dict):
        def __init__(self, mapping):
            raise KeyError("not today")

    client = client_of(Files=MultiDict, Form=Fussy)

    @client.app.route("/", methods=["POST"], lazy_body=lazy)
    async def view(request, response):
        await request.load_form()

    body, content_type = encode_multipart({"f": (b"x" * 2**21, "f.bin"), "g": (b"y", "g.bin")})
    response = await client.post("/", body[: len(body) - cut], content_type=content_type)
    assert response.status == (400 if cut else 500)
    assert made[0].get("f").closed


# The parser of multipart bodies.


class Parser:
    """A parser of bodies with one line, `name=value`, that raises a given error."""

    def __init__(self, form, files):
        self.form, self.files = form({}), files()

    def initialize(self, content_type):
        return self.form, self.files

    def feed_data(self, data):
        name, value = data.decode().split("=")
        raised = {"bad": ValueError("x"), "large": LimitError("Too large"), "bug": KeyError("x")}
        raised["teapot"] = HttpError(418)
        if value in raised:
            raise raised[value]
        self.form.setdefault(name, []).append(value)


@pytest.mark.parametrize(
    ("value", "status", "body"),
    [
        ("1", 200, b"1"),
        ("bad", 400, b"Unparsable multipart body"),
        ("large", 413, b"Too large"),
        ("teapot", 418, b"I'm a Teapot"),
        ("bug", 500, b"Internal Server Error"),
    ],
)
@pytest.mark.parametrize("lazy", [False, True])
async def test_error_of_a_foreign_parser_has_its_status(value, status, body, lazy):
    client = client_of(Multipart=Parser)

    @client.app.route("/", methods=["POST"], lazy_body=lazy)
    async def view(request, response):
        await request.load_form()
        response.body = request.form.get("a")

    response = await client.post("/", f"a={value}", content_type="multipart/form-data")
    assert (response.status, response.body.lower()) == (status, body.lower())


# Cookies.


@pytest.fixture(params=[SimpleCookie, dict], ids=["morsels", "dict"])
def cookies(request):
    client = client_of(Cookies=request.param)

    @client.app.route("/")
    def view(request, response):
        found = {name: getattr(c, "value", c) for name, c in request.cookies.items()}
        response.cookies["a"] = "b"
        response.json = found

    @client.app.route("/ws", protocol="websocket")
    async def talk(request, ws):
        await ws.close()

    @client.app.listen("headers")
    def greet(request, response):
        response.cookies["greeting"] = "hello"

    return client


async def test_foreign_cookies_are_read_and_sent(cookies):
    response = await cookies.get("/", headers={"Cookie": "x=1; y=2"})
    assert response.json == {"x": "1", "y": "2"}
    sent = cookies.protocol.transport.data
    assert b"\r\nSet-Cookie: greeting=hello" in sent
    assert b"\r\nSet-Cookie: a=b" in sent


async def test_foreign_cookies_are_sent_with_a_handshake(cookies):
    await cookies.get(
        "/ws",
        headers={
            "Connection": "Upgrade",
            "Upgrade": "websocket",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
        },
    )
    head = cookies.protocol.transport.data.partition(b"\r\n\r\n")[0]
    assert head.startswith(b"HTTP/1.1 101")
    assert b"\r\nSet-Cookie: greeting=hello" in head


async def test_attributes_of_a_morsel_are_sent():
    client = client_of(Cookies=SimpleCookie)

    @client.app.route("/")
    def view(request, response):
        response.cookies["a"] = "b"
        response.cookies["a"]["httponly"] = True

    await client.get("/")
    assert b"\r\nSet-Cookie: a=b; HttpOnly\r\n" in client.protocol.transport.data


async def test_invalid_cookie_name_in_a_dict_is_a_500(caplog):
    client = client_of(Cookies=dict)

    @client.app.route("/")
    def view(request, response):
        response.cookies["a b"] = "c"

    assert (await client.get("/")).status == 500
    assert "Cookie name 'a b' is not a token" in caplog.text


@pytest.mark.parametrize("bad", ["path=1", "a b=1", "[]=1", "Max-Age=2", "a,b=1"])
async def test_cookie_that_a_foreign_class_refuses_is_skipped(bad):
    client = client_of(Cookies=SimpleCookie)

    @client.app.route("/")
    def view(request, response):
        response.json = {name: morsel.value for name, morsel in request.cookies.items()}

    response = await client.get("/", headers={"Cookie": f"x=1; {bad}; y=2"})
    assert response.json == {"x": "1", "y": "2"}


@pytest.mark.parametrize("header", ["bug=1", "refused=1; bug=1"])
async def test_mistake_in_a_class_of_cookies_is_a_500(header):
    class Broken(dict):
        def __init__(self, mapping):
            if "refused" in mapping:
                raise ValueError("not that one")
            if "bug" in mapping:
                raise KeyError("a bug")
            super().__init__(mapping)

    client = client_of(Cookies=Broken)
    client.app.route("/")(lambda request, response: len(request.cookies) and None)
    assert (await client.get("/", headers={"Cookie": header})).status == 500
    assert (await client.get("/", headers={"Cookie": "refused=1"})).status == 200


# Websockets.


class LineSocket(asyncio.Protocol):
    """A websocket without frames: each line is a message."""

    on_lost = None

    def __init__(self, request):
        self.request = request
        self.lines = asyncio.Queue()
        self.calls = []

    def handshake(self, headers, **options):
        self.calls.append(("handshake", options))
        if "X-REFUSE" in self.request.headers:
            raise HttpError(403, "Not you")
        fields = "".join(f"{name}: {value}\r\n" for name, value in headers)
        return f"HTTP/1.1 101 Switching Protocols\r\n{fields}\r\n".encode()

    def connection_made(self, transport):
        self.transport = transport
        self.calls.append("connection_made")

    def data_received(self, data):
        self.calls.append("data_received")
        for line in data.splitlines():
            self.lines.put_nowait(line)

    def connection_lost(self, exc):
        self.lines.put_nowait(None)
        self.on_lost()

    async def run(self, handler):
        self.calls.append("run")
        try:
            await handler
        finally:
            self.transport.close()

    async def recv(self):
        return await self.lines.get()

    async def send(self, line):
        self.transport.write(line + b"\n")


@pytest.fixture
async def lines():
    """A live server whose websockets are lines, and the sockets it has made."""
    sockets, gone = [], asyncio.Event()

    class Lines(Roll):
        WebsocketProtocol = LineSocket

    app = Lines()

    @app.route("/{name}", protocol="websocket", subprotocols=["line"])
    async def echo(request, ws, name):
        sockets.append(ws)
        while (line := await ws.recv()) is not None:
            await ws.send(b"%s %s" % (name.encode(), line))
        assert await request.disconnected()
        gone.set()

    app.listen("headers")(lambda response: response.headers.update({"X-Seen": "yes"}))
    live = LiveClient(app)
    await live.start()
    live.sockets, live.gone = sockets, gone
    yield live
    await live.stop()


async def test_a_foreign_websocket_serves_in_the_order_that_is_written_down(lines):
    reader, writer = await asyncio.open_connection("127.0.0.1", lines.port)
    writer.write(
        b"GET /ada HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\none\n"
    )
    head = await reader.readuntil(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 101")
    assert b"X-Seen: yes" in head
    assert await reader.readline() == b"ada one\n"
    writer.write(b"two\n")
    assert await reader.readline() == b"ada two\n"
    writer.close()
    await lines.gone.wait()
    handshake, *others = lines.sockets[0].calls
    assert handshake == ("handshake", {"subprotocols": ["line"]})
    assert others == ["connection_made", "data_received", "run", "data_received"]


async def test_a_foreign_websocket_refuses_by_an_http_error(lines):
    response = await lines.query(
        "GET", "/ada", headers={"Connection": "upgrade", "Upgrade": "websocket", "X-Refuse": "1"}
    )
    assert (response.status, response.body) == (403, b"Not you")


@pytest.mark.parametrize("name", ["handshake", "run", "on_lost", "data_received", "eof_received"])
def test_websocket_class_without_a_required_member_is_refused_at_registration(name):
    asked = part_checks.members(parts.WebsocketConnection)
    body = dict.fromkeys([*asked, "__init__"], lambda *_: None)
    del body[name]

    class Mine(Roll):
        WebsocketProtocol = type("Socket", (), body)

    app = Mine()
    app.route("/http")(lambda request, response: None)
    with pytest.raises(ValueError, match=rf"Mine\.WebsocketProtocol is .*, which lacks `{name}`"):
        app.route("/ws", protocol="websocket")(lambda request, ws: None)
    body[name] = None
    Mine.WebsocketProtocol = type("Socket", (), body)
    app.route("/ws", protocol="websocket")(lambda request, ws: None)


def test_an_annotation_says_that_a_class_has_an_attribute():
    class Slotted:
        __slots__ = ("on_lost",)

    class Annotated:
        on_lost: object

    class Below(Annotated):
        pass

    assert [part_checks.has(kind, "on_lost") for kind in (Slotted, Annotated, Below, object)] == [
        True,
        True,
        True,
        False,
    ]


# The connection.


class Plain(asyncio.Protocol):
    """HTTP by hand: requests of one piece, answers that are whole."""

    def __init__(self, app):
        self.app = app
        self.tasks = set()

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        task = asyncio.ensure_future(self.answer(data))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def answer(self, data):
        head, _, body = data.partition(b"\r\n\r\n")
        line, *fields = head.decode().split("\r\n")
        request = self.app.Request(self.app, self)
        request.method, target, _ = line.split(" ")
        request.url = target.encode()
        path, _, request.query_string = target.partition("?")
        request.path = unquote(path)
        pairs = [field.split(": ", 1) for field in fields]
        request.headers = {name.upper(): value for name, value in pairs}
        request.body = body
        response = self.app.Response(self.app, self)
        response.request = request
        response = await self.app(request, response)
        content = response.body if isinstance(response.body, bytes) else response.body.encode()
        lines = [f"HTTP/1.1 {response.status.value} {response.status.phrase}"]
        lines += [f"{name}: {value}" for name, value in response.headers.items()]
        lines += [f"Set-Cookie: {line}" for line in response.cookie_lines]
        lines += [f"Content-Length: {len(content)}", "", ""]
        self.transport.write("\r\n".join(lines).encode())
        self.transport.write(content)
        self.answered(request, response, len(content))

    def answered(self, request, response, size):
        """Tell nobody."""


class Telling(Plain):
    """The same, which says when it has answered."""

    on_answered = None

    def answered(self, request, response, size):
        if self.on_answered is not None:
            self.on_answered(request, response, size)


@pytest.fixture(params=[Plain, Telling])
def by_hand(request):
    client = client_of(HttpProtocol=request.param)

    @client.app.route("/hello/{name}", methods=["GET", "POST"])
    async def hello(request, response, name):
        response.cookies.set("seen", "yes")
        response.headers["X-Client"] = (request.client, request.scheme)
        response.body = f"{name} {request.query.int('n', 0)} {request.body.decode()}"
        assert not await request.disconnected()

    return client


async def test_the_client_of_tests_takes_a_foreign_connection(by_hand):
    response = await by_hand.get("/hello/ad%C3%A0?n=3")
    assert (response.status, response.body) == (200, "adà 3 ".encode())
    assert str(response.headers["X-Client"]) == "(None, 'http')"
    assert int(response.headers["Content-Length"]) == 7
    assert b"Set-Cookie: seen=yes" in by_hand.protocol.transport.data
    assert (await by_hand.post("/hello/x", "body")).body == b"x 0 body"
    assert (await by_hand.get("/nowhere")).status == 404


async def test_a_foreign_connection_serves_a_live_client_and_a_log(by_hand, caplog):
    caplog.set_level("INFO", "roll")
    logger(by_hand.app, access_format="%(method)s %(status)s")
    live = LiveClient(by_hand.app)
    await live.start()
    response = await live.query("POST", "/hello/x", body=b"body")
    assert (response.status, response.body) == (200, b"x 0 body")
    await live.stop()
    assert (await by_hand.post("/hello/x", "body")).status == 200
    answers = ["POST 200"] if isinstance(by_hand.protocol, Telling) else []
    lines = [record.getMessage() for record in caplog.records]
    assert lines == ["POST /hello/x", *answers] * 2


HANDSHAKE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}


async def test_a_connection_without_switch_refuses_websockets(by_hand, caplog):
    @by_hand.app.route("/ws", protocol="websocket")
    async def ws(request, ws):
        pytest.fail("it ran")

    assert (await by_hand.get("/ws")).status == 426
    assert (await by_hand.post("/ws", "body")).status == 405
    response = await by_hand.get("/ws", headers=HANDSHAKE)
    assert response.status == 501
    assert response.text == "The server has no websockets: its HttpProtocol has no `switch`"
    assert caplog.records == []


# Routers.


async def test_autoroutes_itself_is_a_router():
    client = client_of(Routes=autoroutes.Routes)

    @client.app.route("/hello/{name}", methods=["GET", "POST"], shelf="B")
    def hello(request, response, name):
        response.json = [request.method, name, request.route.payload["shelf"]]

    assert (await client.get("/hello/ada")).json == ["GET", "ada", "B"]
    assert (await client.post("/hello/ada")).json == ["POST", "ada", "B"]
    assert (await client.put("/hello/ada")).status == 405
    assert (await client.get("/nowhere")).status == 404
    assert client.app.routes.root.edges


# JSON.


@pytest.mark.parametrize("codec", [json, ujson, "class"], ids=str)
async def test_a_codec_serves_requests_and_responses(codec):
    class Own:
        dumps = staticmethod(lambda value: json.dumps(value).encode())
        loads = staticmethod(json.loads)

    codec = Own if codec == "class" else codec
    client = client_of(JSON=codec)

    @client.app.route("/", methods=["POST"])
    def echo(request, response):
        response.json = request.json

    value = {"a": ["é", 1.5, None, True]}
    response = await client.post("/", value)
    written = codec.dumps(value)
    assert response.body == (written if isinstance(written, bytes) else written.encode())
    assert response.json == value
    assert (await client.post("/", "{")).status == 400


# What does not fit is told at the start.


class Nothing:
    pass


@pytest.mark.parametrize("part", ["HttpProtocol", "Protocol", "Routes", "Multipart", "JSON"])
@pytest.mark.parametrize("when", ["made", "started"])
async def test_unsuitable_class_for_a_part_is_an_error_at_the_start(part, when):
    if when == "made" and part != "Routes":  # which is not used before it is started
        with pytest.raises(ValueError, match=rf"Mine\.{part} is .*Nothing.* lacks `\w+`.*roll"):
            type("Mine", (Roll,), {part: Nothing})()
    else:
        app = Roll()
        setattr(app, part, Nothing)
        with pytest.raises(ValueError, match=rf"Roll\.{part} is .*Nothing"):
            await app.startup()


@pytest.mark.parametrize(
    ("part", "hook"), [(part, hook) for part, hooks in OLD_HOOKS.items() for hook in hooks]
)
@pytest.mark.parametrize("where", ["itself", "a mixin"])
def test_error_for_an_old_hook_in_a_subclass_says_what_to_use(part, hook, where):
    base, hooks = base_of(part), OLD_HOOKS[part]
    mixins = (type("Mixin", (), {hook: None}),) if where == "a mixin" else ()
    kind = type("Kind", (*mixins, base), {} if mixins else {hook: None})
    app = type("Mine", (Roll,), {part: kind}) if part != "WebsocketProtocol" else Roll
    message = re.escape(f"{part} defines `{hook}`, which nothing calls since 0.14: {hooks[hook]}")
    with pytest.raises(ValueError, match=message):
        if app is not Roll:
            app()
        else:
            app = app()
            app.WebsocketProtocol = kind
            app.route("/", protocol="websocket")(lambda request, ws: None)


@pytest.mark.parametrize("part", OLD_HOOKS)
def test_a_foreign_class_may_have_any_names(part):
    base, hooks = base_of(part), OLD_HOOKS[part]
    part_checks.refuse_old_hooks(base, part, "Mine")
    part_checks.refuse_old_hooks(type("Foreign", (), hooks), part, "Mine")
    part_checks.refuse_old_hooks(lambda: None, part, "Mine")


@pytest.mark.parametrize("part", ["Request", "Response"])
@pytest.mark.parametrize("base", [Nothing, dict, roll_http.Request])
def test_requests_and_responses_extend_ours(part, base):
    with pytest.raises(ValueError, match=rf"Mine\.{part} is .*: it must extend `roll\.{part}`"):
        type("Mine", (Roll,), {part: base})()


async def test_a_function_may_make_any_part():
    ours = {"Request": Request, "Response": Response, "Routes": Roll.Routes}
    client = client_of(
        **{name: staticmethod(lambda *a, m=make: m(*a)) for name, make in ours.items()}
    )
    client.app.route("/")(lambda request, response: None)
    assert (await client.get("/")).status == 200


@pytest.mark.parametrize("name", ["dumps", "loads"])
def test_an_async_codec_is_refused(name):
    async def later(value):
        return value

    codec = type(
        "Codec", (), {"dumps": json.dumps, "loads": json.loads, name: staticmethod(later)}
    )
    with pytest.raises(ValueError, match=rf"Mine\.JSON\.{name} is never awaited"):
        type("Mine", (Roll,), {"JSON": codec})()


async def later(*args):
    """A method that a part must not have: nothing awaits it."""


PARTS = {
    "HttpProtocol": roll_http.HTTPProtocol,
    "Protocol": roll_http.HTTPProtocol,
    "Query": roll.Query,
    "Form": roll.Form,
    "Files": roll.Files,
    "Cookies": roll.Cookies,
    "Multipart": roll.Multipart,
}
CALLS = [(part, method) for part in PARTS for method in part_trials.CALLS[part]]


@pytest.mark.parametrize(("part", "method"), CALLS)
def test_an_async_method_of_a_part_is_refused(part, method):
    """Before, fields and files of forms vanished, and a form that was cut off was accepted."""
    kind = type("Kind", (PARTS[part],), {method: later})
    with pytest.raises(ValueError, match=rf"Mine\.{part}\.{method} is never awaited"):
        type("Mine", (Roll,), {part: kind})()


@pytest.mark.parametrize("part", ["Query", "Form", "Files", "Cookies", "Multipart"])
def test_an_async_method_of_what_a_function_makes_is_refused(part):
    method = part_trials.CALLS[part][0]
    kind = type("Kind", (PARTS[part],), {method: later})
    make = staticmethod(partial(kind))
    with pytest.raises(ValueError, match=rf"Mine\.{part}\.{method} is never awaited"):
        type("Mine", (Roll,), {part: make})()


@pytest.mark.parametrize("method", part_trials.CALLS["Routes"])
async def test_an_async_method_of_a_router_is_refused(app, method):
    kind = type("Kind", (Roll.Routes,), {method: later})
    with pytest.raises(ValueError, match=rf"Mine\.Routes\.{method} is never awaited"):
        type("Mine", (Roll,), {"Routes": kind})()
    app.routes = kind()
    with pytest.raises(ValueError, match=rf"Roll\.routes\.{method} is never awaited"):
        await app.startup()


@pytest.mark.parametrize("method", part_trials.CALLS["WebsocketProtocol"])
def test_an_async_method_of_a_websocket_is_refused_with_its_first_route(app, method):
    app.WebsocketProtocol = type("Kind", (roll.WSProtocol,), {method: later})
    with pytest.raises(ValueError, match=rf"Roll\.WebsocketProtocol\.{method} is never awaited"):
        app.route("/ws", protocol="websocket")(later)


@pytest.mark.parametrize("made", [None, {}, (1, 2, 3), 5, "form"])
@pytest.mark.parametrize("lazy", [False, True])
async def test_parser_that_returns_no_form_and_files_is_a_500(made, lazy, caplog):
    """Before, a form alone was a 400 that blamed the client, and the log said nothing."""
    kind = type("Kind", (roll.Multipart,), {"initialize": lambda self, content_type: made})
    client = client_of(Multipart=kind)

    @client.app.route("/", methods=["POST"], lazy_body=lazy)
    async def view(request, response):
        await request.load_form()

    response = await client.post("/", {"a": "b"}, content_type="multipart/form-data")
    assert response.status == 500
    assert "returns the form and the files, not" in caplog.text


async def test_items_of_cookies_may_be_a_generator():
    class Cookies(roll.Cookies):
        def items(self):
            yield from super().items()

    client = client_of(Cookies=Cookies)

    @client.app.route("/")
    def view(request, response):
        response.cookies.set("a", "1")

    assert list((await client.get("/")).cookie_lines) == ["a=1; Path=/"]


async def coroutine():
    """Nobody would await it."""


class Called:
    async def __call__(self, *args):
        """Nobody would await it."""


class Awaited:
    def __await__(self):
        yield


class Bare:
    def __init__(self, *args, **kwargs): ...


class NoArguments:
    add = match = setdefault = get = items = payload = vars = None

    def __init__(self): ...


class TooMany:
    add = match = setdefault = get = items = payload = vars = None

    def __init__(self, one, two, three): ...


NO_PARTS = {
    "object": object,
    "bare": Bare,
    "called": Called,
    "text": str,
    "coroutine": lambda *args, **kwargs: [coroutine()][0],
    "awaited": lambda *args, **kwargs: Awaited(),
    "number": lambda *args, **kwargs: 5,
    "nothing": lambda *args, **kwargs: None,
    "two more": lambda one, two, three, **kwargs: {},
    "too many": TooMany,
}
TRIED = ("Route", "Query", "Form", "Files", "Cookies", "Multipart")


@pytest.mark.parametrize("made", NO_PARTS.values(), ids=NO_PARTS)
@pytest.mark.parametrize("part", TRIED)
@pytest.mark.parametrize("when", ["made", "started"])
async def test_part_that_returns_something_else_is_an_error_at_the_start(part, made, when):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        if when == "made":
            with pytest.raises(ValueError, match=rf"Mine\.{part} "):
                type("Mine", (Roll,), {part: plain(made)})()
        else:
            app = Roll()
            setattr(app, part, made)
            with pytest.raises(ValueError, match=rf"Roll\.{part} "):
                await app.startup()


def plain(made):
    return made if isinstance(made, type) else staticmethod(made)


@pytest.mark.parametrize(
    "part",
    ["HttpProtocol", "Protocol", "Request", "Response", "Route", "Query", "Form", "Cookies"],
)
@pytest.mark.parametrize("own", [True, False])
def test_part_that_does_not_accept_its_arguments_is_an_error(part, own):
    base = getattr(Roll, part, Roll.HttpProtocol) if own else Bare
    made = type("Made", (base,), {"__init__": lambda self: None, "__new__": lambda kind: None})
    if not own:
        made = staticmethod(lambda: None)
    with pytest.raises(ValueError, match=rf"Mine\.{part} is called with \([a-z, ]+\), but "):
        type("Mine", (Roll,), {part: made})()


@pytest.mark.parametrize("router", [object, Bare, str, lambda self: [coroutine()][0]])
def test_object_that_is_not_a_router_is_an_error_at_the_application(router):
    with pytest.raises(ValueError, match=r"Mine\.Routes .*"):
        type("Mine", (Roll,), {"Routes": router})()


async def test_router_without_match_is_an_error_at_the_start():
    app = type("Mine", (Roll,), {"Routes": lambda self: types.SimpleNamespace(add=print)})()
    with pytest.raises(
        ValueError, match=r"Mine\.routes returned .*, which lacks `add` and `match`"
    ):
        await app.startup()


def test_part_may_refuse_empty_values():
    class Strict(dict):
        def __init__(self, mapping):
            super().__init__(mapping)
            _ = self["token"]

    class Typed(dict):
        def __init__(self, mapping):
            super().__init__(mapping)
            int(self.get("number"))

    for kind in (Strict, Typed):
        type("Mine", (Roll,), {"Query": kind, "Form": kind, "Cookies": kind})()


async def test_a_protocol_of_none_is_the_other_name(by_hand):
    client = client_of(Protocol=None)
    client.app.route("/")(lambda request, response: None)
    assert (await client.get("/")).status == 200


def test_the_parts_of_ours_fulfil_their_contracts():
    app = Roll()
    for name, contract in part_checks.CONTRACTS.items():
        if (part := getattr(app, name, None)) is not None:
            part_checks.check_contract(part, contract, name)


@pytest.mark.parametrize("value", [None, 5, "Query", Roll.Query({})], ids=repr)
@pytest.mark.parametrize("part", part_checks.CALLED)
def test_part_that_cannot_be_called_is_an_error(part, value):
    if part != "Protocol" or value is not None:  # `Protocol` is another name of `HttpProtocol`
        text = re.escape(f"Mine.{part} is {value!r}: it must be a class or a function")
        with pytest.raises(ValueError, match=f"^{text}$"):
            type("Mine", (Roll,), {part: value})()


class Mixin:
    Querry = Roll.Query


@pytest.mark.parametrize(
    ("name", "value", "meant"),
    [
        ("Json", json, "JSON"),
        ("json", ujson, "JSON"),
        ("Responce", Response, "Response"),
        ("request", Request, "Request"),
        ("HTTPProtocol", HTTPProtocol, "HttpProtocol"),
        ("WSProtocol", WSProtocol, "WebsocketProtocol"),
        ("Websocket", WSProtocol, "WebsocketProtocol"),
        ("Router", Roll.Routes, "Routes"),
        ("Cookie", dict, "Cookies"),
    ],
)
def test_misspelt_part_causes_a_warning(name, value, meant):
    kind = type("Mine", (Roll,), {name: value})
    with pytest.warns(RollWarning) as caught:
        type("Below", (kind,), {})()
    (warning,) = caught
    assert str(warning.message) == (
        f"Mine.{name} is not a part of an application: write `{meant}`"
    )
    assert warning.filename == __file__


def test_misspelt_part_in_a_mixin_causes_a_warning():
    with pytest.warns(RollWarning, match="Mixin.Querry is not a part of an app.*: write `Query`"):
        type("Mine", (Mixin, Roll), {})()


def test_other_attributes_of_a_subclass_cause_no_warning():
    names = {"Settings": dict, "json": property(), "request": 5, "Meta": type, "response": None}
    type("Mine", (Roll,), names)()


def test_code_that_is_run_without_a_module_has_parts_too():
    names = {"Roll": Roll, "Response": Response}
    exec("class Mine(Roll): Response = Response\nclass View:\n def on_get(self): ...", names)
    app = names["Mine"]()
    with pytest.raises(ValueError, match=r"^View\.on_get \(<string>:3\) takes \(\)"):
        app.route("/")(names["View"])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("TIMEOUT", value) for value in ("3", None, float("nan"), -1)),
        *(("MAX_QUEUE", "3"), ("READ_LIMIT", None), ("WRITE_LIMIT", -1), ("BACKLOG_LIMIT", "x")),
        *(("MAX_SIZE", "x"), ("MAX_SIZE", -1), ("JSON", 3)),
    ],
)
@pytest.mark.parametrize("how", ["route", "mount"])
def test_constants_of_websockets_are_checked_at_registration(how, name, value):
    socket = type("Socket", (WSProtocol,), {name: value})
    app = type("App", (Roll,), {"WebsocketProtocol": socket})()

    async def handler(request, ws): ...

    async def application(scope, receive, send): ...

    with pytest.raises(ValueError, match=rf"App.WebsocketProtocol: `{name}` "):
        if how == "route":
            app.route("/", protocol="websocket")(handler)
        else:
            app.mount("/", application)
