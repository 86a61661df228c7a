"""An application of FastAPI, as its first steps show one, with a websocket and a lifespan."""

from contextlib import asynccontextmanager

from fastapi import FastAPI, HTTPException, Request, WebSocket
from fastapi.responses import PlainTextResponse, StreamingResponse
from pydantic import BaseModel


class Item(BaseModel):
    name: str
    price: float
    offer: bool | None = None


@asynccontextmanager
async def lifespan(app):
    yield {"started": "yes"}


app = FastAPI(lifespan=lifespan)


@app.get("/hello/{name}", response_class=PlainTextResponse)
async def hello(name: str):
    return f"Hello {name}"


@app.get("/where")
async def where(request: Request):
    return {
        "url": str(request.url_for("hello", name="ada")),
        "root_path": request.scope["root_path"],
        "client": request.client.host,
        "scheme": request.url.scheme,
        "state": request.state.started,
    }


@app.post("/echo", response_class=PlainTextResponse)
async def echo(request: Request):
    return await request.body()


@app.get("/items/{number}")
def read_item(number: int, q: str | None = None):
    if number > 99:
        raise HTTPException(404, "Item not found")
    return {"number": number, "q": q}


@app.put("/items/{number}")
async def update_item(number: int, item: Item):
    return {"name": item.name, "number": number}


@app.get("/stream")
async def stream():
    return StreamingResponse((f"line {number}\n" for number in range(3)), media_type="text/plain")


@app.get("/fail")
async def fail():
    raise ValueError("on purpose")


@app.websocket("/ws")
async def websocket(ws: WebSocket):
    await ws.accept()
    async for text in ws.iter_text():
        await ws.send_text(f"{ws.state.started} {text}")
