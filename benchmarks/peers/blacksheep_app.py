"""BlackSheep, for any ASGI server."""

import asyncio
import os

from blacksheep import (
    Application,
    Content,
    Cookie,
    Response,
    StreamedContent,
    WebSocket,
    json,
    text,
)

CHUNK = b"x" * 65536
MIB = 1024 * 1024

app = Application()
app.serve_files(os.environ["BENCH_FILES"], root_path="static", extensions={".bin"})
get = app.router.get
post = app.router.post


@get("/plain")
async def plain(request):
    return Response(200, None, Content(b"text/plain", b"Hello, World!"))


@get("/json")
async def as_json(request):
    return json({"message": "Hello, World!"})


@get("/hello/{name}")
async def hello(request):
    return text(request.route_values["name"])


def seen(session):
    return Cookie("session", session + "-seen", path="/", http_only=True)


@get("/cookie")
async def cookie(request):
    session = request.cookies["session"]
    response = text(session)
    response.set_cookie(seen(session))
    return response


@get("/query")
async def query(request):
    return text(f"{request.query['name'][0]} {int(request.query['age'][0])}")


@get("/all/{name}")
async def everything(request):
    session = request.cookies["session"]
    response = json(
        {
            "name": request.route_values["name"],
            "age": int(request.query["age"][0]),
            "session": session,
        }
    )
    response.set_cookie(seen(session))
    return response


@post("/echo")
async def echo(request):
    return json(await request.json())


@post("/form")
async def form(request):
    data = await request.form()
    return text(f"{data['name']} {int(data['age'])}")


@get("/sleep")
async def sleep(request):
    await asyncio.sleep(0)
    return Response(200, None, Content(b"text/plain", b"Hello, World!"))


@post("/upload")
async def upload(request):
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
    return text(str(size))


@get("/stream/{mebibytes}")
async def stream(request):
    count = int(request.route_values["mebibytes"]) * MIB // len(CHUNK)

    async def chunks():
        for _ in range(count):
            yield CHUNK

    return Response(200, None, StreamedContent(b"text/plain", chunks))


@app.router.ws("/ws")
async def websocket(ws: WebSocket):
    await ws.accept()
    while True:
        await ws.send_text(await ws.receive_text())
