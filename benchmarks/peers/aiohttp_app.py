"""aiohttp, by its own server."""

import asyncio
import os

import uvloop
from aiohttp import web

CHUNK = b"x" * 65536
MIB = 1024 * 1024


async def plain(request):
    return web.Response(body=b"Hello, World!")


async def as_json(request):
    return web.json_response({"message": "Hello, World!"})


async def hello(request):
    return web.Response(text=request.match_info["name"])


async def cookie(request):
    session = request.cookies["session"]
    response = web.Response(text=session)
    response.set_cookie("session", session + "-seen", path="/", httponly=True)
    return response


async def query(request):
    return web.Response(text=f"{request.query['name']} {int(request.query['age'])}")


async def everything(request):
    session = request.cookies["session"]
    response = web.json_response(
        {
            "name": request.match_info["name"],
            "age": int(request.query["age"]),
            "session": session,
        }
    )
    response.set_cookie("session", session + "-seen", path="/", httponly=True)
    return response


async def echo(request):
    return web.json_response(await request.json())


async def form(request):
    data = await request.post()
    return web.Response(text=f"{data['name']} {int(data['age'])}")


async def sleep(request):
    await asyncio.sleep(0)
    return web.Response(body=b"Hello, World!")


async def upload(request):
    size = 0
    async for chunk in request.content.iter_any():
        size += len(chunk)
    return web.Response(text=str(size))


async def stream(request):
    response = web.StreamResponse()
    response.enable_chunked_encoding()
    await response.prepare(request)
    for _ in range(int(request.match_info["mebibytes"]) * MIB // len(CHUNK)):
        await response.write(CHUNK)
    return response


async def websocket(request):
    ws = web.WebSocketResponse()
    await ws.prepare(request)
    async for message in ws:
        await ws.send_str(message.data)
    return ws


app = web.Application()
app.add_routes(
    [
        web.get("/plain", plain),
        web.get("/json", as_json),
        web.get("/hello/{name}", hello),
        web.get("/cookie", cookie),
        web.get("/query", query),
        web.get("/all/{name}", everything),
        web.post("/echo", echo),
        web.post("/form", form),
        web.get("/sleep", sleep),
        web.post("/upload", upload),
        web.get("/stream/{mebibytes}", stream),
        web.get("/ws", websocket),
        web.static("/static", os.environ["BENCH_FILES"]),
    ]
)

if __name__ == "__main__":
    uvloop.install()
    loop = uvloop.new_event_loop()
    port = int(os.environ["BENCH_PORT"])
    web.run_app(app, host="127.0.0.1", port=port, access_log=None, print=None, loop=loop)
