"""Values of any size in errors: the log gets the beginning of each."""

import asyncio

import pytest

from roll import HttpError
from roll.extensions import named_url, rooms

MANY = [1] * 10**5
LONG = "\n" * 10**5


class Wordy:
    def __repr__(self):
        return "x" * 10**5


MISTAKES = {
    "sse": lambda response, app: setattr(response, "sse", MANY),
    "file": lambda response, app: setattr(response, "file", MANY),
    "send_file": lambda response, app: response.send_file("/tmp", filename=MANY),
    "etag": lambda response, app: setattr(response, "etag", MANY),
    "last_modified": lambda response, app: setattr(response, "last_modified", MANY),
    "json": lambda response, app: setattr(response, "json", [Wordy()]),
    "body": lambda response, app: setattr(response, "body", Wordy()),
    "item": lambda response, app: setattr(response, "body", iter([Wordy()])),
    "status": lambda response, app: setattr(response, "status", MANY),
    "redirect": lambda response, app: setattr(response, "redirect", "/" + LONG),
    "name": lambda response, app: response.headers.update({LONG: "x"}),
    "value": lambda response, app: response.headers.update(X=LONG),
    "length": lambda response, app: response.headers.update({"Content-Length": "9" * 10**5}),
    "cookie": lambda response, app: response.cookies.set(LONG, "x"),
    "path": lambda response, app: response.cookies.set("a", "b", path=LONG),
    "domain": lambda response, app: response.cookies.set("a", "b", domain=LONG),
    "samesite": lambda response, app: response.cookies.set("a", "b", samesite=LONG),
    "after": lambda response, app: response.after(MANY),
    "task": lambda response, app: app.create_task(MANY),
    "url": lambda response, app: app.url_for("page", number=LONG),
    "room": lambda response, app: app.rooms[tuple(MANY)],
}


@pytest.mark.parametrize("name", MISTAKES)
async def test_the_log_shows_a_large_value_in_short(app, client, caplog, name):
    app.url_for = named_url(app)
    app.rooms = rooms(app)

    @app.route("/page/{number:int}", name="page")
    async def page(request, response, number):
        pass

    @app.route("/")
    async def handler(request, response):
        MISTAKES[name](response, app)

    try:
        assert (await client.get("/")).status == 500
    except asyncio.IncompleteReadError:
        assert name == "item"  # it fails behind the head
    (record,) = caplog.records
    message = record.getMessage() + str(record.exc_info and record.exc_info[1])
    assert 20 < len(message) < 2000


def test_a_status_that_is_not_one_is_shown_in_short():
    with pytest.raises(ValueError, match="is not an HTTP status") as told:
        HttpError(MANY)
    assert len(str(told.value)) < 500
