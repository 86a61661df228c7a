"""An ASGI application that answers as `probe_app.py` does.

    python probe_hosted.py LOOP [LIMITS]    mounted in an application of Roll
    python probe_alone.py LOOP              alone, by `roll run`

It answers HTTP requests and the lifespan, and refuses websockets.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from collections import defaultdict
from contextvars import ContextVar

seen = ContextVar("seen", default="nothing")
ran: defaultdict[str, list[str]] = defaultdict(list)
leaks: set[asyncio.Future[None]] = set()

START = "http.response.start"
BODY = "http.response.body"


async def application(scope, receive, send):
    if scope["type"] == "http":
        await Exchange(scope, receive, send).run()
    elif scope["type"] == "lifespan":
        await live(receive, send)
    else:
        raise ValueError("This application has no websockets")


async def live(receive, send):
    for _ in range(2):
        kind = (await receive())["type"]
        await send({"type": f"{kind}.complete"})


class Gone(Exception):
    """The client has disconnected."""


class Exchange:
    """One request: `POST /status/204` is answered by `do_status("204")`."""

    def __init__(self, scope, receive, send):
        self.scope, self.receive, self.send = scope, receive, send
        self.query = scope["query_string"].decode()
        target = scope["raw_path"].decode() + ("?" + self.query if self.query else "")
        self.line = f"{scope['method']} {target}"
        self.fields = []

    async def run(self):
        name, _, rest = self.scope["path"].lstrip("/").partition("/")
        do = getattr(self, f"do_{name}", self.echo)
        try:
            await do(rest)
        except Gone:
            return

    def record(self):
        ran[str(self.scope["client"][1])].append(self.line)
        self.fields.append((b"x-ran", self.line.encode()))

    async def answer(self, *parts, status=200):
        await self.send({"type": START, "status": status, "headers": self.fields})
        for part in parts[:-1]:
            await asyncio.sleep(0)
            await self.send({"type": BODY, "body": part, "more_body": True})
        await self.send({"type": BODY, "body": parts[-1]})

    async def read(self):
        body, more = b"", True
        while more:
            message = await self.receive()
            if message["type"] == "http.disconnect":
                raise Gone
            body += message["body"]
            more = message["more_body"]
        return body

    async def echo(self, rest):
        body = await self.read()
        self.record()
        fields = [
            (name.decode(), value.decode("latin-1")) for name, value in self.scope["headers"]
        ]
        names = {name.upper(): value for name, value in fields}
        value = {
            "body": body.decode("latin-1"),
            "headers": names,
            "path": self.scope["path"],
            "query": self.query,
            "host": names.get("HOST", ""),
            "version": self.scope["http_version"],
        }
        await self.answer(json.dumps(value).encode())

    async def do_ran(self, port):
        await self.answer(json.dumps(ran.pop(port, [])).encode())

    async def do_kept(self, rest):
        await self.answer(b"kept")

    async def do_unread(self, rest):
        """Answer without reading the body."""
        self.record()
        await self.answer(b"")

    async def do_part(self, rest):
        """Answer after the first message of the body."""
        await self.receive()
        await self.do_unread(rest)

    async def do_early(self, rest):
        """Answer, and read the body then."""
        await self.do_unread(rest)
        while (await self.receive())["type"] != "http.disconnect":
            pass

    async def do_leak(self, rest):
        """Answer, and leave a task that continues to receive and send."""
        self.leaked = asyncio.ensure_future(self.go_on())
        leaks.add(self.leaked)
        self.leaked.add_done_callback(leaks.discard)
        await self.do_unread(rest)

    async def go_on(self):
        while (await self.receive())["type"] != "http.disconnect":
            await asyncio.sleep(0)
        for message in ({"type": START, "status": 500}, {"type": BODY, "body": b"leaked"}):
            for _ in range(5):
                await asyncio.sleep(0)
                with contextlib.suppress(RuntimeError):
                    await self.send(message)

    async def do_behind(self, rest):
        """Answer, and work on."""
        await self.do_unread(rest)
        for _ in range(20):
            await asyncio.sleep(0)

    async def do_context(self, rest):
        """Tell what the context holds from earlier requests, in a body that fills buffers."""
        self.fields.append((b"x-seen", seen.get().encode()))
        seen.set(rest)
        await self.answer(bytes(60_000))

    async def do_late(self, rest):
        for _ in range(20):
            await asyncio.sleep(0)
        await self.echo(rest)

    async def do_head(self, rest):
        """Answer a HEAD with the length alone."""
        self.record()
        self.fields.append((b"content-length", (rest or "5").encode()))
        await self.answer(b"")

    async def do_status(self, code):
        self.record()
        await self.answer(b"a body", status=int(code))

    async def do_length(self, rest):
        """`/length/5` has a body of as many bytes as the query says."""
        self.record()
        self.fields.append((b"content-length", rest.encode()))
        await self.answer(b"x" * int(self.query))

    async def do_stream(self, rest):
        self.record()
        if rest.isdecimal():
            self.fields.append((b"content-length", rest.encode()))
        if rest == "failing":
            await self.send({"type": START, "status": 200, "headers": self.fields})
            await self.send({"type": BODY, "body": b"begun", "more_body": True})
            raise RuntimeError("The stream fails after its head")
        await self.answer(b"one", b"", b"two", b"3", b"")

    async def do_header(self, rest):
        """The rest of the path is a JSON pair: a field's name and value."""
        self.record()
        name, value = json.loads(rest)
        self.fields.append((name.encode(), str(value).encode()))
        await self.answer(b"sent")

    async def do_cookie(self, rest):
        self.record()
        name, value = json.loads(rest)
        self.fields.append((b"set-cookie", f"{name}={value}".encode()))
        await self.answer(b"sent")

    async def do_raise(self, rest):
        self.record()
        raise RuntimeError("A fault of the application")

    async def do_nothing(self, rest):
        """Return without a response."""
        self.record()


async def main(app, limits):
    from probe_app import serve

    await app.startup()
    await serve(app, app.factory, limits)
    await app.shutdown()


def mounted(loop, limits):
    from probe_app import run

    from roll import Limits, Roll

    limits = Limits(**json.loads(limits))
    app = Roll(limits=limits)
    app.mount("/", application, max_body=limits.body)
    run(main(app, limits), loop)


if __name__ == "__main__":
    mounted(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "{}")
