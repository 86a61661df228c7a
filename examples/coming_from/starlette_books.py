from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.responses import JSONResponse, PlainTextResponse, StreamingResponse
from starlette.routing import Route, WebSocketRoute


@asynccontextmanager
async def database(app):
    app.state.books = {1: "Dune"}
    yield
    app.state.books.clear()


class AddHeader:
    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        async def send_with_header(message):
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"x-served-by", b"books")]
            await send(message)

        await self.app(scope, receive, send_with_header)


async def list_books(request):
    books = request.app.state.books
    page = int(request.query_params.get("page", 1))
    return JSONResponse({"page": page, "books": list(books.values())})


async def add_book(request):
    books = request.app.state.books
    number = len(books) + 1
    books[number] = (await request.json())["title"]
    return JSONResponse({"id": number, "title": books[number]}, status_code=201)


async def show_book(request):
    number = request.path_params["number"]
    if number not in request.app.state.books:
        raise HTTPException(404, "No such book")
    return JSONResponse({"id": number, "title": request.app.state.books[number]})


async def receive_cover(request):
    async with request.form() as form:
        cover = form["cover"]
        return JSONResponse({"name": cover.filename, "size": len(await cover.read())})


async def login(request):
    response = PlainTextResponse("Welcome")
    response.set_cookie("user", "ada", httponly=True)
    return response


async def count(request):
    async def numbers():
        for number in range(3):
            yield f"{number} "

    return StreamingResponse(numbers(), media_type="text/plain")


async def echo(websocket):
    await websocket.accept()
    async for message in websocket.iter_text():
        await websocket.send_text(message)


app = Starlette(
    lifespan=database,
    middleware=[Middleware(AddHeader)],
    routes=[
        Route("/books", list_books),
        Route("/books", add_book, methods=["POST"]),
        Route("/books/{number:int}", show_book),
        Route("/covers", receive_cover, methods=["POST"]),
        Route("/login", login),
        Route("/count", count),
        WebSocketRoute("/echo", echo),
    ],
)
