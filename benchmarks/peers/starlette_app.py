"""Starlette, for any ASGI server."""

import asyncio
import os

from starlette.applications import Starlette
from starlette.responses import JSONResponse, PlainTextResponse, StreamingResponse
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles

CHUNK = b"x" * 65536
MIB = 1024 * 1024


async def plain(request):
    return PlainTextResponse(b"Hello, World!")


async def as_json(request):
    return JSONResponse({"message": "Hello, World!"})


async def hello(request):
    return PlainTextResponse(request.path_params["name"])


async def cookie(request):
    session = request.cookies["session"]
    response = PlainTextResponse(session)
    response.set_cookie("session", session + "-seen", path="/", httponly=True)
    return response


async def query(request):
    return PlainTextResponse(f"{request.query_params['name']} {int(request.query_params['age'])}")


async def everything(request):
    session = request.cookies["session"]
    response = JSONResponse(
        {
            "name": request.path_params["name"],
            "age": int(request.query_params["age"]),
            "session": session,
        }
    )
    response.set_cookie("session", session + "-seen", path="/", httponly=True)
    return response


async def echo(request):
    return JSONResponse(await request.json())


async def form(request):
    async with request.form() as data:
        return PlainTextResponse(f"{data['name']} {int(data['age'])}")


async def sleep(request):
    await asyncio.sleep(0)
    return PlainTextResponse(b"Hello, World!")


async def upload(request):
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
    return PlainTextResponse(str(size))


async def chunks(count):
    for _ in range(count):
        yield CHUNK


async def stream(request):
    return StreamingResponse(chunks(request.path_params["mebibytes"] * MIB // len(CHUNK)))


async def websocket(ws):
    await ws.accept()
    async for message in ws.iter_text():
        await ws.send_text(message)


app = Starlette(
    routes=[
        Route("/plain", plain),
        Route("/json", as_json),
        Route("/hello/{name}", hello),
        Route("/cookie", cookie),
        Route("/query", query),
        Route("/all/{name}", everything),
        Route("/echo", echo, methods=["POST"]),
        Route("/form", form, methods=["POST"]),
        Route("/sleep", sleep),
        Route("/upload", upload, methods=["POST"]),
        Route("/stream/{mebibytes:int}", stream),
        WebSocketRoute("/ws", websocket),
        Mount("/static", StaticFiles(directory=os.environ["BENCH_FILES"])),
    ]
)
