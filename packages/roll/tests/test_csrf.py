"""The extension `csrf`: requests of pages of other sites are refused."""

import asyncio

import pytest

from roll import Roll, extensions

HOST = {"Host": "example.org"}


@pytest.fixture
def app(app):
    extensions.csrf(app, ["https://friend.example"])

    @app.route("/", methods=["GET", "POST", "DELETE"])
    async def index(request, response):
        response.body = "done"

    @app.route("/hook", methods=["POST"], csrf=False)
    async def hook(request, response):
        response.body = "done"

    @app.route("/live", protocol="websocket")
    async def live(request, ws):
        await ws.send("live")

    return app


ALLOWED = [
    {},
    {"Sec-Fetch-Site": "same-origin", "Origin": "https://example.org"},
    {"Sec-Fetch-Site": "none"},
    {"Origin": "https://example.org"},
    {"Origin": "http://example.org"},
    {"Sec-Fetch-Site": "cross-site", "Origin": "https://friend.example"},
]
REFUSED = [
    {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site", "Origin": "https://other.example.org"},
    {"Sec-Fetch-Site": "SAME-ORIGIN "[:-1]},
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "https://example.org.evil.example"},
    {"Origin": "https://example.org:8443"},
    {"Origin": "example.org"},
    {"Origin": ""},
    {"Origin": "https://"},
]


@pytest.mark.parametrize("headers", ALLOWED)
@pytest.mark.parametrize("method", ["POST", "DELETE"])
async def test_own_pages_and_other_clients_may_change_things(client, method, headers):
    response = await client.request("/", method, headers={**HOST, **headers})
    assert (response.status, response.body) == (200, b"done")


@pytest.mark.parametrize("headers", REFUSED)
@pytest.mark.parametrize("method", ["POST", "DELETE"])
async def test_pages_of_other_sites_change_nothing(client, method, headers):
    response = await client.request("/", method, headers={**HOST, **headers})
    assert response.status == 403
    assert response.body == b"A page of another site has sent this request"


@pytest.mark.parametrize("headers", REFUSED)
async def test_pages_of_other_sites_may_link_here(client, headers):
    response = await client.get("/", headers={**HOST, **headers})
    assert response.status == 200


NO_HOST = [b"", b"null", b"https://", b"://", b"https://evil.example"]


@pytest.mark.parametrize("origin", NO_HOST)
async def test_origin_without_a_host_does_not_match_a_missing_host(liveclient, origin):
    reader, writer = await asyncio.open_connection("127.0.0.1", liveclient.port)
    writer.write(b"POST / HTTP/1.0\r\nOrigin: %b\r\nContent-Length: 0\r\n\r\n" % origin)
    assert (await reader.readline()).startswith(b"HTTP/1.1 403 ")
    writer.close()


async def test_client_without_a_host_and_an_origin_is_no_browser(liveclient):
    reader, writer = await asyncio.open_connection("127.0.0.1", liveclient.port)
    writer.write(b"POST / HTTP/1.0\r\nContent-Length: 0\r\n\r\n")
    assert (await reader.readline()).startswith(b"HTTP/1.1 200 ")
    writer.close()


@pytest.mark.parametrize("headers", REFUSED)
async def test_route_may_be_left_out(client, headers):
    response = await client.post("/hook", headers={**HOST, **headers})
    assert response.status == 200


async def test_path_without_a_route_is_refused_too(client):
    response = await client.post("/nothing", headers={**HOST, **REFUSED[0]})
    assert response.status == 403


async def test_other_site_opens_no_websocket(liveclient):
    import websockets

    url = f"ws://127.0.0.1:{liveclient.port}/live"
    async with websockets.connect(url) as ws:
        assert await ws.recv() == "live"
    with pytest.raises(websockets.InvalidStatus) as caught:
        await websockets.connect(url, origin="https://evil.example")
    assert caught.value.response.status_code == 403


@pytest.mark.parametrize("origins", [5, None, b"https://a.org", iter([])])
def test_invalid_list_of_origins_is_refused_at_once(app, origins):
    with pytest.raises(ValueError, match="`origins` is a list of origins, or one of them, not"):
        extensions.csrf(app, origins)


@pytest.mark.parametrize("value", ["no", 0, None])
def test_the_extra_is_a_flag(app, value):
    with pytest.raises(ValueError, match="`csrf` is True or False, not"):
        app.route("/", csrf=value)


@pytest.mark.parametrize("origins", ["https://a.org", ["https://a.org"]])
async def test_another_site_may_be_given_alone(client, origins):
    app = Roll()
    app.route("/", methods="POST")(lambda request, response: None)
    extensions.csrf(app, origins)
    client = type(client)(app)
    for origin, status in (("https://a.org", 200), ("https://a.or", 403)):
        headers = {"Origin": origin, "Sec-Fetch-Site": "cross-site"}
        assert (await client.post("/", headers=headers)).status == status


@pytest.mark.parametrize("origins", ["https://a.org/", "a.org", ["a.org"], [None], [5]])
def test_invalid_origin_is_refused_at_once(app, origins):
    with pytest.raises(ValueError, match="`origins` has origins as browsers send them"):
        extensions.csrf(app, origins)
