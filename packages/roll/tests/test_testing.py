"""The test clients, and the requests that they send."""

import asyncio
import json

import pytest

from roll import Roll
from roll.alone import alone
from roll.testing import Client, LiveClient, Transport, encode_multipart, encode_path
from roll.testing.responses import parse_response

URLENCODED = "application/x-www-form-urlencoded"


@pytest.fixture
def app(app):
    """An application that says what it was sent."""

    @app.route("/", methods=["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
    async def echo(request, response):
        response.json = {
            "method": request.method,
            "type": request.content_type.partition(";")[0],
            "body": request.body.decode(),
            "headers": request.headers,
        }

    @app.route("/form", methods=["POST"])
    async def form(request, response):
        response.json = {
            "form": request.form,
            "files": [
                [name, file.filename, file.content_type, file.read().decode("latin-1")]
                for name, files in request.files.items()
                for file in files
            ],
        }

    @app.route("/chunks", methods=["GET", "POST"], lazy_body=True)
    async def chunks(request, response):
        async def body():
            async for chunk in request:
                yield chunk
            yield "é"
            yield b""
            yield b"end"

        response.body = body()

    @app.route("/empty")
    def empty(request, response):
        response.status = 204

    return app


@pytest.mark.parametrize("name", ["get", "delete", "options", "post", "put", "patch"])
async def test_each_method_has_its_name(client, name):
    response = await getattr(client, name)("/")
    assert json.loads(response.body)["method"] == name.upper()


@pytest.mark.parametrize("body", ["text", b"bytes"])
async def test_head_has_no_body(app, client, body):
    @app.route("/page")
    def page(request, response):
        response.body = body

    response = await client.head("/page")
    assert (response.status, response.body) == (200, b"")
    assert client.protocol.transport.data.endswith(b"\r\n\r\n")


async def test_a_method_may_be_in_any_case(client):
    assert json.loads((await client.request("/", method="get")).body)["method"] == "GET"
    assert (await client.request("/", "head")).body == b""


async def test_connect_is_sent(client):
    response = await client.connect("/")
    assert response.status == 501


async def test_the_response_is_the_applications_own(app, client):
    seen = []
    app.listen("response")(lambda request, response: seen.append(response))
    assert await client.get("/") is seen[0]


async def test_the_exact_bytes_are_kept(client):
    await client.get("/empty")
    assert client.protocol.transport.data.startswith(b"HTTP/1.1 204 No Content\r\n")


async def test_a_streamed_body_is_joined(client):
    assert (await client.post("/chunks", b"begin")).body == "beginéend".encode()


async def test_refusal_before_the_application_is_a_response_too(client):
    response = await client.get("/", headers={"Host": "not a host"})
    assert response.status == 400
    assert response.headers["Connection"] == "close"
    assert response.body


async def test_nothing_is_sent_on_a_connection_cut_short(app, client):
    @app.route("/cut")
    async def cut(request, response):
        request.protocol.abort()
        response.body = chunks()

    async def chunks():
        yield "never sent"

    with pytest.raises(EOFError):
        await client.get("/cut")
    assert client.protocol.transport.data == b""


HANDSHAKE = {
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}


@pytest.fixture
def socket(app):
    """Add a websocket with a handler to the application; give what is seen of it."""
    seen = []
    app.listen("websocket_connect")(lambda request, ws: seen.append("connect"))
    app.listen("websocket_error")(lambda request, ws, error: seen.append("error"))
    app.listen("websocket_disconnect")(lambda request, ws: seen.append("disconnect"))

    def socket(handler):
        async def watched(request, ws):
            try:
                await handler(ws)
            except BaseException as error:
                seen.append(type(error).__name__)
                raise

        app.route("/ws", protocol="websocket")(watched)
        return seen

    return socket


async def test_websocket_handshake_is_answered_and_its_client_disconnects(client, socket):
    async def echo(ws):
        await ws.send("hello")
        async for message in ws:
            await ws.send(message)

    seen = socket(echo)
    response = await client.get("/ws", headers=HANDSHAKE)
    assert (response.status, response.body) == (101, b"")
    assert response.headers["Sec-WebSocket-Accept"] == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
    assert client.protocol.transport.data.endswith(b"\x81\x05hello")
    assert seen == ["connect", "ConnectionClosed", "disconnect"]


async def test_a_websocket_that_says_all_by_itself_ends(client, socket):
    async def hello(ws):
        await ws.send("hello")

    seen = socket(hello)
    assert (await client.get("/ws", headers=HANDSHAKE)).status == 101
    assert seen == ["connect", "disconnect"]


async def test_a_handler_that_does_not_see_its_websocket_go_is_cancelled(
    client, socket, monkeypatch
):
    monkeypatch.setattr("roll.testing.client.PATIENCE", 0.01)
    seen = socket(lambda ws: asyncio.Event().wait())
    assert (await client.get("/ws", headers=HANDSHAKE)).status == 101
    assert seen == ["connect", "CancelledError", "disconnect"]


async def test_handler_that_does_not_end_is_abandoned(client, socket, monkeypatch):
    monkeypatch.setattr("roll.testing.client.PATIENCE", 0.01)
    end, ended = asyncio.Event(), asyncio.Event()

    async def stay(ws):
        while not end.is_set():
            try:
                await end.wait()
            except asyncio.CancelledError:
                seen.append("stays")
        ended.set()

    seen = socket(stay)
    assert (await client.get("/ws", headers=HANDSHAKE)).status == 101
    assert seen == ["connect", "stays"]
    end.set()
    await ended.wait()


async def test_mounted_application_that_runs_on_is_waited_for_for_some_time_only(monkeypatch):
    monkeypatch.setattr("roll.testing.client.PATIENCE", 0.01)
    end, ended = asyncio.Event(), asyncio.Event()

    async def runs_on(scope, receive, send):
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body", "body": b"hello"})
        await end.wait()
        ended.set()

    assert (await Client(alone(runs_on)).get("/")).body == b"hello"
    assert not ended.is_set()
    end.set()
    await ended.wait()


async def test_a_handshake_that_is_refused_is_an_answer_like_any_other(client, socket):
    seen = socket(pytest.fail)
    response = await client.get("/ws", headers=HANDSHAKE | {"Sec-WebSocket-Version": "12"})
    assert response.status == 426
    assert seen == []


SMUGGLED = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n" * 3


async def test_first_of_several_answers_is_the_response(client, caplog):
    """The body is more requests, as in tests of request smuggling."""
    headers = {"Content-Length": "0"}
    response = await client.request("/", "POST", body=SMUGGLED, headers=headers)
    assert json.loads(response.body)["method"] == "POST"
    assert client.protocol.transport.data.count(b"HTTP/1.1 200") > 1
    assert caplog.text == ""


async def test_stream_reads_the_first_of_several_answers(client, caplog):
    async with client.stream("POST", "/", body=SMUGGLED, headers={"Content-Length": "0"}) as got:
        assert json.loads(await got.read())["method"] == "POST"
        while client.protocol.request is not None:
            await asyncio.sleep(0)
    assert caplog.text == ""


@pytest.mark.parametrize("order", [["one", "two"], ["two", "one"]])
async def test_concurrent_requests_get_their_own_responses(app, client, order):
    begun, turns = asyncio.Queue(), {name: asyncio.Event() for name in order}

    @app.route("/{name}", cancel_on_disconnect=True)
    async def named(request, response, name):
        begun.put_nowait(name)
        await turns[name].wait()
        response.body = name

    asked = {name: asyncio.ensure_future(client.get(f"/{name}")) for name in ("one", "two")}
    assert {await begun.get(), await begun.get()} == {"one", "two"}
    for name in order:
        turns[name].set()
        assert (await asked[name]).body == name.encode()
    assert client.protocol.transport.data.endswith(b"two")


@pytest.mark.parametrize(
    ("content_type", "data", "body"),
    [
        (None, {"a": "é"}, '{"a": "\\u00e9"}'),
        (None, [1, 2], "[1, 2]"),
        (URLENCODED, {"a": ["1", "2"], "b": "é"}, "a=1&a=2&b=%C3%A9"),
        (URLENCODED, [("a", 1), ("b", 2)], "a=1&b=2"),
        (URLENCODED, "a=b", "a=b"),
    ],
    ids=["dict", "list", "url dict", "url pairs", "url text"],
)
async def test_data_are_encoded_as_the_content_type_says(client, content_type, data, body):
    for response in (
        await client.post("/", data, content_type=content_type),
        await client.put("/", body=data, content_type=content_type),
        await client.patch(
            "/", data, headers={"Content-type": content_type or "application/json"}
        ),
    ):
        sent = json.loads(response.body)
        assert sent["body"] == body
        assert sent["type"] == (content_type or "application/json")


@pytest.mark.parametrize(
    "data",
    ["as it is", b"as it is", bytearray(b"as it is"), None],
    ids=["text", "bytes", "bytearray", "none"],
)
async def test_body_that_is_not_encoded_has_only_the_given_type(client, data):
    client.content_type = URLENCODED
    sent = json.loads((await client.post("/", data)).body)
    assert (sent["type"], sent["body"]) == ("", "as it is" if data else "")
    sent = json.loads((await client.post("/", data, content_type="text/plain")).body)
    assert sent["type"] == "text/plain"
    sent = json.loads((await client.post("/", data, headers={"content-type": "a/b"})).body)
    assert sent["type"] == "a/b"


async def test_request_encodes_bodies_like_the_other_verbs(client):
    sent = json.loads((await client.request("/", "POST", {"a": 1})).body)
    assert (sent["type"], sent["body"]) == ("application/json", '{"a": 1}')
    sent = json.loads((await client.request("/", "POST", {"a": 1}, {}, URLENCODED)).body)
    assert (sent["type"], sent["body"]) == (URLENCODED, "a=1")
    sent = json.loads((await client.get("/", body="é")).body)
    assert sent["body"] == "é"
    sent = json.loads((await client.delete("/", body={"a": 1})).body)
    assert sent["body"] == '{"a": 1}'


async def test_the_content_type_of_the_client_is_the_default(client):
    client.content_type = URLENCODED
    sent = json.loads((await client.post("/", {"a": 1})).body)
    assert (sent["type"], sent["body"]) == (URLENCODED, "a=1")


async def test_a_request_without_a_body_has_no_length(client):
    sent = json.loads((await client.get("/")).body)
    assert sent["headers"] == {"HOST": "127.0.0.1"}


async def test_default_headers_belong_to_the_instance(app, client):
    class Signed(Client):
        default_headers = {"X-Signed": "yes"}  # noqa: RUF012 - as users write it

    Signed(app).default_headers["X-Token"] = "one"
    assert Signed(app).default_headers == {"X-Signed": "yes"}
    client.default_headers["X-Token"] = "one"
    assert Client(app).default_headers == {}
    sent = json.loads((await client.get("/", headers={"host": "example.org"})).body)
    assert sent["headers"] == {"X-TOKEN": "one", "HOST": "example.org"}
    client.default_headers["Content-Type"] = URLENCODED
    assert json.loads((await client.post("/", {"a": 1})).body)["body"] == "a=1"


async def test_files_have_their_boundary_whatever_the_default_headers_say(client):
    client.default_headers["content-type"] = "application/json"
    response = await client.post("/form", files={"f": b"content"})
    assert json.loads(response.body)["files"]


async def test_request_may_be_overridden_and_called_positionally(app):
    class Signed(Client):
        async def request(self, path, method="GET", body=b"", headers=None, content_type=None):
            headers = {**(headers or {}), "X-Signed": "yes"}
            return await super().request(path, method, body, headers, content_type)

    sent = json.loads((await Signed(app).post("/", "data")).body)
    assert (sent["headers"]["X-SIGNED"], sent["body"]) == ("yes", "data")


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"f": b"content"}, [["f", "f", "application/octet-stream", "content"]]),
        ({"f": "text"}, [["f", "f", "application/octet-stream", "text"]]),
        ({"f": (b"content", "a.txt")}, [["f", "a.txt", "text/plain", "content"]]),
        (
            {"f": ("\xe9", "a.html", "latin-1")},
            [["f", "a.html", "text/html; charset=latin-1", "\xe9"]],
        ),
        (
            {"f": ("é", "a", "utf-8")},
            [["f", "a", "text/plain; charset=utf-8", "é".encode().decode("latin-1")]],
        ),
        (
            [("f", (b"1", "1.txt")), ("f", (b"2", "2.txt"))],
            [["f", "1.txt", "text/plain", "1"], ["f", "2.txt", "text/plain", "2"]],
        ),
        (
            {"f": [(b"1", "1.txt"), (b"2", "2.txt")]},
            [["f", "1.txt", "text/plain", "1"], ["f", "2.txt", "text/plain", "2"]],
        ),
    ],
    ids=["bytes", "text", "name", "charset", "charset without a type", "pairs", "list"],
)
async def test_files_make_a_multipart_body(client, files, expected):
    response = await client.post("/form", {"a": "b"}, files=files)
    assert json.loads(response.body) == {"form": {"a": ["b"]}, "files": expected}


