"""A small web framework on roll-http, written from FRAMEWORKS.md alone.

Handlers take a request and return a value: text, bytes, a dict, a list, an async generator, a
`Reply`, or None. Routes are a dict of paths to dicts of methods to handlers.
"""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from urllib.parse import parse_qsl

import roll_http
from roll_http import ClientDisconnected, HttpError, HTTPProtocol, Limits, Server

logger = logging.getLogger("foreign")

TEXT = "text/plain; charset=utf-8"
SWITCHING = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: {}\r\nConnection: Upgrade\r\n\r\n"
LONGEST_LINE = 1024


class Request(roll_http.Request):
    """Adds the query, and counts what came of the body."""

    __slots__ = ("query", "received")

    def __init__(self, app, connection):
        super().__init__(app, connection)
        self.query = {}
        self.received = 0

    def set_head(self, head):
        super().set_head(head)
        self.query = dict(parse_qsl(self.query_string, keep_blank_values=True))

    async def __aiter__(self):
        async for chunk in super().__aiter__():
            self.received += len(chunk)
            yield chunk


class Reply(roll_http.Response):
    """A response that handlers make themselves, without the application."""

    def __init__(self, body=b"", status=200, headers=None):
        super().__init__(None, None)
        self.status = status
        self.headers.update(headers or {})
        self.body = body

    @classmethod
    def of(cls, value):
        """Return the reply that a handler means."""
        if isinstance(value, cls):
            return value
        if value is None:
            return cls(status=204)
        if isinstance(value, dict | list):
            reply = cls()
            reply.json = value
            return reply
        return cls(value, headers={"Content-Type": TEXT})


class Cookies(roll_http.Cookies):
    """The cookies of requests; replies are made without the application, and have plain ones."""

    @property
    def user(self):
        return self.get("user", "nobody")


class Lines(asyncio.StreamReaderProtocol):
    """A line protocol, on the streams of asyncio."""

    def __init__(self):
        self.reader = asyncio.StreamReader(limit=LONGEST_LINE)
        super().__init__(self.reader)
        self.writer = None

    def connection_made(self, transport):
        super().connection_made(transport)
        loop = asyncio.get_running_loop()
        self.writer = asyncio.StreamWriter(transport, self, self.reader, loop)

    async def send(self, text):
        self.writer.write(f"{text}\n".encode())
        await self.writer.drain()

    async def __aiter__(self):
        while line := await self.reader.readline():
            yield line.decode().rstrip("\n")

    def shutdown(self):
        self.writer.write(b"bye\n")
        self.writer.close()


class Site:
    """The application: what it serves stands in plain lists and dicts."""

    Request = Request
    Cookies = Cookies

    @staticmethod
    def Response(app, connection):
        return Reply()

    def __init__(self, limits=None):
        self.limits = limits or Limits()
        self.routes = {}
        self.middleware = []  # each: async (call, request) -> Reply; the first is outermost
        self.before = []  # each: async (request) -> a value that answers, or None
        self.after = []  # each: async (request, reply)
        self.error_pages = {}  # status -> (request, message) -> a value
        self.upgrades = {}  # protocol -> async (request, lines)
        self.started = []  # each: async ()
        self.stopped = []
        self.answered = []  # each: (request, reply, size)
        self._tasks = set()

    # Answering.

    async def __call__(self, request, response):
        conversation = self._conversation(request)
        if conversation is not None:
            await self._converse(request, *conversation)
            return response
        try:
            reply = await self._reply(request)
            for hook in self.after:
                await hook(request, reply)
        except ClientDisconnected:
            raise
        except Exception as error:  # noqa: BLE001 - whatever a handler raises is answered
            reply = self._error_page(request, error)
        return reply

    async def _reply(self, request):
        for hook in self.before:
            value = await hook(request)
            if value is not None:
                return Reply.of(value)
        call = self._handle
        for middleware in reversed(self.middleware):
            call = partial(middleware, call)
        try:
            return await call(request)
        except HttpError as error:
            return self._error_page(request, error)

    async def _handle(self, request):
        methods = self.routes.get(request.path)
        if methods is None:
            raise HttpError(404, f"Nothing at {request.path}")
        handler = methods.get("GET" if request.method == "HEAD" else request.method)
        if handler is None:
            return Reply("Not so", 405, {"Content-Type": TEXT, "Allow": ", ".join(methods)})
        return Reply.of(await handler(request))

    def _error_page(self, request, error):
        if isinstance(error, HttpError):
            status, message = error.status, error.message
        else:
            logger.error("%s %s failed", request.method, request.path, exc_info=error)
            status, message = 500, "Something went wrong"
        page = self.error_pages.get(status)
        reply = Reply.of(str(message) if page is None else page(request, message))
        reply.status = status
        return reply

    # Upgrades.

    def _conversation(self, request):
        """Return the first protocol asked for that there is, and what speaks it."""
        for name in (request.upgrade or "").split(","):
            if name.strip() in self.upgrades:
                return name.strip(), self.upgrades[name.strip()]
        return None

    async def _converse(self, request, name, conversation):
        await request.load_body()
        lines = Lines()
        request.protocol.switch(lines, SWITCHING.format(name).encode())
        try:
            await conversation(request, lines)
        finally:
            lines.writer.close()

    # Serving.

    def connection(self):
        connection = HTTPProtocol(self)
        connection.on_answered = self._on_answered
        return connection

    def _on_answered(self, request, reply, size):
        for hook in self.answered:
            hook(request, reply, size)

    def spawn(self, work):
        """Run a coroutine beside the requests, until the site stops."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def serve(self, host, port, ready):
        for hook in self.started:
            await hook()
        try:
            server = Server(self.connection, self.limits)
            await server.listen(host, port)
            ready(server)
            await roll_http.serve_until_signalled(server)
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            for hook in self.stopped:
                await hook()
