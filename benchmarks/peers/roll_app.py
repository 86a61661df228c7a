"""Roll; this one and 0.13.4 run the same application."""

import asyncio
import os
import sys
from pathlib import Path

if os.environ["BENCH_LOOP"] == "uvloop":
    import uvloop

    uvloop.install()  # this Roll would take it by itself
else:
    sys.modules["uvloop"] = None  # as if it were not installed

from roll import Roll
from roll.extensions import simple_server, static

app = Roll()
static(app, root=Path(os.environ["BENCH_FILES"]))
CHUNK = b"x" * 65536
MIB = 1024 * 1024


@app.route("/plain")
async def plain(request, response):
    response.body = b"Hello, World!"


@app.route("/json")
async def as_json(request, response):
    response.json = {"message": "Hello, World!"}


@app.route("/hello/{name}")
async def hello(request, response, name):
    response.body = name


@app.route("/cookie")
async def cookie(request, response):
    session = request.cookies["session"]
    response.cookies.set("session", session + "-seen", path="/", httponly=True)
    response.body = session


@app.route("/query")
async def query(request, response):
    response.body = f"{request.query.get('name')} {request.query.int('age')}"


@app.route("/all/{name}")
async def everything(request, response, name):
    session = request.cookies["session"]
    response.cookies.set("session", session + "-seen", path="/", httponly=True)
    response.json = {"name": name, "age": request.query.int("age"), "session": session}


@app.route("/echo", methods=["POST"])
async def echo(request, response):
    response.json = request.json


@app.route("/form", methods=["POST"])
async def form(request, response):
    response.body = f"{request.form.get('name')} {request.form.int('age')}"


@app.route("/sleep")
async def sleep(request, response):
    await asyncio.sleep(0)
    response.body = b"Hello, World!"


@app.route("/upload", methods=["POST"], lazy_body=True)
async def upload(request, response):
    size = 0
    async for chunk in request:
        size += len(chunk)
    response.body = str(size)


async def chunks(count):
    for _ in range(count):
        yield CHUNK


@app.route("/stream/{mebibytes}")
async def stream(request, response, mebibytes):
    response.body = chunks(int(mebibytes) * MIB // len(CHUNK))


@app.route("/ws", protocol="websocket")
async def websocket(request, ws):
    async for message in ws:
        await ws.send(message)


if __name__ == "__main__":
    simple_server(app, port=int(os.environ["BENCH_PORT"]), quiet=True)
