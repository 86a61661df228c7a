"""Routes that share a prefix and extras."""

import pytest

from roll import HttpError


async def test_a_group_prepends_its_prefix_and_extras(app, client):
    api = app.group("/api", unprotected=True, version=1)

    @api.route("/a", version=2)
    def view(request, response):
        payload = request.route.payload
        response.json = [payload["unprotected"], payload["version"]]

    assert (await client.get("/api/a")).body == b"[true,2]"
    assert (await client.get("/a")).status == 404


async def test_groups_nest(app, client):
    books = app.group("/api", unprotected=True).group("/books", accepts=["text/html"])

    @books.route("/{isbn}", ["PUT"])
    def put(request, response, isbn):
        payload = request.route.payload
        response.json = [isbn, payload["unprotected"], payload["accepts"]]

    assert (await client.put("/api/books/12")).body == b'["12",true,["text/html"]]'


async def test_settings_of_a_handler_can_be_a_groups(app, client):
    uploads = app.group("/uploads", methods=["POST"], lazy_body=True, max_body=3)

    @uploads.route("/a")
    async def lazy(request, response):
        response.body = await request.read()

    @uploads.route("/b", methods=["PUT"], lazy_body=False)
    async def eager(request, response):
        response.body = request.body

    assert (await client.post("/uploads/a", b"123")).body == b"123"
    assert (await client.put("/uploads/b", b"123")).body == b"123"
    assert (await client.put("/uploads/b", b"1234")).status == 413


async def test_route_of_a_group_accepts_positional_arguments_too(app, client):
    uploads = app.group("/uploads")

    @uploads.route("/a", "post", "http", True)
    async def lazy(request, response):
        with pytest.raises(HttpError):
            _ = request.body
        response.body = "lazy"

    assert (await client.post("/uploads/a", b"1")).body == b"lazy"


@pytest.mark.parametrize("methods", ["FOO", ["GET", "FOO"], [], "20", "GET,POST", 5, [None]])
def test_methods_of_a_group_are_checked_where_it_is_made(app, methods):
    with pytest.raises(ValueError, match="method"):
        app.group("/g", methods=methods)


async def test_methods_of_a_group_may_be_an_iterator(app, client):
    """Before, its second route was told that `methods` is empty."""
    group = app.group("/g", methods=iter(["GET", "POST"]))
    for path in ("/a", "/b"):

        @group.route(path)
        def view(request, response):
            response.body = request.method

    assert [(await client.post(path)).body for path in ("/g/a", "/g/b")] == [b"POST", b"POST"]


def test_method_of_a_websocket_group_is_get(app):
    with pytest.raises(ValueError, match="cannot have the method 'POST'"):
        app.group("/g", methods=["POST"], protocol="websocket")
