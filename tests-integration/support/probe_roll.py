"""A Roll application for the probe: what routes, methods and events add to HTTP."""

from __future__ import annotations

import json
import sys

from probe_app import run, serve

from roll import Limits, Roll

limits = Limits(**json.loads(sys.argv[2] if len(sys.argv) > 2 else "{}"))
app = Roll(limits=limits)
ran: dict[int, list[str]] = {}


def record(request, response):
    line = f"{request.method} {request.url.decode()}"
    ran.setdefault(request.client[1], []).append(line)
    response.headers["X-Ran"] = line


@app.route("/kept")
async def kept(request, response):
    response.body = "kept"


@app.route("/ran/{port}")
async def tell(request, response, port):
    response.json = ran.pop(int(port), [])


@app.route("/", methods=["GET", "POST"])
async def index(request, response):
    record(request, response)
    response.body = request.body


@app.route("/lazy", methods=["POST"], lazy_body=True)
async def lazy(request, response):
    record(request, response)
    response.body = str(sum([len(chunk) async for chunk in request]))


@app.route("/small", methods=["POST"], max_body=10)
async def small(request, response):
    record(request, response)
    response.body = request.body


@app.route("/small/lazy", methods=["POST"], max_body=10, lazy_body=True)
async def small_lazy(request, response):
    record(request, response)
    response.body = str(sum([len(chunk) async for chunk in request]))


@app.route("/raise", methods=["GET", "POST"])
async def fail(request, response):
    record(request, response)
    raise RuntimeError("the text of an unexpected exception")


@app.route("/tunnel", methods=["CONNECT"])
async def tunnel(request, response):
    record(request, response)


@app.route("/chat", protocol="websocket")
async def chat(request, ws):
    await ws.send("hello")


@app.route("/header/{name}/{value:path}")
async def header(request, response, name, value):
    record(request, response)
    response.headers[name] = value


@app.route("/moved/{to:path}")
async def moved(request, response, to):
    record(request, response)
    response.redirect = to


async def main():
    await app.startup()
    await serve(app, app.factory, limits)
    await app.shutdown()


if __name__ == "__main__":
    run(main(), sys.argv[1])
