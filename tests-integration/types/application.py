"""An application, as type checkers see it."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, assert_type

from roll import (
    Files,
    Form,
    HttpError,
    Limits,
    Multipart,
    Query,
    Request,
    Response,
    Roll,
    WSProtocol,
)
from roll.extensions import named_url, simple_server
from roll_multipart import UploadedFile

app = Roll(limits=Limits(body=2**20))
app["books"] = []
app.config = {"debug": True}
app.url_for = named_url(app)
assert_type(app.config, Any)
app.limits = 3  # error: assignment


@app.lifespan
async def database(app: Roll) -> AsyncIterator[None]:
    app["db"] = {}
    yield


async def count() -> int:
    return len(app["books"])


@app.route("/count")
async def start_count(request: Request, response: Response) -> None:
    task = app.create_task(count(), name="count")
    assert_type(task, asyncio.Task[int])
    app.create_task(count)  # error: arg-type

    @response.after
    def later() -> None:
        app["counted"] = task.result()

    assert_type(later(), None)
    response.after(start_count)  # error: type-var


@app.listen("request")
async def identify(request: Request, response: Response) -> None:
    if "X-TOKEN" not in request.headers:
        raise HttpError(401)
    request["user"] = "ada"


@app.route("/books/{isbn}", methods=["POST"], name="book")
async def book(request: Request, response: Response, isbn: str) -> None:
    assert_type(request.query, Query)
    assert_type(request.query.int("page", 1), int)
    assert_type(request.form, Form)
    assert_type(request.form.get("title", None), str | None)
    assert_type(request.files, Files)
    assert_type(request.files.get("cover"), UploadedFile)
    request.query.ints("page")  # error: attr-defined
    response.json = {"isbn": isbn}


class Dated(Query):
    @property
    def year(self) -> int:
        return self.int("year")


class OwnRequest(Request):
    query: Dated


class OwnRoll(Roll):
    Query = Dated
    Request = OwnRequest


own = OwnRoll()


@own.route("/")
def index(request: OwnRequest, response: Response) -> None:
    assert_type(request.query, Dated)
    assert_type(request.query.year, int)


@own.route("/live", protocol="websocket")
async def live(request: Request, ws: WSProtocol) -> None:
    async for message in ws:
        assert_type(message, str | bytes)


assert_type(Multipart().initialize("multipart/form-data; boundary=x"), tuple[Form, Files])

simple_server(own, port=0)
