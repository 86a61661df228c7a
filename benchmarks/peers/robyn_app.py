"""Robyn, by its own server: one process, one worker."""

import asyncio
import os
from urllib.parse import parse_qs

from robyn import Response, Robyn, jsonify

app = Robyn(__file__)


@app.get("/plain")
async def plain(request):
    return b"Hello, World!"


@app.get("/json")
async def as_json(request):
    return {"message": "Hello, World!"}


@app.get("/hello/:name")
async def hello(request):
    return request.path_params["name"]


def session_of(request):
    return request.headers.get("cookie").partition("session=")[2].partition(";")[0]


def answer(body, kind, session):
    response = Response(status_code=200, headers={"Content-Type": kind}, description=body)
    response.set_cookie("session", session + "-seen", path="/", http_only=True)
    return response


@app.get("/cookie")
async def cookie(request):
    session = session_of(request)
    return answer(session, "text/plain", session)


@app.get("/query")
async def query(request):
    return f"{request.query_params.get('name', '')} {int(request.query_params.get('age', ''))}"


@app.get("/all/:name")
async def everything(request):
    session = session_of(request)
    name, age = request.path_params["name"], int(request.query_params.get("age", ""))
    body = jsonify({"name": name, "age": age, "session": session})
    return answer(body, "application/json", session)


@app.post("/echo")
async def echo(request):
    return request.json()


@app.post("/form")
async def form(request):
    data = request.form_data or {k: v[0] for k, v in parse_qs(request.body).items()}
    return f"{data['name']} {int(data['age'])}"


@app.get("/sleep")
async def sleep(request):
    await asyncio.sleep(0)
    return b"Hello, World!"


@app.websocket("/ws")
async def websocket(ws):
    while True:
        await ws.send_text(await ws.receive_text())


if __name__ == "__main__":
    app.start(host="127.0.0.1", port=int(os.environ["BENCH_PORT"]), _check_port=False)
