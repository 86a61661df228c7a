"""The servers of events under measure: `python servers.py NAME LOOP` prints its port and serves.

Each has one route, `/`, which gives every client the same events. `POST /` sends one event to all.
`bare` is the floor: `transport.write` of the same chunk for each client, from an asyncio.Protocol
without a task or a check.
"""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, cast

EVENT = "x" * 100
HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-store\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n"
)
DONE = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


class Feed:
    """A future for each client that waits, the least that tells it of an event."""

    def __init__(self) -> None:
        self.waiting: list[asyncio.Future[str]] = []

    async def events(self) -> AsyncIterator[str]:
        loop = asyncio.get_running_loop()
        while True:
            future: asyncio.Future[str] = loop.create_future()
            self.waiting.append(future)
            yield await future

    def publish(self) -> None:
        waiting, self.waiting = self.waiting, []
        for future in waiting:
            if not future.done():
                future.set_result(EVENT)


async def bare(sock: socket.socket) -> None:
    clients: list[asyncio.Transport] = []
    event = f"data: {EVENT}\n\n".encode()
    chunk = b"%x\r\n%b\r\n" % (len(event), event)

    class Bare(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            self.transport = cast(asyncio.Transport, transport)

        def data_received(self, data: bytes) -> None:
            if data.startswith(b"GET"):
                self.transport.write(HEAD)
                clients.append(self.transport)
                return
            for transport in clients:
                transport.write(chunk)
            self.transport.write(DONE)

    server = await asyncio.get_running_loop().create_server(Bare, sock=sock)
    await server.serve_forever()


async def roll(sock: socket.socket) -> None:
    from roll import Roll
    from roll_http import Server

    app, feed = Roll(), Feed()

    @app.route("/")
    async def events(request: Any, response: Any) -> None:
        response.sse = feed.events()

    @app.route("/", methods=["POST"])
    async def publish(request: Any, response: Any) -> None:
        feed.publish()

    await app.startup()
    server = Server(app.factory, app.limits)
    await server.serve([sock])
    await asyncio.Event().wait()


async def starlette(sock: socket.socket) -> None:
    import uvicorn
    from sse_starlette import EventSourceResponse
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    feed = Feed()

    async def events(request: Request) -> Response:
        return EventSourceResponse(feed.events())

    async def publish(request: Request) -> Response:
        feed.publish()
        return Response()

    routes = [Route("/", events), Route("/", publish, methods=["POST"])]
    config = uvicorn.Config(Starlette(routes=routes), log_level="error", backlog=4096)
    await uvicorn.Server(config).serve([sock])


def sanic_app() -> Any:
    from sanic import Sanic, response

    app, feed = Sanic("events"), Feed()
    app.config.ACCESS_LOG = False
    app.config.RESPONSE_TIMEOUT = 3600

    @app.get("/")
    async def events(request: Any) -> None:
        answer = await request.respond(content_type="text/event-stream")
        await answer.send(":\n\n")  # which sends the head, too
        async for event in feed.events():
            await answer.send(f"data: {event}\n\n")

    @app.post("/")
    async def publish(request: Any) -> Any:
        feed.publish()
        return response.empty()

    return app


async def sanic(sock: socket.socket) -> None:
    server = await sanic_app().create_server(sock=sock, return_asyncio_server=True, debug=False)
    await server.startup()
    await server.serve_forever()


SERVERS: dict[str, Callable[[socket.socket], Awaitable[None]]] = {
    "bare": bare,
    "roll": roll,
    "sse-starlette": starlette,
    "sanic": sanic,
}


async def serve(name: str) -> None:
    sock = socket.create_server(("127.0.0.1", 0), backlog=4096)
    print(sock.getsockname()[1], flush=True)
    await SERVERS[name](sock)


if __name__ == "__main__":
    name, loop = sys.argv[1:3]
    if loop == "uvloop":
        import uvloop

        uvloop.run(serve(name))
    else:
        asyncio.run(serve(name))
