"""A site of the foreign framework; it prints what it does, for the tests that run it.

python example.py asyncio|uvloop
"""

import asyncio
import logging
import sys

from framework import Reply, Site

from roll_http import HttpError, Limits

site = Site(Limits(body=1000))


def say(text):
    print(text, flush=True)  # noqa: T201 - the tests read it


async def hello(request):
    return f"Hello {request.query.get('name', request.cookies.user)}"


async def numbers(request):
    async def count():
        try:
            for number in range(int(request.query["to"])):
                if number == 13:
                    raise ValueError("13 brings bad luck")
                yield f"{number}\n"
        finally:
            say("numbers closed")

    return count()


async def endless(request):
    async def data():
        try:
            while True:
                yield b"x" * 65536
        finally:
            say("endless closed")

    return data()


async def login(request):
    reply = Reply(status=303, headers={"Location": "/hello"})
    reply.cookies.set("user", request.json["user"], httponly=True)
    return reply


async def upload(request):
    request.max_body = 1_000_000
    size = 0
    async for chunk in request:
        if not size:
            say("upload begins")
        size += len(chunk)
    return {"size": size, "counted": request.received}


async def load(request):
    return {"size": len(await request.read())}


async def wait(request):
    request.cancel_on_disconnect = True
    say("waiting")
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        say("wait cancelled")
        raise


async def busy(request):
    connections = request.protocol.owner.connections
    return sorted(
        connection.request.path for connection in connections if connection.request is not None
    )


async def fail(request):
    raise LookupError("secret detail")


async def forbidden(request):
    raise HttpError(403, "Not for you")


async def nothing(request):
    return None


async def not_sendable(request):
    return Reply("x", headers={"X-Bad": "a\r\nInjected: yes"})


site.routes = {
    "/hello": {"GET": hello},
    "/numbers": {"GET": numbers},
    "/endless": {"GET": endless},
    "/login": {"POST": login},
    "/upload": {"POST": upload},
    "/load": {"POST": load},
    "/wait": {"GET": wait},
    "/busy": {"GET": busy},
    "/fail": {"GET": fail},
    "/forbidden": {"GET": forbidden},
    "/nothing": {"DELETE": nothing},
    "/not-sendable": {"GET": not_sendable},
}


# Middleware, the outer one first.


async def stamp(call, request):
    reply = await call(request)
    reply.headers["X-Order"] = reply.headers.get("X-Order", "") + "outer"
    return reply


async def parse_json(call, request):
    if request.content_type == "application/json":
        await request.load_body()
    reply = await call(request)
    reply.headers["X-Order"] = reply.headers.get("X-Order", "") + "inner "
    return reply


site.middleware = [stamp, parse_json]


async def maintenance(request):
    if request.path == "/closed":
        return Reply("Back soon", 503, {"Retry-After": 60})
    return None


async def server_name(request, reply):
    reply.headers["Server"] = "foreign"


site.before = [maintenance]
site.after = [server_name]
site.error_pages = {
    404: lambda request, message: Reply(
        f"<h1>{message}</h1>", headers={"Content-Type": "text/html; charset=utf-8"}
    )
}


async def reverse(request, lines):
    """A line protocol: each line comes back in reverse; `quit` ends it."""
    say(f"conversation begins at {request.path}")
    async for line in lines:
        if line == "quit":
            break
        if line == "fail":
            raise LookupError("a mistake of the conversation")
        await lines.send(line[::-1])
    say("conversation ends")


site.upgrades = {"reverse/1": reverse}


async def tick():
    try:
        await asyncio.Event().wait()
    finally:
        say("background task ended")


async def start():
    say("started")
    site.spawn(tick())


async def stop():
    say("stopped")


site.started = [start]
site.stopped = [stop]
site.answered = [
    lambda request, reply, size: say(
        f"{request.method} {request.path} {reply.status.value} {size}"
    )
]


def ready(server):
    say(f"port {server.sockets[0].getsockname()[1]}")


def new_loop():
    if sys.argv[1] == "asyncio":
        return asyncio.new_event_loop()
    import uvloop

    return uvloop.new_event_loop()


if __name__ == "__main__":
    logging.basicConfig(stream=sys.stdout, format="log %(name)s %(message)s")
    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(site.serve("127.0.0.1", 0, ready))
