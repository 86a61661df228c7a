"""The server of the fault tests, on roll-http alone.

    python fault_app.py LOOP [JSON]

The JSON object may have `limits` (of `roll_http.Limits`), `tls` (a certificate and its key in one
file) and `files` (how many descriptors the process may have). The port is printed.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import resource
import ssl
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

from probe_app import run

import roll_http
from roll_http import Cookies, FileBody, HttpError, HTTPProtocol, Limits, Request, Response, Server

KIB = 1024
MIB = 1024 * KIB
CHUNK = bytes(64 * KIB)


class App:
    Request, Response, Cookies = Request, Response, Cookies

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.body = b""
        self.open = 0  # generators begun and not ended
        self.produced = 0
        self.cancelled = 0
        self.running = 0
        self.begun = 0

    async def __call__(self, request: Request, response: Response) -> Response:
        name, _, rest = request.path.lstrip("/").partition("/")
        try:
            await getattr(self, f"do_{name}")(request, response, rest)
        except HttpError as error:
            response.status = error.status
            response.body = str(error.message)
        return response

    async def do_(self, request: Request, response: Response, rest: str) -> None:
        response.body = "hello"

    async def do_stats(self, request: Request, response: Response, rest: str) -> None:
        await asyncio.sleep(0)
        response.json = {
            "open": self.open,
            "produced": self.produced,
            "cancelled": self.cancelled,
            "running": self.running,
            "tasks": len(asyncio.all_tasks()),
            "files": sum("(deleted)" in target for target in descriptors()),
        }

    async def do_stream(self, request: Request, response: Response, size: str) -> None:
        response.body = self.chunks(int(size))

    async def chunks(self, size: int) -> AsyncIterator[bytes]:
        self.open += 1
        self.produced = 0
        try:
            while self.produced < size:
                self.produced += len(CHUNK)
                yield CHUNK
        finally:
            self.open -= 1

    async def do_bytes(self, request: Request, response: Response, size: str) -> None:
        """One body of bytes, made once."""
        if len(self.body) != int(size):
            self.body = bytes(int(size))
        response.body = self.body

    async def do_file(self, request: Request, response: Response, size: str) -> None:
        """A file of nothing, for which no disk is needed."""
        with tempfile.NamedTemporaryFile(delete=False) as file:
            file.truncate(int(size))
        response.headers["Content-Length"] = size
        response.body = body = FileBody(file.name, 0, int(size))
        body.open()
        Path(file.name).unlink()

    async def do_lazy(self, request: Request, response: Response, rest: str) -> None:
        self.running += 1
        try:
            size = 0
            async for chunk in request:
                size += len(chunk)
            response.body = str(size)
        finally:
            self.running -= 1

    async def do_eager(self, request: Request, response: Response, rest: str) -> None:
        self.running += 1
        try:
            response.body = str(len(await request.read()))
        finally:
            self.running -= 1

    async def do_wait(self, request: Request, response: Response, seconds: str) -> None:
        self.running += 1
        self.begun += 1
        await asyncio.sleep(float(seconds))
        self.running -= 1
        response.body = "waited"

    async def do_block(self, request: Request, response: Response, seconds: str) -> None:
        """Keeps the whole process from anything else."""
        time.sleep(float(seconds))

    async def do_cancel(self, request: Request, response: Response, rest: str) -> None:
        request.cancel_on_disconnect = True
        self.running += 1
        try:
            await asyncio.sleep(3600)
        finally:
            self.running -= 1
            await asyncio.sleep(0)  # what a cleanup awaits is not cut short
            self.cancelled += 1

    async def do_gone(self, request: Request, response: Response, rest: str) -> None:
        """Runs on without its client, until it looks."""
        self.running += 1
        while not await request.disconnected():
            await asyncio.sleep(0.01)
        self.running -= 1
        self.cancelled += 1

    async def do_raise(self, request: Request, response: Response, rest: str) -> None:
        raise RuntimeError("A fault of the application")


def descriptors() -> Iterator[str]:
    """The open files of the process."""
    for descriptor in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # that of the folder itself
            yield str(descriptor.readlink())


async def main(settings: dict[str, Any]) -> None:
    app = App(Limits(**settings.get("limits", {})))
    tls = None
    if "tls" in settings:
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(settings["tls"])
    server = Server(lambda: HTTPProtocol(app), app.limits, tls)
    roll_http.throttle_accept_errors(asyncio.get_running_loop())
    await server.listen("127.0.0.1", 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await roll_http.serve_until_signalled(server)
    sys.stdout.write(f"{app.begun} begun\n")


if __name__ == "__main__":
    settings = json.loads(sys.argv[2] if len(sys.argv) > 2 else "{}")
    if "files" in settings:
        resource.setrlimit(resource.RLIMIT_NOFILE, (settings["files"],) * 2)
    run(main(settings), sys.argv[1])
