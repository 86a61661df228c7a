"""A page of ordinary code: handlers, listeners, subclasses and tests, as users annotate them."""

import json
from collections.abc import AsyncIterator
from http import HTTPStatus
from http.cookies import SimpleCookie
from typing import Any, cast
from uuid import UUID

import orjson
import pytest
from werkzeug.datastructures import MultiDict

from roll import (
    Cookies,
    Form,
    HttpError,
    HTTPProtocol,
    Limits,
    Query,
    Request,
    Response,
    Roll,
    Routes,
    WSProtocol,
)
from roll.extensions import cors, logger, named_url, simple_server, static
from roll.testing import Client, LiveClient


class NotFound(HttpError):
    status = 404


class Teapot(HttpError):
    status = HTTPStatus.IM_A_TEAPOT
    message = "short and stout"


class Own(HttpError):
    def __init__(self, name: str) -> None:
        super().__init__(409, {"taken": name}, context=ValueError(name))


class MyQuery(Query):
    @property
    def page(self) -> int:
        return self.int("page", 1)


class MyRequest(Request):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user: str | None = None

    @property
    def query(self) -> MyQuery:
        return cast(MyQuery, super().query)


class JsonRequest(Request):
    @property
    def json(self) -> Any:
        return super().json["data"]


class MyResponse(Response):
    def html(self, text: str) -> None:
        self.headers["Content-Type"] = "text/html; charset=utf-8"
        self.body = text


class Old(Roll):
    JSON = json
    Request = JsonRequest


class Foreign(Roll):
    JSON = orjson
    Cookies = SimpleCookie
    Form = MultiDict
    Files = MultiDict


class MyRoutes(Routes):
    def match(self, path: str, /) -> Any:
        return super().match(path.lower())


class MyProtocol(HTTPProtocol):
    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)


class MySocket(WSProtocol):
    MAX_SIZE = 2**16


class MyRoll(Roll):
    HttpProtocol = MyProtocol
    WebsocketProtocol = MySocket
    Request = MyRequest
    Response = MyResponse
    Query = MyQuery
    Form = Form
    Routes = MyRoutes
    Cookies = Cookies


app = MyRoll(limits=Limits(body=2**20))
app["books"] = {}
app.url_for = named_url(app)
cors(app, origin=["https://example.org"])
logger(app)
static(app, root=".")


@app.listen("startup")
async def start() -> None:
    app["started"] = True


@app.listen("request")
async def identify(request: MyRequest, response: MyResponse) -> bool | None:
    if request.user is None and "X-TOKEN" not in request.headers:
        response.status = HTTPStatus.UNAUTHORIZED
        return True
    return None


@app.listen("error")
def on_error(request: Request, response: Response, error: HttpError) -> None:
    if error.status == HTTPStatus.INTERNAL_SERVER_ERROR:
        app["failed"] = (error.__context__, error.status.phrase)
    response.json = {"error": str(error.message)}


@app.route("/books/{isbn}", methods=["GET", "PUT"], name="book")
async def book(request: MyRequest, response: MyResponse, isbn: str) -> None:
    if isbn not in app["books"]:
        raise NotFound()
    if request.method == "PUT":
        app["books"][isbn] = request.json
        response.status = 201
    response.html(f"<h1>{app.url_for('book', isbn=isbn)} {request.query.page + 1}</h1>")


@app.route("/things/{thing}", methods="delete")
def delete(request: Request, response: Response, thing: UUID) -> None:
    response.cookies.set("last", str(thing), max_age=60)
    response.redirect = "/", 303


@app.route("/form", methods=["POST"], lazy_body=True, max_body=2**30)
async def upload(request: Request, response: Response) -> None:
    await request.load_form()
    title = request.form.get("title", "none")
    photo = request.files.get("photo")
    response.json = {"title": title.upper(), "size": len(photo.read()), "name": photo.filename}


@app.route("/chunks")
async def chunks(request: Request, response: Response) -> None:
    async def body() -> AsyncIterator[bytes]:
        async for chunk in request:
            yield chunk

    response.body = body()


@app.route("/class")
class View:
    async def on_get(self, request: Request, response: Response) -> None:
        response.body = "get"

    def on_post(self, request: Request, response: Response) -> None:
        response.json = request.json


@app.route("/ws/{room}", protocol="websocket", origins=["https://example.org"])
async def chat(request: Request, ws: WSProtocol, room: str) -> None:
    async for message in ws:
        await ws.send(f"{room}: {message!r}")


api = app.group("/api", accepts=["application/json"])
api.route("/books")(lambda request, response: None)


@pytest.mark.asyncio
async def test_book(client: Client) -> None:
    response = await client.get("/books/1", headers={"X-Token": "1"})
    assert response.status == 404
    assert response.json == {"error": "Not Found"}
    assert client.protocol.request.path == "/books/1"


@pytest.mark.asyncio
async def test_live(liveclient: LiveClient) -> None:
    response = await liveclient.query("POST", "/form", body=b"")
    assert response.status == 415


if __name__ == "__main__":
    simple_server(app, port=3579)