async def test_fields_make_one_too_when_it_is_asked_for(client):
    client.content_type = "multipart/form-data"
    response = await client.post("/form", {"a": ["b", "é"], "n": 1})
    assert json.loads(response.body)["form"] == {"a": ["b", "é"], "n": ["1"]}
    response = await client.post("/form", {"f": (b"content", "f.txt"), "a": "b"})
    assert json.loads(response.body)["files"] == [["f", "f.txt", "text/plain", "content"]]


def test_encode_multipart_takes_open_files(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("content")
    with path.open("rb") as file:
        body, content_type = encode_multipart([("f", file)])
    assert content_type.startswith("multipart/form-data; boundary=")
    assert b'filename="a.txt"' in body
    assert b"content" in body


async def test_file_that_is_none_is_omitted(client):
    response = await client.post("/form", {"a": "b"}, files={"f": None, "g": [None, b"one"]})
    sent = json.loads(response.body)
    assert sent["form"] == {"a": ["b"]}
    assert [name for name, *_ in sent["files"]] == ["g"]


@pytest.mark.parametrize(
    ("path", "encoded"),
    [
        ("/a/b?c=d&e", b"/a/b?c=d&e"),
        ("/é ü?à=ç", b"/%C3%A9%20%C3%BC?%C3%A0=%C3%A7"),
        ("/%20%C3%A9", b"/%20%C3%A9"),
        ("/?a?b", b"/?a?b"),
        ('/"<>', b"/%22%3C%3E"),
    ],
)
def test_paths_are_encoded(path, encoded):
    assert encode_path(path) == encoded


def test_a_transport_has_a_protocol_once_it_is_given_one():
    transport = Transport()
    with pytest.raises(RuntimeError):
        transport.get_protocol()
    protocol = asyncio.Protocol()
    transport.set_protocol(protocol)
    assert transport.get_protocol() is protocol
    transport.set_write_buffer_limits(high=1)
    transport.pause_reading()
    transport.resume_reading()
    assert transport.get_write_buffer_size() == 0
    assert transport.get_extra_info("peername") == ("127.0.0.1", 65000)


@pytest.mark.parametrize("end", ["close", "abort", "lose"])
async def test_a_transport_tells_its_protocol_once_that_it_has_ended(end):
    class Protocol(asyncio.Protocol):
        def connection_lost(self, error):
            lost.append(error)

    lost = []
    transport = Transport(Protocol())
    getattr(transport, end)()
    assert transport.is_closing()
    assert lost == ([None] if end == "lose" else [])
    transport.close()
    await asyncio.sleep(0)
    transport.lose()
    assert lost == [None]


def test_transport_without_a_protocol_ends_without_a_loop():
    transport = Transport()
    transport.close()
    transport.lose()
    assert transport.is_closing()


async def test_the_live_client_knows_its_addresses(liveclient, app):
    assert liveclient.app is app
    assert liveclient.url == f"http://127.0.0.1:{liveclient.port}"
    assert liveclient.wsl == f"ws://127.0.0.1:{liveclient.port}"


async def test_live_client_gets_the_sent_response(liveclient):
    response = await liveclient.query("POST", "/?é", {"X-A": "b"}, b"12")
    sent = json.loads(response.body)
    assert (response.status, response.reason, response.chunks) == (200, "OK", None)
    assert response.headers["content-type"] == "application/json; charset=utf-8"
    assert (sent["headers"]["X-A"], sent["body"]) == ("b", "12")
    assert json.loads((await liveclient.query("post", "/", body="é")).body)["body"] == "é"
    response = await liveclient.query("POST", "/", body=bytearray(b"12"))
    assert json.loads(response.body)["body"] == "12"
    assert (await liveclient.query("head", "/")).body == b""
    assert (await liveclient.query("HEAD", "/")).body == b""
    assert (await liveclient.query("GET", "/empty")).status == 204


async def test_the_live_client_sends_and_gets_chunks(liveclient):
    response = await liveclient.query("POST", "/chunks", {"Host": "x"}, iter([b"a", b"", b"b"]))
    assert response.chunks[-2:] == ["é".encode(), b"end"]
    assert response.body == "abéend".encode()


async def test_the_live_client_stops_once(app):
    seen = []
    app.listen("shutdown")(lambda: seen.append("shutdown"))
    live = LiveClient(app)
    await live.start()
    await live.stop()
    await live.stop()
    assert seen == ["shutdown"]


async def test_live_client_that_runs_is_not_started_again(liveclient):
    port = liveclient.port
    with pytest.raises(RuntimeError, match="The server of this client runs already: stop it"):
        await liveclient.start()
    assert liveclient.port == port
    assert (await liveclient.get("/")).status == 200


async def test_application_is_shut_down_if_the_live_client_cannot_listen(app, monkeypatch):
    seen = []
    app.listen("startup")(lambda: seen.append("startup"))
    app.listen("shutdown")(lambda: seen.append("shutdown"))
    monkeypatch.setattr("roll.testing.live.HOST", "192.0.2.1")  # of no machine (RFC 5737)
    with pytest.raises(OSError, match="192"):
        await LiveClient(app).start()
    assert seen == ["startup", "shutdown"]


@pytest.mark.parametrize("raise_errors", [True, False])
@pytest.mark.parametrize("send", ["post", "query"])
async def test_live_client_keeps_no_exception_of_an_answered_request(
    app, liveclient, raise_errors, send
):
    liveclient.raise_errors = raise_errors

    @app.route("/wrong", methods=["POST"])
    async def wrong(request, response):
        raise LookupError(await request.read())

    for _ in range(3):
        if send == "query":
            assert (await liveclient.query("POST", "/wrong", body=b"x")).status == 500
        elif raise_errors:
            with pytest.raises(LookupError):
                await liveclient.post("/wrong", b"x")
        else:
            assert (await liveclient.post("/wrong", b"x")).status == 500
        assert liveclient._seen == []


async def test_requests_at_once_raise_their_exceptions(app, liveclient):
    liveclient.raise_errors = True
    both = asyncio.Barrier(2)

    @app.route("/wrong")
    async def wrong(request, response):
        await both.wait()
        raise LookupError

    sent = (liveclient.get("/wrong") for _ in range(2))
    raised = await asyncio.gather(*sent, return_exceptions=True)
    assert [type(error) for error in raised] == [LookupError] * 2


async def test_a_response_may_follow_interim_ones_and_end_with_the_connection():
    data = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nA: b\r\n\r\nuntil the end"
    response = await parse_response(data, "GET")
    assert (response.status, response.body) == (200, b"until the end")


LARGE_HEADS = {
    "many fields": [("Set-Cookie", f"c{number}=v") for number in range(1200)],
    "long cookies": [("Set-Cookie", f"c{number}={'v' * 1000}") for number in range(90)],
    "a long line": [("X-A", "v" * 70_000)],
    "several limits": [("X-A", "v" * 65_536), ("X-B", "w" * 3_000_000), ("X-C", ": c")],
}


@pytest.mark.parametrize("fields", LARGE_HEADS.values(), ids=list(LARGE_HEADS))
async def test_large_head_arrives_whole(app, client, fields):
    cookies = [value.split("=") for name, value in fields if name == "Set-Cookie"]

    @app.route("/large")
    async def large(request, response):
        response.headers.update(field for field in fields if field[0] != "Set-Cookie")
        for name, value in cookies:
            response.cookies.set(name, value)
        response.body = "whole"

    def of(message):
        known = {name for name, _ in fields}
        return [(name, text.split(";")[0]) for name, text in message.items() if name in known]

    async with LiveClient(app) as live:
        response = await live.get("/large")
        assert (of(response.headers), response.body) == (fields, b"whole")
        for each in (client, live):
            assert (await each.get("/large")).body == b"whole"
            async with each.stream("GET", "/large") as streamed:
                assert of(streamed.headers) == fields
                assert await streamed.read() == b"whole"


@pytest.mark.parametrize("size", range(65_530, 65_545))
async def test_head_of_about_the_limit_of_a_reader_arrives_whole(size):
    """The limit may be between the bytes of the end of the head."""
    head = b"HTTP/1.1 200 OK\r\nA: "
    data = head + b"x" * (size - len(head)) + b"\r\n\r\nbody"
    response = await parse_response(data, "GET")
    assert (len(response.headers["A"]), response.body) == (size - len(head), b"body")


async def test_a_reason_may_be_missing():
    assert (await parse_response(b"HTTP/1.1 204\r\n\r\n", "GET")).reason == ""


@pytest.mark.parametrize(
    "headers", [{"Host": "a b"}, {"X": "x" * 40_000}, {"Expect": "x"}], ids=str
)
async def test_bytes_that_are_not_a_request_are_answered_at_once(client, headers):
    """The server continues to read so that its response arrives; this client has it already."""
    response = await asyncio.wait_for(client.get("/", headers=headers), 2)
    assert response.status in {400, 417, 431}


def test_a_server_of_another_loop_is_not_waited_for(app):
    """Its loop does not run while this one does: the answer would never come."""
    live = LiveClient(app)

    async def query():
        await live.query("GET", "/")

    with asyncio.Runner() as runner:
        runner.run(live.start())
        with asyncio.Runner() as other, pytest.raises(RuntimeError, match="another event loop"):
            other.run(query())
        runner.run(live.stop())


@pytest.mark.parametrize("path", ["/", "/nowhere"])
async def test_response_has_the_length_that_was_sent(client, path):
    response = await client.get(path)
    assert response.headers["Content-Length"] == len(response.body)
    head = await client.head("/")
    assert head.headers["Content-Length"] > 0 == len(head.body)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("text", "text/plain; charset=utf-8"),
        (b"bytes", "application/octet-stream"),
        ("", None),
    ],
)
async def test_response_has_the_type_that_was_sent(app, client, body, kind):
    @app.route("/typed")
    async def typed(request, response):
        response.body = body

    for verb in (client.get, client.head):
        response = await verb("/typed")
        assert response.headers.get("Content-Type") == kind
        assert (b"\r\nContent-Type: " in client.protocol.transport.data) is (kind is not None)


