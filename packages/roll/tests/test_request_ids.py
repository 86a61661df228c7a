"""The id and the trace of a request."""

import asyncio
import copy
import json
import os
import re
from types import SimpleNamespace

import pytest

from roll import HttpError, Request, Roll
from roll.extensions import access_log, csrf, options, proxy_headers, request_ids
from roll.identity import ID, Trace, new_id
from roll.testing import Client
from roll.worker import configure

TRACE_ID, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
PARENT = f"00-{TRACE_ID}-{SPAN}-01"


@pytest.fixture
def app(app):
    @app.route("/", methods=["GET", "POST"])
    async def index(request, response):
        response.body = request.id

    @app.route("/ws", protocol="websocket")
    async def ws(request, ws):
        await ws.send(request.id)

    return app


def of_client(address):
    """A connection from an address; None is a Unix socket."""
    return SimpleNamespace(peer=address and (address, 5))


# Without the extension.


async def test_each_request_has_its_own_id(client):
    ids = {(await client.get("/")).text for _ in range(3)}
    assert len(ids) == 3
    assert all(re.fullmatch("[0-9a-f]{32}", one) for one in ids)
    assert "X-Request-ID" not in (await client.get("/")).headers


def test_an_id_stays_and_may_be_set():
    request = Request(None, None)
    assert request.known_id is None
    assert request.id == request.id == copy.deepcopy(request).id
    request.id = "mine"
    assert (request.id, request.known_id) == ("mine", "mine")


def test_custom_request_class_may_have_an_id():
    class Mine(Request):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            self.id = "mine"

    assert Mine(None, None).id == "mine"


def test_a_forked_process_makes_other_ids():
    reading, writing = os.pipe()
    if os.fork() == 0:
        os.write(writing, new_id().encode())
        os._exit(0)
    os.wait()
    assert os.read(reading, 100).decode() != new_id()
    os.close(reading)
    os.close(writing)


# With it.


async def test_id_of_a_trusted_proxy_is_used_and_sent_back(app, client):
    request_ids(app)
    response = await client.get("/", headers={"X-Request-ID": "abc-1"})
    assert response.text == response.headers["X-Request-ID"] == "abc-1"


async def test_without_one_an_id_is_made_and_sent_back(app, client):
    request_ids(app)
    response = await client.get("/")
    assert response.text == response.headers["X-Request-ID"]
    assert re.fullmatch(ID, response.text)


BAD = ["", " ", "x" * 201, "a b", "a,b", 'a"b', "é", "\x85", "a;b", "<a>", "a\\", "{}", "a%0a"]
GOOD = [
    "x",
    "x" * 200,
    "7b0c1f2e-0d5f-4b1a-9a6e-0e3f8d8c9b1a",
    "Root=1-67891233-abcdef012345678912345678",
    "01858585+/=_.~:@-",
]


@pytest.mark.parametrize("given", BAD + GOOD)
async def test_an_id_of_other_characters_or_length_is_replaced(app, client, given):
    request_ids(app)
    response = await client.get("/", headers={"X-Request-ID": given})
    assert response.status == 200
    assert (response.text == given) is (given in GOOD)
    assert response.headers["X-Request-ID"] == response.text


async def test_two_ids_are_ignored(app, talk):
    request_ids(app)
    answer = await talk(
        b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        b"X-Request-ID: a\r\nX-Request-ID: b\r\n\r\n"
    )
    assert re.search(rb"X-Request-ID: [0-9a-f]{32}\r\n", answer)


@pytest.mark.parametrize(
    ("trusted", "peer", "believed"),
    [
        (None, "127.0.0.1", True),
        (None, "::1", True),
        (None, None, True),
        (None, "10.0.0.1", False),
        (["10.0.0.0/8"], "10.0.0.1", True),
        (["10.0.0.0/8"], "127.0.0.1", False),
        (["10.0.0.0/8"], None, False),
        (["*"], "203.0.113.1", True),
    ],
)
async def test_only_trusted_peers_are_believed(app, trusted, peer, believed):
    request_ids(app, trusted=trusted)
    await app.startup()
    assert (await id_of(app, peer) == "theirs") is believed


async def id_of(app, peer, **fields):
    """The id of a request with an id of a peer."""
    request = app.Request(app, of_client(peer))
    request.method, request.path = "GET", "/"
    request.headers = {"X-REQUEST-ID": "theirs", **fields}
    response = await app(request, app.Response(app, None))
    assert response.headers["X-Request-ID"] == request.id
    return request.id


