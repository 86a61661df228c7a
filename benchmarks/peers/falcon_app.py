"""Falcon, for any ASGI server."""

import asyncio
import os

import falcon
import falcon.asgi

CHUNK = b"x" * 65536
MIB = 1024 * 1024


class Plain:
    async def on_get(self, req, resp):
        resp.content_type = falcon.MEDIA_TEXT
        resp.data = b"Hello, World!"


class AsJson:
    async def on_get(self, req, resp):
        resp.media = {"message": "Hello, World!"}


class Hello:
    async def on_get(self, req, resp, name):
        resp.content_type = falcon.MEDIA_TEXT
        resp.text = name


class Cookie:
    async def on_get(self, req, resp):
        session = req.cookies["session"]
        resp.set_cookie("session", session + "-seen", path="/", http_only=True, secure=False)
        resp.content_type = falcon.MEDIA_TEXT
        resp.text = session


class Query:
    async def on_get(self, req, resp):
        resp.content_type = falcon.MEDIA_TEXT
        resp.text = f"{req.get_param('name')} {req.get_param_as_int('age')}"


class Everything:
    async def on_get(self, req, resp, name):
        session = req.cookies["session"]
        resp.set_cookie("session", session + "-seen", path="/", http_only=True, secure=False)
        resp.media = {"name": name, "age": req.get_param_as_int("age"), "session": session}


class Echo:
    async def on_post(self, req, resp):
        resp.media = await req.get_media()


class Form:
    async def on_post(self, req, resp):
        data = await req.get_media()
        resp.content_type = falcon.MEDIA_TEXT
        resp.text = f"{data['name']} {int(data['age'])}"


class Sleep:
    async def on_get(self, req, resp):
        await asyncio.sleep(0)
        resp.content_type = falcon.MEDIA_TEXT
        resp.data = b"Hello, World!"


class Upload:
    async def on_post(self, req, resp):
        size = 0
        async for chunk in req.stream:
            size += len(chunk)
        resp.text = str(size)


async def chunks(count):
    for _ in range(count):
        yield CHUNK


class Stream:
    async def on_get(self, req, resp, mebibytes):
        resp.stream = chunks(mebibytes * MIB // len(CHUNK))


class WebSocket:
    async def on_websocket(self, req, ws):
        await ws.accept()
        while True:
            await ws.send_text(await ws.receive_text())


app = falcon.asgi.App()
app.add_route("/plain", Plain())
app.add_route("/json", AsJson())
app.add_route("/hello/{name}", Hello())
app.add_route("/cookie", Cookie())
app.add_route("/query", Query())
app.add_route("/all/{name}", Everything())
app.add_route("/echo", Echo())
app.add_route("/form", Form())
app.add_route("/sleep", Sleep())
app.add_route("/upload", Upload())
app.add_route("/stream/{mebibytes:int}", Stream())
app.add_route("/ws", WebSocket())
app.add_static_route("/static", os.environ["BENCH_FILES"])
