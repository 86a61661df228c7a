"""A Roll application that counts what it began: run as a script, or by gunicorn."""

import asyncio
import sys

from roll import Roll
from roll.extensions import simple_server

app = Roll()
app["begun"] = 0


@app.listen("shutdown")
async def tell():
    sys.stdout.write(f"{app['begun']} begun\n")
    sys.stdout.flush()


@app.route("/wait/{seconds}")
async def wait(request, response, seconds):
    app["begun"] += 1
    await asyncio.sleep(float(seconds))
    response.body = "waited"


if __name__ == "__main__":
    simple_server(app, port=0)