@pytest.mark.parametrize("first", [request_ids, proxy_headers])
@pytest.mark.parametrize("peer", ["10.0.0.1", "127.0.0.1"])
async def test_by_default_the_proxies_of_proxy_headers_are_believed(app, first, peer):
    calls = [lambda: request_ids(app), lambda: proxy_headers(app, trusted=["10.0.0.1"])]
    for call in calls if first is request_ids else reversed(calls):
        call()
    await app.startup()
    # Not the address that the proxy tells: everyone may be behind it.
    found = await id_of(app, peer, **{"X-FORWARDED-FOR": "127.0.0.1"})
    assert (found == "theirs") is (peer == "10.0.0.1")


async def test_its_own_proxies_come_before_those_of_proxy_headers(app):
    request_ids(app, trusted=["10.0.0.2"])
    proxy_headers(app, trusted=["10.0.0.1"])
    await app.startup()
    assert await id_of(app, "10.0.0.2") == "theirs"
    assert await id_of(app, "10.0.0.1") != "theirs"


@pytest.mark.parametrize("with_proxy_headers", [False, True])
async def test_under_gunicorn_its_proxies_are_believed(app, with_proxy_headers):
    from gunicorn.config import Config

    cfg = Config()
    cfg.set("forwarded_allow_ips", "10.0.0.7")
    request_ids(app)
    if with_proxy_headers:
        proxy_headers(app)
    configure(app, cfg, cfg.logger_class(cfg))
    await app.startup()
    assert await id_of(app, "10.0.0.7") == "theirs"
    assert await id_of(app, "127.0.0.1") != "theirs"


async def test_every_answer_has_the_id(app, client):
    csrf(app)
    options(app)
    request_ids(app)

    @app.route("/fails")
    async def fails(request, response):
        raise ValueError

    @app.route("/slow", timeout=0.01)
    async def slow(request, response):
        await asyncio.Event().wait()

    @app.route("/own")
    async def own(request, response):
        response.headers["x-request-id"] = "another"

    headers = {"X-Request-ID": "given", "Sec-Fetch-Site": "cross-site"}
    asked = [
        await client.get("/missing", headers=headers),
        await client.put("/", headers=headers),
        await client.post("/", headers=headers),
        await client.options("/", headers=headers),
        await client.get("/fails", headers=headers),
        await client.get("/slow", headers=headers),
        await client.get("/own", headers=headers),
        await client.get("/ws", headers=headers),
    ]
    assert [one.status for one in asked] == [404, 403, 403, 200, 500, 503, 200, 426]
    for one in asked:
        found = [value for name, value in one.headers.items() if name.lower() == "x-request-id"]
        assert found == ["given"]


async def test_an_error_before_all_events_has_the_id():
    class Odd(Roll):
        def lookup(self, request):
            raise HttpError(404, request.known_id)

    app = Odd()
    request_ids(app)
    assert await id_of(app, "127.0.0.1") == "theirs"


async def test_a_websocket_has_the_id_in_its_handshake(app, client):
    request_ids(app)
    async with client.websocket("/ws", headers={"X-Request-ID": "given"}) as ws:
        assert await ws.recv() == "given"
        assert ws.headers["X-REQUEST-ID"] == "given"


async def test_the_field_may_have_another_name(app, client):
    request_ids(app, header="X-Correlation-Id")
    response = await client.get("/", headers={"X-Correlation-ID": "c", "X-Request-ID": "r"})
    assert response.headers["X-Correlation-Id"] == "c"
    assert "X-Request-ID" not in response.headers


async def test_the_access_log_has_the_id(app, tmp_path):
    request_ids(app)
    access_log(app, tmp_path / "log", "json")
    async with Client(app) as client:
        await client.get("/", headers={"X-Request-ID": "given"})
        await client.get("/missing")
    first, second = map(json.loads, (tmp_path / "log").read_text().splitlines())
    assert first["request_id"] == "given"
    assert re.fullmatch("[0-9a-f]{32}", second["request_id"])


@pytest.mark.parametrize("header", ["", "a b", "a\r\n", "X:Y", "é", 5, None, b"x", ["X-A"]])
def test_invalid_field_name_is_an_error(app, header):
    with pytest.raises(ValueError, match="`header` is the name of a field"):
        request_ids(app, header=header)


