"""Sanic, by its own server and with its own access log; it has no CORS of its own."""

import itertools
import logging
import os

from sanic import Sanic, response
from sanic.log import LOGGING_CONFIG_DEFAULTS

port = int(os.environ["BENCH_PORT"])
ids = itertools.count()
config = {**LOGGING_CONFIG_DEFAULTS}
config["handlers"] = config["handlers"] | {
    "access_console": {
        "class": "logging.FileHandler",
        "filename": f"{os.environ['BENCH_FILES']}/{port}.log",
        "formatter": "access",
    }
}
app = Sanic("bench", log_config=config)


@app.on_request
async def begin(request):
    request.ctx.id = next(ids)


@app.on_response
async def end(request, answer):
    if request.headers.get("origin") == "https://example.org":
        answer.headers["Access-Control-Allow-Origin"] = "https://example.org"
    answer.headers["X-Request-Id"] = str(request.ctx.id)


@app.get("/books/<isbn>")
async def book(request, isbn):
    return response.json({"isbn": isbn, "title": "Dune"})


@app.get("/plain")
async def plain(request):
    return response.text("ready")


if __name__ == "__main__":
    logging.getLogger("sanic.root").setLevel(logging.WARNING)
    app.run("127.0.0.1", port, single_process=True, access_log=True, motd=False)
