"""Roll, and Roll 0.13.4: the same, except their access logs."""

import itertools
import logging
import os
import sys

import uvloop

from roll import Roll
from roll.extensions import cors, logger, simple_server

uvloop.install()  # this Roll would take it by itself
kind = sys.argv[1]
path = f"{os.environ['BENCH_FILES']}/{os.environ['BENCH_PORT']}.log"
ids = itertools.count()
app = Roll()

if kind in {"text", "json", "async"}:
    from roll.extensions import access_log

    access_log(app, path, "text" if kind == "async" else kind)
elif kind == "logging":
    line = "%(peer)s %(method)s %(url)s HTTP/%(version)s %(status)d %(bytes)d %(duration).6f"
    logger(app, logging.INFO, logging.FileHandler(path), access_format=line)
elif kind == "old":  # it has no other line than this
    handler = logging.FileHandler(path)
    handler.setFormatter(logging.Formatter("%(message)s 200"))
    logger(app, logging.INFO, handler)
logging.getLogger("roll").propagate = False

if kind != "plain":
    cors(app, origin="https://example.org")

    def begin(request, response):
        request["id"] = next(ids)

    def end(request, response):
        response.headers["X-Request-Id"] = request["id"]

    async def begin_async(request, response):
        begin(request, response)

    async def end_async(request, response):
        end(request, response)

    # The old one awaits all of its listeners.
    waits = kind in {"old", "async"}
    app.listen("headers")(begin_async if waits else begin)
    app.listen("response")(end_async if waits else end)


@app.route("/books/{isbn}")
async def book(request, response, isbn):
    response.json = {"isbn": isbn, "title": "Dune"}


@app.route("/plain")
async def plain(request, response):
    response.body = b"ready"


if __name__ == "__main__":
    simple_server(app, port=int(os.environ["BENCH_PORT"]), quiet=True)