@pytest.mark.parametrize("name", ["content-type", "Content-Type"])
@pytest.mark.parametrize("kind", ["text/html", ""])
async def test_type_of_the_response_itself_stays(app, client, name, kind):
    @app.route("/typed")
    async def typed(request, response):
        response.headers[name] = kind
        response.body = "text"

    headers = (await client.get("/typed")).headers
    assert {key: headers[key] for key in headers if key != "Content-Length"} == {name: kind}


@pytest.mark.parametrize("path", ["/empty", "/chunks"])
async def test_response_that_was_sent_without_a_length_has_none(client, path):
    assert "Content-Length" not in (await client.get(path)).headers


async def test_length_that_a_handler_sets_is_kept(app, client):
    @app.route("/own")
    def own(request, response):
        response.headers["content-length"] = "3"
        response.body = b"abc"

    headers = (await client.get("/own")).headers
    assert [headers[name] for name in headers if name.lower() == "content-length"] == ["3"]


async def test_protocol_of_the_client_has_the_last_request_and_response(app, client):
    seen = []

    @app.listen("request")
    async def note(request, response):
        await asyncio.sleep(0)
        assert (request.protocol.request, request.protocol.response) == (request, response)
        seen.append((request, response))

    for path in ("/", "/chunks"):
        response = await client.get(path)
        assert client.protocol.response is response
        assert (client.protocol.request, client.protocol.response) == seen[-1]
        assert client.protocol.request.path == path