# Fields of RFC 9110, 9111, 9112, 6265, 6455, 6797, 9745, Fetch, CSP, and of usual servers.
FIELDS = """
    Accept Accept-Charset Accept-Encoding Accept-Language Accept-Ranges Allow Authentication-Info
    Authorization Connection Content-Encoding Content-Language Content-Length Content-Location
    Content-Range Content-Type Date ETag Expect From Host If-Match If-Modified-Since If-None-Match
    If-Range If-Unmodified-Since Last-Modified Location Max-Forwards Proxy-Authenticate
    Proxy-Authentication-Info Proxy-Authorization Range Referer Retry-After Server TE Trailer
    Upgrade User-Agent Vary Via WWW-Authenticate Age Cache-Control Expires Pragma Warning
    Transfer-Encoding Cookie Set-Cookie Sec-WebSocket-Accept Sec-WebSocket-Extensions
    Sec-WebSocket-Key Sec-WebSocket-Protocol Sec-WebSocket-Version Strict-Transport-Security
    Access-Control-Allow-Origin Access-Control-Allow-Credentials Access-Control-Max-Age
    Access-Control-Request-Method Origin Content-Security-Policy Content-Disposition
    Cross-Origin-Opener-Policy Cross-Origin-Resource-Policy Permissions-Policy Referrer-Policy
    Sec-Fetch-Site Keep-Alive Proxy-Connection Forwarded X-Forwarded-For X-Forwarded-Proto
    X-Real-IP X-Accel-Redirect X-Accel-Buffering X-Sendfile X-Content-Type-Options X-Frame-Options
    Traceparent Tracestate Link Alt-Svc Refresh Clear-Site-Data Server-Timing Last-Event-ID
    set-cookie CONTENT-ENCODING eTag
""".split()  # noqa: SIM905 - shorter


@pytest.mark.parametrize("header", FIELDS)
def test_field_with_another_meaning_is_an_error(app, header):
    with pytest.raises(ValueError, match=f"for ids, as 'X-Request-ID': '{header}' has another me"):
        request_ids(app, header=header)
    assert app.hooks == {}


@pytest.mark.parametrize(
    "header",
    [
        *("X-Correlation-ID", "Request-Id", "x-trace-id", "X-Amzn-Trace-Id", "CF-Ray", "Id"),
        *("X-B3-TraceId", "Fly-Request-Id", "X-Cloud-Trace-Context", "Idempotency-Key"),
    ],
)
async def test_usual_field_of_ids_is_sent_back(app, client, header):
    request_ids(app, header=header)
    response = await client.get("/", headers={header: "abc-1"})
    assert response.headers[header] == "abc-1"


@pytest.mark.parametrize("trusted", ["127.0.0.1", ["nowhere"], 5])
def test_invalid_proxies_are_an_error(app, trusted):
    with pytest.raises(ValueError, match="`trusted`"):
        request_ids(app, trusted=trusted)


# Traces.


def traced(parent, state=None):
    request = Request(None, None)
    request.headers = {"TRACEPARENT": parent} | ({"TRACESTATE": state} if state else {})
    return request.trace


@pytest.mark.parametrize(("flags", "sampled"), [("00", False), ("01", True), ("03", True)])
def test_a_trace_is_read(flags, sampled):
    found = traced(PARENT[:-2] + flags, "a=1,b=2")
    assert found == Trace(TRACE_ID, SPAN, sampled, "a=1,b=2")
    assert found.headers == {
        "traceparent": f"00-{TRACE_ID}-{SPAN}-0{sampled:d}",
        "tracestate": "a=1,b=2",
    }


def test_a_later_version_may_say_more():
    assert traced("01" + PARENT[2:] + "-more") == Trace(TRACE_ID, SPAN, True, None)


@pytest.mark.parametrize(
    "parent",
    [
        "",
        "x",
        "ff" + PARENT[2:],
        PARENT.upper(),
        PARENT + "-more",
        PARENT + "\n",
        "01" + PARENT[2:] + "more",
        PARENT[:-1],
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE_ID}-{'0' * 16}-01",
        f"{PARENT}, {PARENT}",
        PARENT.replace("0", "\u0660"),  # a digit, in Arabic,
    ],
)
def test_a_malformed_trace_is_none(parent):
    assert traced(parent) is None


@pytest.mark.parametrize("state", ["é", "\x85", "a" * 513, "a\tb"])
def test_a_state_that_cannot_be_sent_on_is_left_out(state):
    assert traced(PARENT, state).headers == {"traceparent": PARENT}
