"""An application for ASGI servers; it prints what has ended."""

import asyncio
import hashlib

from roll import HttpError, Limits, Roll
from roll_http import ClientDisconnected

app = Roll(limits=Limits(body=1000))


def say(line):
    print(line, flush=True)  # noqa: T201 - the tests read it


@app.listen("startup")
async def startup():
    say("started")


@app.listen("shutdown")
async def shutdown():
    say("shut down")


@app.listen("response")
async def mark(request, response):
    response.headers["X-Event"] = "response"


@app.route("/")
async def index(request, response):
    response.body = "hello"
    response.cookies.set("a", "1")
    response.cookies.set("b", "2")


@app.route("/seen/{name}", methods=["GET", "POST"])
async def seen(request, response, name):
    response.json = {
        "name": name,
        "method": request.method,
        "query": {key: request.query.list(key) for key in request.query},
        "cookies": dict(request.cookies),
        "twice": request.headers.get("X-TWICE"),
        "client": request.client and request.client[0],
        "scheme": request.scheme,
        "host": request.host.partition(":")[0],
        "raw": [name.decode() for name, _ in request.raw_headers if name.lower() == b"x-twice"],
    }


@app.route("/json", methods=["POST"])
async def json(request, response):
    response.json = request.json


@app.route("/hash", methods=["POST"], lazy_body=True)
async def digest(request, response):
    found = hashlib.sha256()
    async for chunk in request:
        found.update(chunk)
    response.body = found.hexdigest()


@app.route("/stream")
async def stream(request, response):
    async def lines():
        for number in range(3):
            yield f"{number}\n"

    response.body = lines()


@app.route("/endless")
async def endless(request, response):
    async def lines():
        try:
            while True:
                yield "x" * 1000
                await asyncio.sleep(0.01)
        finally:
            say("stream closed")

    response.body = lines()


@app.route("/wait", cancel_on_disconnect=True)
async def wait(request, response):
    say("waiting")
    try:
        await asyncio.Event().wait()
    finally:
        say("handler cancelled")


@app.route("/upload", methods=["POST"], lazy_body=True)
async def upload(request, response):
    try:
        async for _ in request:
            say("chunk")
    except ClientDisconnected:
        say("upload lost")
        raise


@app.route("/empty")
async def empty(request, response):
    response.status = 204


@app.route("/refuse")
async def refuse(request, response):
    raise HttpError(418, "tea")


@app.route("/broken")
async def broken(request, response):
    raise ValueError("secret")


@app.route("/unsendable")
async def unsendable(request, response):
    response.headers["X-Bad"] = "a\r\nb"


@app.route("/ws", protocol="websocket", subprotocols=["chat"])
async def ws(request, ws):
    await ws.send_json([ws.path, ws.query_string, ws.subprotocol])
    try:
        async for message in ws:
            await ws.send(message)
    finally:
        say(f"websocket closed: {ws.closed}")


@app.route("/ws/origin", protocol="websocket", origins=["https://example.org"])
async def guarded(request, ws):
    await ws.send("in")


@app.route("/ws/close", protocol="websocket")
async def close(request, ws):
    await ws.close(4001, "enough")


@app.route("/ws/fail", protocol="websocket")
async def fail(request, ws):
    raise ValueError("secret")
