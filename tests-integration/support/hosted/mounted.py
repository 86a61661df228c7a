"""An application of Roll that has another one below a path: `HOSTED` names its module."""

import os
from importlib import import_module

from roll import Roll

app = Roll()
app.mount("/below", import_module(os.environ["HOSTED"]).app)


@app.route("/own")
async def own(request, response):
    response.body = "of Roll"


@app.listen("response")
def mark(request, response):
    response.headers["X-Outer"] = "seen"
