"""aiohttp, by its own server and with its own access log; it has no CORS of its own."""

import itertools
import logging
import os

import uvloop
from aiohttp import web

ids = itertools.count()


@web.middleware
async def with_id(request, handler):
    request["id"] = next(ids)
    return await handler(request)


async def finish(request, response):
    if request.headers.get("Origin") == "https://example.org":
        response.headers["Access-Control-Allow-Origin"] = "https://example.org"
    if "id" in request:
        response.headers["X-Request-Id"] = str(request["id"])


async def book(request):
    return web.json_response({"isbn": request.match_info["isbn"], "title": "Dune"})


async def plain(request):
    return web.Response(text="ready")


app = web.Application(middlewares=[with_id])
app.on_response_prepare.append(finish)
app.add_routes([web.get("/books/{isbn}", book), web.get("/plain", plain)])

if __name__ == "__main__":
    uvloop.install()
    port = int(os.environ["BENCH_PORT"])
    log = logging.getLogger("aiohttp.access")
    log.setLevel(logging.INFO)
    log.addHandler(logging.FileHandler(f"{os.environ['BENCH_FILES']}/{port}.log"))
    loop = uvloop.new_event_loop()
    web.run_app(app, host="127.0.0.1", port=port, access_log=log, print=None, loop=loop)