async def test_protocol_of_the_client_has_the_request_of_a_websocket(app, client):
    @app.route("/ws", protocol="websocket")
    async def talk(request, ws):
        await ws.recv()

    headers = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
    headers["Sec-WebSocket-Key"] = "AAAAAAAAAAAAAAAAAAAAAA=="
    assert (await client.get("/ws", headers=headers)).status == 101
    assert client.protocol.request.path == "/ws"


async def test_data_are_encoded_by_the_codec_of_the_application(app, client):
    class Codec:
        dumps = staticmethod(lambda value: b"*")
        loads = staticmethod(json.loads)

    app.JSON = Codec
    seen = []
    app.listen("request")(lambda request: seen.append(request.body))
    await client.post("/", {"a": 1})
    assert seen == [b"*"]


async def test_connection_has_no_request_between_two_requests(liveclient, app):
    seen = []

    @app.route("/kept")
    def kept(request, response):
        seen.append(request.protocol)
        response.body = b"x"

    reader, writer = await asyncio.open_connection("127.0.0.1", liveclient.port)
    writer.write(b"GET /kept HTTP/1.1\r\nHost: x\r\n\r\n")
    await reader.readuntil(b"\r\n\r\nx")
    assert (seen[0].request, seen[0].response) == (None, None)
    writer.close()


@pytest.mark.parametrize("client", [Client, LiveClient])
@pytest.mark.parametrize("app", [None, "x", Roll], ids=repr)
def test_client_of_something_else_is_refused_at_once(client, app):
    with pytest.raises(ValueError, match="A client is for an application of Roll, not"):
        client(app)
