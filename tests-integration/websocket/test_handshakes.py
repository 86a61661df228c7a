"""Requests for a websocket route: each gets an answer, valid or not."""

import pytest

from roll import HttpError

UPGRADE = {"Upgrade": "websocket"}
KEY = "dGhlIHNhbXBsZSBub25jZQ=="


@pytest.fixture(autouse=True)
def routes(app):
    @app.route("/", protocol="websocket")
    async def echo(request, ws):
        async for message in ws:
            await ws.send(message)

    @app.route("/strict", protocol="websocket", origins=["https://good.example"])
    async def strict(request, ws):
        await ws.send("welcome")

    @app.route("/chat", protocol="websocket", subprotocols=["superchat", "chat"])
    async def chat(request, ws):
        await ws.send(str(ws.subprotocol))


@pytest.mark.parametrize(
    ("fields", "status", "expected"),
    [
        ({"Upgrade": None}, 426, UPGRADE),
        ({"Upgrade": None, "Connection": None}, 426, UPGRADE),
        ({"Sec-WebSocket-Version": "8"}, 426, {"Sec-WebSocket-Version": "13"}),
        ({"Sec-WebSocket-Version": None}, 426, {"Sec-WebSocket-Version": "13"}),
        ({"Sec-WebSocket-Key": None}, 400, {}),
        ({"Sec-WebSocket-Key": "nonsense"}, 400, {}),
        ({"Sec-WebSocket-Key": [KEY, KEY]}, 400, {}),
        ({"Host": None}, 400, {}),
        ({"Host": "a/b"}, 400, {}),
        ({"Host": ["a", "b"]}, 400, {}),
        ({"Upgrade": "h2c"}, 501, {}),
    ],
)
async def test_a_bad_handshake_is_answered(dial, speak, fields, status, expected):
    raw = await dial()
    raw.send(speak.head(fields=fields))
    answer = await raw.answer()
    assert answer.status == status
    for name, value in expected.items():
        assert answer.all(name) == [value]


async def test_another_method_is_405_with_allow(dial, speak):
    raw = await dial()
    raw.send(speak.head(method="POST", fields={"Content-Length": "0"}))
    answer = await raw.answer()
    assert answer.status == 405
    assert answer.all("Allow") == ["GET"]


async def test_http_1_0_is_refused(dial, speak):
    raw = await dial()
    raw.send(speak.head(version="1.0"))
    assert (await raw.answer()).status in {400, 426, 505}


async def test_an_unknown_path_is_404(dial, speak):
    raw = await dial()
    raw.send(speak.head("/nowhere"))
    assert (await raw.answer()).status == 404


REFUSALS = {
    "plain request": ("/", {"Upgrade": None}),
    "without Connection": ("/", {"Connection": "keep-alive"}),
    "another protocol": ("/", {"Upgrade": "h2c"}),
    "another version": ("/", {"Sec-WebSocket-Version": "8"}),
    "another method": ("/", {"method": "POST", "Content-Length": "0"}),
    "another method of a page": ("/page", {"method": "PUT", "Content-Length": "0"}),
    "bad key": ("/", {"Sec-WebSocket-Key": "nonsense"}),
    "bad extensions": ("/", {"Sec-WebSocket-Extensions": "a b"}),
    "foreign origin": ("/strict", {"Origin": "https://evil.example"}),
    "unknown path": ("/nowhere", {}),
    "no websocket": ("/page", {}),
    "no websocket, one protocol of several": ("/page", {"Upgrade": "h2c, WebSocket"}),
    "refused by a listener": ("/", {"X-Refuse": "by its result"}),
    "refused by an error of a listener": ("/", {"X-Refuse": "by an error"}),
    "refused by a fault of a listener": ("/", {"X-Refuse": "by a fault"}),
}


