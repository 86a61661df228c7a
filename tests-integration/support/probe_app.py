"""An application on roll-http alone that keeps a list of what it ran: the probe's server.

    python probe_app.py LOOP [LIMITS]

LOOP is `asyncio` or `uvloop`, LIMITS a JSON object of `roll_http.Limits`. The port is printed.
Each answer carries, as JSON, what was run; `/ran/PORT` answers with all that was run for the
connections that came from that port.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextvars import ContextVar
from typing import Any

import roll_http
from roll_http import Cookies, HttpError, HTTPProtocol, Limits, Request, Response, Server

seen = ContextVar("seen", default="nothing")


class Echo(asyncio.Protocol):
    """The protocol of a connection after `/upgrade`: it echoes all bytes."""

    transport: asyncio.Transport

    def __init__(self) -> None:
        self.closed = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.transport.write(b"echo:" + data)

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed.set_result(None)


async def pieces(*items: Any) -> AsyncIterator[Any]:
    for item in items:
        await asyncio.sleep(0)
        yield item


async def failing() -> AsyncIterator[bytes]:
    yield b"begun"
    raise RuntimeError("The stream fails after its head")


class App:
    """The whole of it: `POST /status/204` is answered by `do_status(request, response, "204")`."""

    Request, Response, Cookies = Request, Response, Cookies

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.ran: defaultdict[str, list[str]] = defaultdict(list)
        self.ended = asyncio.Event()

    async def __call__(self, request: Request, response: Response) -> Response | None:
        try:
            return await self.answer(request, response)
        except HttpError as error:
            response.status = error.status
            response.body = str(error.message)
            return response

    async def answer(self, request: Request, response: Response) -> Response | None:
        name, _, rest = request.path.lstrip("/").partition("/")
        do = getattr(self, f"do_{name}", self.echo)
        return None if await do(request, response, rest) == "nothing" else response

    def record(self, request: Request, response: Response) -> None:
        line = f"{request.method} {request.url.decode()}"
        self.ran[str((request.client or ("", 0))[1])].append(line)
        response.headers["X-Ran"] = line

    async def echo(self, request: Request, response: Response, rest: str) -> None:
        body = await request.read()
        self.record(request, response)
        response.json = {
            "body": body.decode("latin-1"),
            "headers": request.headers,
            "path": request.path,
            "query": request.query_string,
            "host": request.host,
            "version": request.version,
        }

    async def do_ran(self, request: Request, response: Response, port: str) -> None:
        response.json = self.ran.pop(port, [])

    async def do_kept(self, request: Request, response: Response, rest: str) -> None:
        response.body = "kept"

    async def do_unread(self, request: Request, response: Response, rest: str) -> None:
        """Answers without a look at the body."""
        self.record(request, response)

    async def do_context(self, request: Request, response: Response, rest: str) -> None:
        """Tells what the context holds from earlier requests, in a body that fills buffers."""
        response.headers["X-Seen"] = seen.get()
        seen.set(rest)
        response.body = bytes(60_000)

    async def do_late(self, request: Request, response: Response, rest: str) -> None:
        for _ in range(20):
            await asyncio.sleep(0)
        await self.echo(request, response, rest)

    async def do_head(self, request: Request, response: Response, rest: str) -> None:
        """As a HEAD handler may: only the length is known."""
        self.record(request, response)
        response.headers["Content-Length"] = rest or "5"

    async def do_status(self, request: Request, response: Response, code: str) -> None:
        self.record(request, response)
        response.body = "a body"
        response.status = int(code)

    async def do_length(self, request: Request, response: Response, rest: str) -> None:
        """`/length/5` with a body of as many bytes as the query says."""
        self.record(request, response)
        response.headers["content-length"] = rest
        response.body = b"x" * int(request.query_string)

    async def do_stream(self, request: Request, response: Response, rest: str) -> None:
        self.record(request, response)
        response.body = failing() if rest == "failing" else pieces(b"one", "", "two", 3)  # 7 bytes
        if rest.isdecimal():
            response.headers["Content-Length"] = rest

    async def do_header(self, request: Request, response: Response, rest: str) -> None:
        """The query is a JSON pair, percent-encoded: a header's name and value."""
        self.record(request, response)
        name, value = json.loads(rest)
        response.headers[name] = value
        response.body = "sent"

    async def do_cookie(self, request: Request, response: Response, rest: str) -> None:
        self.record(request, response)
        name, value = json.loads(rest)
        response.cookies.set(name, value)
        response.body = "sent"

    async def do_raise(self, request: Request, response: Response, rest: str) -> None:
        self.record(request, response)
        raise RuntimeError("A fault of the application")

    async def do_asleep(self, request: Request, response: Response, seconds: str) -> None:
        self.record(request, response)
        await asyncio.sleep(float(seconds))

    async def do_large(self, request: Request, response: Response, rest: str) -> None:
        """More than any buffer holds; `/wait/large` is answered once it has ended."""
        response.body = self.large()

    async def large(self) -> AsyncIterator[bytes]:
        try:
            while True:
                yield bytes(64 * 1024)
        finally:
            self.ended.set()

    async def do_wait(self, request: Request, response: Response, rest: str) -> None:
        await self.ended.wait()
        response.body = "over"

    async def do_nothing(self, request: Request, response: Response, rest: str) -> str:
        """Gives no response back, though the connection was not handed over."""
        self.record(request, response)
        return "nothing"

    async def do_upgrade(self, request: Request, response: Response, rest: str) -> str | None:
        if request.upgrade != "echo":
            await self.echo(request, response, rest)
            return None
        self.record(request, response)
        echo = Echo()
        request.protocol.switch(echo, b"HTTP/1.1 101 Switching Protocols\r\n\r\n")
        await echo.closed
        return "nothing"


async def serve(app: Any, make: Callable[[], HTTPProtocol], limits: Limits) -> None:
    server = Server(make, limits)
    await server.listen("127.0.0.1", 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await roll_http.serve_until_signalled(server)


def run(main: Any, loop: str) -> None:
    if loop == "uvloop":
        import uvloop

        uvloop.run(main)
    else:
        asyncio.run(main)


if __name__ == "__main__":
    limits = Limits(**json.loads(sys.argv[2] if len(sys.argv) > 2 else "{}"))
    app = App(limits)
    run(serve(app, lambda: HTTPProtocol(app), limits), sys.argv[1])
