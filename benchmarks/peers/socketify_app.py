"""Socketify, by its own server."""

import asyncio
import json
import os
from urllib.parse import parse_qs

from socketify import App

app = App()


def plain(res, req):
    res.end(b"Hello, World!")


def as_json(res, req):
    res.end({"message": "Hello, World!"})


def hello(res, req):
    res.end(req.get_parameter(0))


def seen(res, session):
    res.set_cookie("session", session + "-seen", {"path": "/", "httponly": True})


def cookie(res, req):
    session = req.get_cookie("session")
    seen(res, session)
    res.end(session)


def query(res, req):
    res.end(f"{req.get_query('name')} {int(req.get_query('age'))}")


def everything(res, req):
    session = req.get_cookie("session")
    seen(res, session)
    name, age = req.get_parameter(0), int(req.get_query("age"))
    res.end({"name": name, "age": age, "session": session})


def with_body(res, answer):
    # `await res.get_json()` is shorter, but ends the process under load.
    parts = []

    def on_data(res, chunk, last):
        parts.append(chunk or b"")
        if last:
            res.end(answer(b"".join(parts)))

    res.on_data(on_data)


def echo(res, req):
    with_body(res, json.loads)


def form(res, req):
    def answer(body):
        data = parse_qs(body.decode())
        return f"{data['name'][0]} {int(data['age'][0])}"

    with_body(res, answer)


async def sleep(res, req):
    await asyncio.sleep(0)
    res.cork_end(b"Hello, World!")


def missing(res, req):
    res.write_status(404).end("Not Found")


app.get("/plain", plain)
app.get("/json", as_json)
app.get("/hello/:name", hello)
app.get("/cookie", cookie)
app.get("/query", query)
app.get("/all/:name", everything)
app.post("/echo", echo)
app.post("/form", form)
app.get("/sleep", sleep)
app.ws("/ws", {"message": lambda ws, message, opcode: ws.send(message, opcode)})
app.any("/*", missing)

if __name__ == "__main__":
    app.listen(int(os.environ["BENCH_PORT"]))
    app.run()