@pytest.fixture
def pages(app):
    """The refusals of listeners, and the paths of the requests that ran."""
    run = []

    @app.listen("headers")
    async def refuse(request, response):
        run.append(request.path)
        how = request.headers.get("X-REFUSE", "")
        if how.endswith("error"):
            raise HttpError(403, "no")
        if how.endswith("fault"):
            raise KeyError("oops")
        return bool(how)

    @app.route("/page", methods=["GET", "POST"])
    async def page(request, response):
        response.body = "page"

    return run


@pytest.mark.parametrize(("path", "fields"), REFUSALS.values(), ids=REFUSALS)
async def test_a_refused_handshake_closes_and_what_follows_is_not_run(
    pages, dial, speak, path, fields
):
    method = fields.get("method", "GET")
    raw = await dial()
    raw.send(speak.head(path, method, fields=fields) + b"GET /next HTTP/1.1\r\nHost: a\r\n\r\n")
    answer = await raw.answer()
    assert answer.status != 101
    assert "close" in ", ".join(answer.all("Connection"))
    assert await raw.rest() == b""
    assert pages == [path]


async def test_another_upgrade_that_is_not_taken_leaves_the_connection_open(pages, dial, speak):
    raw = await dial()
    raw.send(speak.head("/page", fields={"Upgrade": "h2c"}))
    assert (await raw.answer()).body == b"page"
    raw.send(speak.head())
    assert (await raw.answer()).status == 101


async def test_a_foreign_origin_is_403_where_origins_are_listed(dial, speak):
    raw = await dial()
    raw.send(speak.head("/strict", fields={"Origin": "https://evil.example"}))
    assert (await raw.answer()).status == 403


@pytest.mark.parametrize("origin", ["https://good.example", None])
async def test_a_listed_origin_and_none_are_let_in(dial, origin):
    raw = await dial("/strict", **({"Origin": origin} if origin else {}))
    assert await raw.frame() == (0x81, b"welcome")


async def test_any_origin_is_let_in_by_default(dial):
    await dial("/", Origin="https://evil.example")


async def test_the_first_known_subprotocol_of_the_client_is_taken(dial, speak):
    raw = await dial()
    raw.send(speak.head("/chat", fields={"Sec-WebSocket-Protocol": "x, chat, superchat"}))
    assert (await raw.answer()).all("Sec-WebSocket-Protocol") == ["chat"]
    assert await raw.frame() == (0x81, b"chat")


async def test_unknown_subprotocols_are_not_negotiated(dial, speak):
    raw = await dial()
    raw.send(speak.head("/chat", fields={"Sec-WebSocket-Protocol": "x"}))
    assert (await raw.answer()).all("Sec-WebSocket-Protocol") == []
    assert await raw.frame() == (0x81, b"None")


async def test_frames_in_the_packet_of_the_handshake_are_processed(dial, speak):
    raw = await dial("/", after=speak.frame(9, b"ping") + speak.frame(1, b"early"))
    assert await raw.frame() == (0x8A, b"ping")
    assert await raw.frame() == (0x81, b"early")


async def test_the_event_headers_may_refuse_a_handshake(app, dial, speak):
    @app.listen("headers")
    async def refuse(request, response):
        response.status = 401
        response.body = "who are you?"
        return True

    raw = await dial()
    raw.send(speak.head())
    answer = await raw.answer()
    assert (answer.status, answer.body) == (401, b"who are you?")


async def test_headers_and_cookies_of_the_response_go_out_with_the_101(app, dial, speak):
    @app.listen("headers")
    async def greet(request, response):
        response.headers["X-Served-By"] = "roll"
        response.cookies.set("seen", "1")

    raw = await dial()
    raw.send(speak.head())
    answer = await raw.answer()
    assert answer.status == 101
    assert answer.all("X-Served-By") == ["roll"]
    assert answer.all("Sec-WebSocket-Accept") == ["s3pPLMBiTxaQ9kYGzzhZRbK+xOo="]
    (cookie,) = answer.all("Set-Cookie")
    assert cookie.startswith("seen=1")
