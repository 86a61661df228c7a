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
