"""Record how real clients send one and the same form: python record.py CLIENT...

Not run by the tests: it needs the clients (`pip install aiohttp httpx requests`, curl, node,
chromium, firefox). Each body goes to `clients/NAME.http`, with its Content-Type as the first line.
"""

import argparse
import asyncio
import http.server
import json
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

CLIENTS = Path(__file__).parent / "clients"
FIELDS = [
    ("text", "Grüße, 世界 & co = 100 %"),
    ("empty", ""),
    ("choice", "one"),
    ("choice", "two"),
    ("lines", "first\r\n--second\r\n"),
    ('quo"ted', "a name with a quote"),
]
BINARY = bytes(range(256)) + b"\r\n--\r\n" * 3
FILES = [
    ("document", 'résumé "1".txt', "text/plain", b"A text.\r\nTwo lines."),
    ("binary", "data.bin", "application/octet-stream", BINARY),
    ("binary", "nothing.bin", "application/octet-stream", b""),
]

PAGE = """<!doctype html><meta charset=utf-8>
<form method=post enctype=multipart/form-data action=/browser></form>
<script>
const form = document.forms[0];
const input = (name, type) => {
  const element = document.createElement(type === "file" ? "input" : "textarea");
  if (type === "file") element.type = type;
  element.name = name;
  return form.appendChild(element);
};
for (const [name, value] of FIELDS) input(name, "text").value = value;
for (const [name, filename, type, content] of FILES) {
  const transfer = new DataTransfer();
  transfer.items.add(new File([new Uint8Array(content)], filename, {type}));
  input(name, "file").files = transfer.files;
}
input("unselected", "file");
form.submit();
</script>"""

NODE = """
const form = new FormData();
for (const [name, value] of FIELDS) form.append(name, value);
for (const [name, filename, type, content] of FILES)
  form.append(name, new File([new Uint8Array(content)], filename, {type}));
fetch(process.argv[1], {method: "POST", body: form});
"""


def fill(script: str) -> str:
    files = [(*file[:3], list(file[3])) for file in FILES]
    return script.replace("FIELDS", json.dumps(FIELDS)).replace("FILES", json.dumps(files))


class Handler(http.server.BaseHTTPRequestHandler):
    """Serves the page, keeps the body of the form."""

    body: bytes
    content_type: str
    received: threading.Event

    def do_GET(self) -> None:
        page = fill(PAGE).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    def do_POST(self) -> None:
        cls = type(self)
        cls.content_type = self.headers["Content-Type"]
        cls.body = b"".join(self.read_body())
        self.send_response(204)
        self.end_headers()
        cls.received.set()

    def read_body(self) -> Iterator[bytes]:
        if "Content-Length" in self.headers:
            yield self.rfile.read(int(self.headers["Content-Length"]))
            return
        while size := int(self.rfile.readline(), 16):
            yield self.rfile.read(size)
            self.rfile.readline()

    def log_message(self, *args: Any) -> None:
        """Say nothing."""


@contextmanager
def serving() -> Iterator[tuple[str, type[Handler]]]:
    handler = type("Recorder", (Handler,), {"received": threading.Event()})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/", handler
        server.shutdown()


def curl(url: str) -> None:
    command = ["curl", "-s", "-H", "Expect:", url]
    with tempfile.TemporaryDirectory() as folder:
        for name, value in FIELDS:
            command += ["--form-string", f"{name}={value}"]
        for number, (name, filename, content_type, content) in enumerate(FILES):
            path = Path(folder, str(number))
            path.write_bytes(content)
            quoted = filename.replace('"', '\\"')
            command += ["-F", f'{name}=@{path};filename="{quoted}";type={content_type}']
        subprocess.run(command, check=True)


def requests(url: str) -> None:
    import requests

    files = [(name, (filename, data, kind)) for name, filename, kind, data in FILES]
    requests.post(url, data=FIELDS, files=files, timeout=9)


def httpx(url: str) -> None:
    import httpx

    data: dict[str, list[str]] = {}
    for name, value in FIELDS:
        data.setdefault(name, []).append(value)
    files = [(name, (filename, data, kind)) for name, filename, kind, data in FILES]
    httpx.post(url, data=data, files=files)


def aiohttp(url: str) -> None:
    import aiohttp

    async def post() -> None:
        form = aiohttp.FormData(quote_fields=False)
        for name, value in FIELDS:
            form.add_field(name, value, content_type="text/plain; charset=utf-8")
        for name, filename, content_type, content in FILES:
            form.add_field(name, content, filename=filename, content_type=content_type)
        async with aiohttp.ClientSession() as session, session.post(url, data=form):
            pass

    asyncio.run(post())


def node(url: str) -> None:
    subprocess.run(["node", "-e", fill(NODE), url], check=True)


def browse(handler: type[Handler], *command: str) -> None:
    with tempfile.TemporaryDirectory() as profile:
        process = subprocess.Popen([part.format(profile=profile) for part in command])
        handler.received.wait(60)
        process.terminate()
        process.wait()


def chromium(url: str, handler: type[Handler]) -> None:
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--user-data-dir={profile}"]
    browse(handler, "chromium", *flags, url)


def firefox(url: str, handler: type[Handler]) -> None:
    browse(handler, "firefox-esr", "--headless", "--no-remote", "--profile", "{profile}", url)


SCRIPTS: dict[str, Callable[[str], None]] = {
    "aiohttp": aiohttp,
    "curl": curl,
    "httpx": httpx,
    "node": node,
    "requests": requests,
}
BROWSERS = {"chromium": chromium, "firefox": firefox}


def record(client: str) -> None:
    with serving() as (url, handler):
        if client in SCRIPTS:
            SCRIPTS[client](url)
        else:
            BROWSERS[client](url, handler)
        content = handler.content_type.encode() + b"\r\n" + handler.body
    (CLIENTS / f"{client}.http").write_bytes(content)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("clients", nargs="*", default=[*SCRIPTS, *BROWSERS])
    for client in arguments.parse_args().clients:
        record(client)


if __name__ == "__main__":
    main()
