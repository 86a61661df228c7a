"""The floor: a bare protocol that parses with httptools and writes what was prepared.

It has no limit, no timeout and no check, makes no task, and looks at nothing but the target: what
no framework can go below. Only large bodies heed the flow control of the transport.
"""

import asyncio
import os
from pathlib import Path

import httptools

CHUNK = b"x" * 65536
FRAMED = b"10000\r\n" + CHUNK + b"\r\n"
FILES = Path(os.environ["BENCH_FILES"])
MIB = 1024 * 1024
COOKIE = b"Set-Cookie: session=4f2a9c-seen; Path=/; HttpOnly\r\n"
JSON = b"Content-Type: application/json\r\n"


def prepared(body, fields=b"", status=b"200 OK"):
    return b"HTTP/1.1 %b\r\n%bContent-Length: %d\r\n\r\n%b" % (status, fields, len(body), body)


PLAIN = prepared(b"Hello, World!")
MISSING = prepared(b"Not Found", status=b"404 Not Found")
ANSWERS = {
    b"/plain": PLAIN,
    b"/json": prepared(b'{"message":"Hello, World!"}', JSON),
    b"/hello/ada": prepared(b"ada"),
    b"/cookie": prepared(b"4f2a9c", COOKIE),
    b"/query?name=ada&age=36": prepared(b"ada 36"),
    b"/all/ada?age=36": prepared(b'{"name":"ada","age":36,"session":"4f2a9c"}', JSON + COOKIE),
    b"/echo": prepared(b'{"name":"ada","age":36,"tags":["countess","mathematician"]}', JSON),
    b"/form": prepared(b"ada 36"),
    b"/sleep": PLAIN,
}


class Floor(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport
        self.parser = httptools.HttpRequestParser(self)
        self.upload = 0  # bytes that are still to come
        self.writable = asyncio.Event()
        self.writable.set()

    def data_received(self, data):
        if self.upload:
            self.count(data)
        else:
            self.parser.feed_data(data)

    def on_url(self, url):
        self.url = url
        self.headers = []

    def on_header(self, name, value):
        self.headers.append((name, value))

    def on_headers_complete(self):
        if self.url == b"/upload":
            self.upload = self.size = int(dict(self.headers)[b"Content-Length"])

    def on_body(self, data):
        if self.upload:
            self.count(data)

    def count(self, data):
        # Past the head, the parser would only copy.
        self.upload -= len(data)
        if not self.upload:
            self.transport.write(prepared(b"%d" % self.size))
            self.parser = httptools.HttpRequestParser(self)

    def on_message_complete(self):
        answer = ANSWERS.get(self.url)
        if answer is not None:
            self.transport.write(answer)
        elif self.url.startswith(b"/stream/"):
            self.task = asyncio.create_task(self.stream(int(self.url[8:])))
        elif self.url.startswith(b"/static/"):
            self.task = asyncio.create_task(self.send_file(FILES / self.url[8:].decode()))
        else:
            self.transport.write(MISSING)

    async def stream(self, mebibytes):
        self.transport.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(mebibytes * MIB // len(CHUNK)):
            self.transport.write(FRAMED)
            await self.writable.wait()
        self.transport.write(b"0\r\n\r\n")

    async def send_file(self, path):
        size = path.stat().st_size
        head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size
        with path.open("rb") as file:
            if os.environ["BENCH_LOOP"] == "uvloop":
                await self.send_past_the_loop(head, file.fileno(), size)
            else:
                self.transport.write(head)
                await asyncio.get_running_loop().sendfile(self.transport, file)

    async def send_past_the_loop(self, head, file, size):
        """uvloop has no sendfile; the socket has."""
        loop = asyncio.get_running_loop()
        writable = asyncio.Event()
        sock = os.dup(self.transport.get_extra_info("socket").fileno())
        os.write(sock, head)
        offset = 0
        while offset < size:
            offset += os.sendfile(sock, file, offset, size - offset)
            if offset < size:
                writable.clear()
                loop.add_writer(sock, writable.set)
                await writable.wait()
                loop.remove_writer(sock)
        os.close(sock)

    def pause_writing(self):
        self.writable.clear()

    def resume_writing(self):
        self.writable.set()


async def main():
    server = await asyncio.get_running_loop().create_server(
        Floor, "127.0.0.1", int(os.environ["BENCH_PORT"])
    )
    await server.serve_forever()


if __name__ == "__main__":
    if os.environ["BENCH_LOOP"] == "uvloop":
        import uvloop

        uvloop.run(main())
    else:
        asyncio.run(main())
