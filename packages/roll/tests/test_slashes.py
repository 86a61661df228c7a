"""One route for `/a` and `/a/`."""

import pytest

from roll import Roll


@pytest.fixture
def app():
    app = Roll(strict_slashes=False)

    @app.route("/without/{name}", methods=["GET", "POST"])
    @app.route("/with/{name}/", methods=["GET", "POST"])
    @app.route("/{anywhere}/x/{name}")
    @app.route("/base/{anywhere}/{name}")
    def view(request, response, name, **others):
        response.body = name

    @app.route("/socket", protocol="websocket")
    async def socket(request, ws):
        """Close at once."""

    app.route("/put/", methods=["PUT"])(lambda request, response: None)
    app.routes.add("/raw/", GET=lambda request, response: None)
    return app


async def test_strict_is_the_default(client):
    app = Roll()
    app.route("/a")(lambda request, response: None)
    client.app = app
    assert (await client.get("/a/")).status == 404


@pytest.mark.parametrize("path", ["/without/a", "/with/a/"])
async def test_the_registered_form_is_answered(client, path):
    assert (await client.get(path)).body == b"a"


@pytest.mark.parametrize(
    ("path", "location"),
    [
        ("/without/a/", "/without/a"),
        ("/with/a", "/with/a/"),
        ("/with/a?b=c&d=%20", "/with/a/?b=c&d=%20"),
        ("/with/%C3%A9%20%22", "/with/%C3%A9%20%22/"),
        ("/raw", "/raw/"),
    ],
)
async def test_get_and_head_are_redirected_query_kept(client, path, location):
    for method in (client.get, client.head):
        response = await method(path)
        assert (response.status, response.headers["Location"]) == (308, location)


@pytest.mark.parametrize("path", ["/without/a/", "/with/a"])
async def test_other_methods_are_answered_without_a_redirection(client, path):
    assert (await client.post(path)).body == b"a"


async def test_a_method_that_is_not_there_is_a_405(client):
    assert (await client.delete("/with/a")).status == 405
    assert (await client.get("/put")).status == 405


async def test_a_websocket_is_not_redirected(client):
    assert (await client.get("/socket/")).status == 426


async def test_page_next_to_a_websocket_is_redirected_but_the_websocket_is_not(app, client):
    app.route("/socket", methods=["HEAD"])(lambda request, response: None)
    assert (await client.get("/socket/")).status == 426
    assert (await client.head("/socket/")).status == 308


async def test_redirection_does_not_change_the_route(client):
    assert (await client.get("/with/a")).status == 308
    assert (await client.get("/with/a/")).status == 200


@pytest.mark.parametrize("path", ["/", "/nowhere", "/nowhere/"])
async def test_path_that_matches_in_neither_form_is_a_404(client, path):
    assert (await client.get(path)).status == 404


async def test_a_location_never_names_a_host(app, client):
    app.route("{path:path}/end/")(lambda request, response, path: setattr(response, "body", path))
    response = await client.get("//example.org/end")
    assert (response.status, response.body) == (200, b"//example.org")
    response = await client.get("/%5Cexample.org/end")
    assert "Location" not in response.headers
