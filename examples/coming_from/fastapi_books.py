from contextlib import asynccontextmanager

from fastapi import FastAPI, HTTPException, Response, UploadFile, WebSocket
from fastapi.responses import PlainTextResponse, StreamingResponse
from pydantic import BaseModel

books = {}


@asynccontextmanager
async def database(app):
    books[1] = "Dune"
    yield
    books.clear()


app = FastAPI(lifespan=database)


class Book(BaseModel):
    title: str


@app.middleware("http")
async def add_header(request, call_next):
    response = await call_next(request)
    response.headers["X-Served-By"] = "books"
    return response


@app.get("/books")
async def list_books(page: int = 1):
    return {"page": page, "books": list(books.values())}


@app.post("/books", status_code=201)
async def add_book(book: Book):
    number = len(books) + 1
    books[number] = book.title
    return {"id": number, "title": book.title}


@app.get("/books/{number}")
async def show_book(number: int):
    if number not in books:
        raise HTTPException(404, "No such book")
    return {"id": number, "title": books[number]}


@app.post("/covers")
async def receive_cover(cover: UploadFile):
    return {"name": cover.filename, "size": len(await cover.read())}


@app.get("/login", response_class=PlainTextResponse)
async def login(response: Response):
    response.set_cookie("user", "ada", httponly=True)
    return "Welcome"


@app.get("/count")
async def count():
    async def numbers():
        for number in range(3):
            yield f"{number} "

    return StreamingResponse(numbers(), media_type="text/plain")


@app.websocket("/echo")
async def echo(websocket: WebSocket):
    await websocket.accept()
    async for message in websocket.iter_text():
        await websocket.send_text(message)
