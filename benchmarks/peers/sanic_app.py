"""Sanic, by its own server."""

import asyncio
import os

from sanic import Sanic, response

CHUNK = b"x" * 65536
MIB = 1024 * 1024

app = Sanic("bench")
app.config.REQUEST_MAX_SIZE = 1024 * MIB
app.static("/static", os.environ["BENCH_FILES"])


@app.get("/plain")
async def plain(request):
    return response.raw(b"Hello, World!", content_type="text/plain")


@app.get("/json")
async def as_json(request):
    return response.json({"message": "Hello, World!"})


@app.get("/hello/<name>")
async def hello(request, name):
    return response.text(name)


@app.get("/cookie")
async def cookie(request):
    session = request.cookies.get("session")
    answer = response.text(session)
    answer.add_cookie("session", session + "-seen", path="/", httponly=True)
    return answer


@app.get("/query")
async def query(request):
    return response.text(f"{request.args.get('name')} {int(request.args.get('age'))}")


@app.get("/all/<name>")
async def everything(request, name):
    session = request.cookies.get("session")
    answer = response.json({"name": name, "age": int(request.args.get("age")), "session": session})
    answer.add_cookie("session", session + "-seen", path="/", httponly=True)
    return answer


@app.post("/echo")
async def echo(request):
    return response.json(request.json)


@app.post("/form")
async def form(request):
    return response.text(f"{request.form.get('name')} {int(request.form.get('age'))}")


@app.get("/sleep")
async def sleep(request):
    await asyncio.sleep(0)
    return response.raw(b"Hello, World!", content_type="text/plain")


@app.post("/upload", stream=True)
async def upload(request):
    size = 0
    while (chunk := await request.stream.read()) is not None:
        size += len(chunk)
    return response.text(str(size))


@app.get("/stream/<mebibytes:int>")
async def stream(request, mebibytes):
    answer = await request.respond(content_type="text/plain")
    for _ in range(mebibytes * MIB // len(CHUNK)):
        await answer.send(CHUNK)
    await answer.eof()


@app.websocket("/ws")
async def websocket(request, ws):
    async for message in ws:
        await ws.send(message)


if __name__ == "__main__":
    app.run(
        host="127.0.0.1",
        port=int(os.environ["BENCH_PORT"]),
        single_process=True,
        access_log=False,
        motd=False,
    )
