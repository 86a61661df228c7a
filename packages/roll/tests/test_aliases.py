"""Routes to one place whose methods name its placeholders differently."""

from __future__ import annotations

import pytest

from roll import Roll
from roll.testing import Client


@pytest.fixture
def named(app):
    @app.route("/user/{id}")
    async def show(request, response, id):  # noqa: A002 - as such a handler calls it
        response.body = f"show {id}"

    @app.route("/user/{name:string}", methods=["DELETE", "PUT"])
    async def change(request, response, name):
        response.body = f"{request.method} {name} {request.route.vars}"

    return app


async def test_each_handler_gets_the_names_it_was_registered_with(named, client):
    assert (await client.get("/user/1")).body == b"show 1"
    assert (await client.delete("/user/1")).body == b"DELETE 1 {'name': '1'}"
    assert (await client.put("/user/a")).body == b"PUT a {'name': 'a'}"


async def test_what_is_asked_of_the_first_or_of_nobody_stays_as_it_is(named, client):
    assert (await client.head("/user/1")).status == 200
    response = await client.post("/user/1")
    assert response.status == 405
    assert response.headers["Allow"] == "GET, HEAD, PUT, DELETE"
    assert (await client.get("/nowhere")).status == 404


async def test_a_handler_given_to_the_router_itself_gets_the_names_of_the_match(named, client):
    async def direct(request, response, id):  # noqa: A002 - as such a handler calls it
        response.body = f"direct {id}"

    named.routes.add("/direct/{id}", POST=direct)
    assert (await client.post("/direct/2")).body == b"direct 2"


async def test_another_router_has_its_own_idea_of_names():
    class Flat(dict):
        def add(self, path, **payload):
            self.setdefault(path, {}).update(payload)

        def match(self, path):
            return (self[path], {"where": path}) if path in self else (None, None)

    class Mine(Roll):
        Routes = Flat

    app = Mine()

    @app.route("/<not ours>")
    async def handler(request, response, where):
        response.body = where

    assert (await Client(app).get("/<not ours>")).body == b"/<not ours>"


async def test_braces_of_a_regex_are_not_a_placeholder(app, client):
    @app.route(r"/{a:\d{4}}")
    async def year(request, response, a):
        response.body = f"year {a}"

    @app.route(r"/{b:\d{5}}")
    async def area(request, response, b):
        response.body = f"area {b}"

    @app.route(r"/{a:\d{5}}", methods=["POST"])
    async def change(request, response, a):
        response.body = f"change {a}"

    assert (await client.get("/1234")).body == b"year 1234"
    assert (await client.get("/12345")).body == b"area 12345"
    assert (await client.post("/12345")).body == b"change 12345"


async def test_a_name_may_be_any_text(app, client):
    @app.route("/{user-id}")
    async def show(request, response, **names):
        response.body = str(names)

    @app.route("/{user name:string}", methods=["POST"])
    async def change(request, response, **names):
        response.body = str(names)

    assert (await client.get("/1")).body == b"{'user-id': '1'}"
    assert (await client.post("/1")).body == b"{'user name': '1'}"
