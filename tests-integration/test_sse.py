"""Server-sent events with real clients: httpx, and the EventSource of a browser."""

import asyncio
import signal
import socket
import sqlite3
import sys
import urllib.request
from contextlib import closing

import httpx
import pytest

from roll import Response, Roll, ServerSentEvent

APP = '''
import asyncio
import sqlite3
import sys

from roll import Roll, ServerSentEvent
from roll.extensions import simple_server

app = Roll()
db = sqlite3.connect("events.db", isolation_level=None)
db.execute("create table if not exists events (id integer primary key, text)")
added = [asyncio.Event()]


@app.route("/")
async def page(request, response):
    response.headers["Content-Type"] = "text/html"
    response.body = """<script>
        window.seen = []
        window.opened = 0
        const source = new EventSource("/events")
        source.onopen = () => { window.opened += 1 }
        source.onmessage = event => window.seen.push([event.lastEventId, event.data])
        source.addEventListener("named", event => window.seen.push([event.lastEventId, "named"]))
    </script>"""


@app.route("/events")
async def events(request, response):
    async def replay(last):
        yield ServerSentEvent(retry=20)
        while True:
            changed = added[-1]
            for number, text in db.execute("select * from events where id > ?", [last]):
                last = number
                name = "named" if text == "name me" else None
                yield ServerSentEvent(text, id=f"{number} \\u2603", event=name)
            await changed.wait()

    response.sse = replay(int(request.last_event_id.partition(" ")[0] or 0))


@app.route("/events", methods=["POST"])
async def add(request, response):
    db.execute("insert into events (text) values (?)", [request.body.decode()])
    added.append(asyncio.Event())
    added[-2].set()


simple_server(app, port=int(sys.argv[1]))
'''


@pytest.fixture
def server(run, tmp_path):
    """Start the server, again and again on the same port."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port = sock.getsockname()[1]
    (tmp_path / "app.py").write_text(APP)

    def start():
        program = run(sys.executable, "app.py", str(port), cwd=tmp_path)
        program.wait_for_url()
        return program

    return start


def add(url, text):
    with urllib.request.urlopen(f"{url}/events", text.encode()):
        pass


def test_an_event_source_resumes_across_restarts_of_the_server(server, browser):
    program = server()
    browser.open(program.url)
    browser.wait_for("window.opened")
    texts = []
    for end in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
        for text in ("plain", "", " two\nlines\n", "data: é ☃ \u2028", "name me", '{"a": 1}'):
            add(program.url, text)
            texts.append("named" if text == "name me" else text)
        browser.wait_for(f"window.seen.length >= {len(texts)}")
        opened = browser.evaluate("window.opened")
        status = program.stop(end)
        assert (status == 0) is (end != signal.SIGKILL), program.output
        program = server()
        browser.wait_for(f"window.opened > {opened}")
    expected = [[f"{number} ☃", text] for number, text in enumerate(texts, 1)]
    assert browser.evaluate("window.seen") == expected


def test_events_added_while_the_server_was_down_arrive_too(server, browser, tmp_path):
    program = server()
    browser.open(program.url)
    add(program.url, "first")
    browser.wait_for("window.seen.length >= 1")
    program.stop()
    with closing(sqlite3.connect(tmp_path / "events.db")) as db, db:
        db.executemany("insert into events (text) values (?)", [[str(n)] for n in range(100)])
    program = server()
    browser.wait_for("window.seen.length >= 101")
    texts = browser.evaluate("window.seen.map(([id, text]) => text)")
    assert texts == ["first", *map(str, range(100))]


@pytest.fixture
def app():
    return Roll()


async def lines_of(url, **headers):
    """Return the events that httpx reads from the stream, line by line."""
    async with (
        httpx.AsyncClient(trust_env=False) as client,
        client.stream("GET", url, headers=headers) as response,
    ):
        assert response.headers["content-type"] == "text/event-stream"
        async for line in response.aiter_lines():
            yield line


async def test_events_arrive_one_by_one(app, liveclient):
    loop = asyncio.get_running_loop()
    wishes = asyncio.Queue()

    @app.route("/events")
    async def events(request, response):
        async def source():
            while (wish := await wishes.get()) is not None:
                yield wish

        response.sse = source()

    lines = lines_of(f"{liveclient.url}/events")
    for wish in (ServerSentEvent({"n": 1}, id="1"), "text", [1, 2]):
        wishes.put_nowait(wish)
        line = ""
        async with asyncio.timeout_at(loop.time() + 30):
            while not line.startswith("data: "):
                line = await anext(lines)
    assert line == "data: [1,2]"
    wishes.put_nowait(None)
    assert [line async for line in lines] == [""]


async def test_a_client_that_leaves_closes_the_source_at_once(app, liveclient):
    closed = asyncio.Event()

    @app.route("/events")
    async def events(request, response):
        async def source():
            try:
                yield request.last_event_id
                await asyncio.Event().wait()
            finally:
                closed.set()

        response.sse = source()

    lines = lines_of(f"{liveclient.url}/events", **{"Last-Event-ID": "7"})
    assert await anext(lines) == "data: 7"
    await lines.aclose()
    await asyncio.wait_for(closed.wait(), 30)


async def test_comments_keep_an_idle_connection_open(app, liveclient, monkeypatch):
    monkeypatch.setattr(Response, "sse_interval", 0.01)

    @app.route("/events")
    async def events(request, response):
        async def source():
            await asyncio.Event().wait()
            yield

        response.sse = source()

    lines = lines_of(f"{liveclient.url}/events")
    for _ in range(3):
        assert [await anext(lines), await anext(lines)] == [":", ""]
    await lines.aclose()


async def test_a_stopping_server_closes_a_thousand_sources(app, liveclient):
    waiting, closed = [], []

    @app.route("/events")
    async def events(request, response):
        async def source():
            try:
                waiting.append(1)
                await asyncio.Event().wait()
                yield
            finally:
                closed.append(1)

        response.sse = source()

    clients = [await asyncio.open_connection("127.0.0.1", liveclient.port) for _ in range(1000)]
    for _, writer in clients:
        writer.write(b"GET /events HTTP/1.1\r\nHost: x\r\n\r\n")
    while len(waiting) < 1000:
        await asyncio.sleep(0)
    await asyncio.wait_for(liveclient.server.stop(3600), 60)
    assert len(closed) == 1000
    for reader, writer in clients:
        assert (await reader.read()).endswith(b"0\r\n\r\n")
        writer.close()
