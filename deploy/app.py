"""An application behind a proxy, which keeps its sessions in Redis."""

import os

from roll import Roll
from roll.extensions import RedisStore, proxy_headers, request_ids, sessions

app = Roll()
proxy_headers(app, fields=["for", "proto"])
request_ids(app)
sessions(app, secret=os.environ["SECRET"], store=RedisStore(os.environ["REDIS_URL"]))


@app.route("/health")
async def health(request, response):
    response.body = "ok"


@app.route("/")
async def index(request, response):
    request.session["visits"] = request.session.get("visits", 0) + 1
    client = request.client[0] if request.client else None
    response.json = {
        "visits": request.session["visits"],
        "client": client,
        "scheme": request.scheme,
    }
