"""granian's own interface, RSGI, by hand: no framework, a chain of comparisons for a router."""

import asyncio
import json
from http.cookies import SimpleCookie
from urllib.parse import parse_qs

JSON = ("content-type", "application/json")
TEXT = ("content-type", "text/plain")
HELLO = b"Hello, World!"


def cookie_of(scope):
    return SimpleCookie(scope.headers["cookie"])["session"].value


def seen(session):
    return ("set-cookie", f"session={session}-seen; Path=/; HttpOnly")


def person(text):
    fields = parse_qs(text)
    return fields["name"][0], int(fields["age"][0])


async def answer(scope, proto):
    """Return status, fields and body."""
    path = scope.path
    if path == "/plain":
        return 200, [TEXT], HELLO
    if path == "/json":
        return 200, [JSON], json.dumps({"message": "Hello, World!"}).encode()
    if path.startswith("/hello/"):
        return 200, [TEXT], path[7:].encode()
    if path == "/cookie":
        session = cookie_of(scope)
        return 200, [TEXT, seen(session)], session.encode()
    if path == "/query":
        name, age = person(scope.query_string)
        return 200, [TEXT], f"{name} {age}".encode()
    if path.startswith("/all/"):
        session = cookie_of(scope)
        age = int(parse_qs(scope.query_string)["age"][0])
        body = json.dumps({"name": path[5:], "age": age, "session": session}).encode()
        return 200, [JSON, seen(session)], body
    if path == "/echo":
        return 200, [JSON], json.dumps(json.loads(await proto())).encode()
    if path == "/form":
        name, age = person((await proto()).decode())
        return 200, [TEXT], f"{name} {age}".encode()
    if path == "/sleep":
        await asyncio.sleep(0)
        return 200, [TEXT], HELLO
    return 404, [TEXT], b"Not Found"


async def app(scope, proto):
    proto.response_bytes(*await answer(scope, proto))
