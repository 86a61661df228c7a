"""A Roll application that reads everything that a client sends.

    python growth_app.py FOLDER

`FOLDER` is served as static files. The port is printed.
"""

from __future__ import annotations

import sys

from roll import HttpError, Roll
from roll.extensions import content_negociation, cors, simple_server, static

app = Roll()
content_negociation(app)
cors(app, origin=lambda origin: "," not in origin)
static(app, root=sys.argv[1])


def look(request):
    """Read each part of the request, whatever the parts before are worth."""
    for read in (
        lambda: request.cookies,
        lambda: [request.query.list(name) for name in request.query],
        lambda: [request.query.int(name, 0) for name in request.query],
        lambda: [request.query.float(name, 0) for name in request.query],
        lambda: request.form,
        lambda: request.files,
        lambda: request.json,
        lambda: (request.content_type, request.host, request.origin, request.referrer),
    ):
        try:
            read()
        except HttpError:
            continue


@app.route("/negotiated", accepts=["text/html", "application/json"])
async def negotiate(request, response):
    response.body = "seen"


@app.route("/look", methods=["GET", "POST"])
async def see(request, response):
    look(request)
    response.body = "seen"


@app.route("/look/{rest:path}")
async def see_path(request, response, rest):
    look(request)
    response.body = "seen"


@app.route("/lazy", methods=["POST"], lazy_body=True)
async def load(request, response):
    await request.load_form()
    response.body = "loaded"


@app.route("/chat", protocol="websocket")
async def listen(request, ws):
    async for _ in ws:
        pass


if __name__ == "__main__":
    simple_server(app, port=0)
