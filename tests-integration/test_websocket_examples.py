"""The websocket examples with a real client, and the echo page in a real browser."""

import asyncio
import base64
import importlib.util
import json
import os
import shutil
import socket
import sys
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest
from websockets.asyncio.client import connect as connect_async
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

EXAMPLES = Path(__file__).parents[1] / "examples"
EXAMPLE = Path(__file__).parents[1] / "examples" / "reconnect.py"
SUPPORT = Path(__file__).parent / "support"
TEXT, CLOSE, PING, PONG = 1, 8, 9, 10


def dial(url, path):
    return connect(f"ws{url.removeprefix('http')}{path}", proxy=None)


def load(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_echo(example):
    with dial(example("websocket_echo.py").url, "/echo") as ws:
        for message in ("Hello", b"\x00\xff", "é" * 70_000):
            ws.send(message)
            assert ws.recv() == message


def test_chat_reaches_every_peer(example):
    url = example("presence.py").url
    with dial(url, "/chat") as ada, dial(url, "/chat") as bob:
        bob.send("ready")
        assert bob.recv() == "ready"
        ada.send("Hello all")
        assert "Hello all" in {ada.recv(), ada.recv()}
        assert bob.recv() == "Hello all"


async def test_chat_keeps_members_that_read(example):
    """However many talk at once."""
    url = f"ws{example('presence.py').url.removeprefix('http')}/chat"
    peers = [await connect_async(url, proxy=None) for _ in range(100)]
    said = [str(number) for number in range(100)]
    for peer, message in zip(peers, said, strict=True):
        await peer.send(message)
    for peer in peers:
        assert sorted([await peer.recv() for _ in said], key=int) == said
    await asyncio.gather(*(peer.close() for peer in peers))
    assert {peer.close_code for peer in peers} == {1000}


async def test_chat_is_not_held_up_by_a_peer_that_does_not_read(example):
    url = f"ws{example('presence.py').url.removeprefix('http')}/chat"
    options = {"proxy": None, "compression": None, "ping_interval": None}
    deaf = await connect_async(url, max_queue=1, **options)
    async with connect_async(url, **options) as peer:
        async with asyncio.timeout(30):
            for number in range(400):
                await peer.send(f"{number}" + "x" * 60_000)
                assert (await peer.recv()).startswith(f"{number}x")
        with pytest.raises(ConnectionClosed, match="1013"):
            while True:
                await deaf.recv()


def test_keep_alive_loop_answers_messages(example):
    with dial(example("keep_me_alive.py").url, "/live") as ws:
        ws.send("ping me")
        assert ws.recv() == "Got ping me"


@pytest.fixture(params=[20])
async def live(request):
    """The port of the keep-alive example, which pings at once; the param is its PATIENCE."""
    module = load(EXAMPLES / "keep_me_alive.py")
    module.IDLE, module.PATIENCE = 0.01, request.param
    await module.app.startup()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(module.app.factory, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()
    await module.app.shutdown()


@pytest.fixture
async def peer(live):
    """The two ends of a raw connection, past the handshake."""
    reader, writer = await asyncio.open_connection("127.0.0.1", live)
    writer.write(
        b"GET /live HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    assert b" 101 " in await reader.readuntil(b"\r\n\r\n")
    yield reader, writer
    writer.close()


async def read_frame(reader):
    """Opcode and payload of a short frame from the server."""
    first, length = await reader.readexactly(2)
    return first & 0x0F, await reader.readexactly(length)


def frame(opcode, payload):
    """A short frame from a client, masked with zeros (RFC 6455 5.3)."""
    return bytes([0x80 | opcode, 0x80 | len(payload), 0, 0, 0, 0]) + payload


async def test_keep_alive_loop_keeps_a_peer_that_answers_pings(peer):
    reader, writer = peer
    for _ in range(3):
        opcode, payload = await read_frame(reader)
        assert opcode == PING
        writer.write(frame(PONG, payload))
    writer.write(frame(TEXT, b"still here"))
    frames = [await read_frame(reader)]
    while frames[-1][0] == PING:
        frames.append(await read_frame(reader))
    assert frames[-1] == (TEXT, b"Got still here")


@pytest.mark.parametrize("live", [0.01], indirect=True)
async def test_keep_alive_loop_closes_a_peer_that_does_not_answer(peer):
    reader, _ = peer
    assert (await read_frame(reader))[0] == PING
    assert await read_frame(reader) == (CLOSE, (1000).to_bytes(2))


CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--remote-debugging-port=0",
)
TALK = """
new Promise((done) => {
  new MutationObserver(() => done(list.textContent)).observe(list, {childList: true});
  const send = () => document.querySelector("button").click();
  socket.readyState === WebSocket.OPEN ? send() : socket.addEventListener("open", send);
})
"""


@pytest.fixture
def browse(run, tmp_path):
    """Open a page in a new browser; return a function that evaluates JavaScript in it."""
    if CHROMIUM is None:
        pytest.skip("chromium is not installed")
    with ExitStack() as pages:

        def browse(url):
            folder = tmp_path / str(len(list(tmp_path.iterdir())))
            browser = run(CHROMIUM, *FLAGS, f"--user-data-dir={folder}", "about:blank")
            port = browser.wait_for(r"DevTools listening on ws://127\.0\.0\.1:(\d+)/")[1]
            found = httpx.get(f"http://127.0.0.1:{port}/json/list", trust_env=False).json()
            target = next(page for page in found if page["type"] == "page")
            page = connect(target["webSocketDebuggerUrl"], proxy=None, max_size=None)
            pages.enter_context(page)
            ask(page, "Page.enable")
            ask(page, "Page.navigate", url=url)
            wait_for(page, lambda message: message.get("method") == "Page.loadEventFired")
            return Page(page)

        yield browse


class Page:
    """A page in a browser."""

    def __init__(self, connection):
        self.connection = connection

    def run(self, expression):
        """The value of an expression, or of what it promises."""
        result = ask(self.connection, "Runtime.evaluate", expression=expression, awaitPromise=True)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def until(self, condition):
        """Wait until an expression is true in the page."""
        self.run(
            "new Promise((done) => { const look = () =>"
            f" ({condition}) ? done() : setTimeout(look, 10); look() }})"
        )

    def screenshot(self, path):
        data = ask(self.connection, "Page.captureScreenshot")["data"]
        path.write_bytes(base64.b64decode(data))


def test_echo_page_in_a_browser(example, browse):
    page = browse(f"{example('websocket_echo.py').url}/")
    assert page.run(TALK) == "Is anybody there?"


FILL = "find('{field}').value = {text}; find('{form}').requestSubmit()"


def enter(page, name):
    page.run(FILL.format(field="#name", form="#enter", text=json.dumps(name)))


def say(page, text):
    page.run(FILL.format(field="#text", form="#write", text=json.dumps(text)))


def shows(page, selector, text):
    page.until(f"find({selector!r}).innerText.trim() === {json.dumps(text)}")


def test_chat_with_rooms_and_presence_in_two_browsers(example, browse):
    program = example("chat.py")
    ada, bob = browse(f"{program.url}/"), browse(f"{program.url}/lobby")
    enter(ada, "Ada <b>")
    shows(ada, "#present", "Ada <b>")
    enter(bob, "Böb & Co")
    for page in (ada, bob):
        shows(page, "h1", "lobby")
        shows(page, "#present", "Ada <b>, Böb & Co")
    say(ada, "Hello <img src=x>")
    shows(bob, "main", "Ada <b>: Hello <img src=x>")
    say(bob, "Hi")
    for page in (ada, bob):
        shows(page, "main", "Ada <b>: Hello <img src=x>\nBöb & Co: Hi")
    if folder := os.environ.get("SCREENSHOTS"):
        ada.screenshot(Path(folder) / "chat.png")
    # Another room is another conversation.
    bob.run(f"location.href = {program.url!r} + '/cellar'")
    shows(ada, "#present", "Ada <b>")
    bob.until("document.readyState === 'complete' && location.pathname === '/cellar'")
    enter(bob, "Bob")
    shows(bob, "#present", "Bob")
    say(bob, "Anybody?")
    shows(bob, "main", "Bob: Anybody?")
    say(ada, "Alone again")
    shows(ada, "main", "Ada <b>: Hello <img src=x>\nBöb & Co: Hi\nAda <b>: Alone again")


def test_page_opens_its_websocket_again_and_has_missed_nothing(run, browse):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])

    def start():
        program = run(sys.executable, EXAMPLE, PYTHONPATH=str(SUPPORT), ROLL_TEST_PORT=port)
        program.wait_for_url()
        return program

    def tell(*texts):
        for text in texts:
            httpx.post(f"{program.url}/news", data={"text": text}, trust_env=False)

    program = start()
    page = browse(f"{program.url}/")
    shows(page, "#state", "online")
    tell("one <b>")
    shows(page, "ol", "one <b>")
    program.kill()
    shows(page, "#state", "offline")
    program = start()
    tell("again", "two")  # the first has a number that the page has seen
    shows(page, "ol", "one <b>\ntwo")
    shows(page, "#state", "online")


def ask(page, method, **params):
    """Send a command of the DevTools protocol and give its result."""
    page.send(json.dumps({"id": 1, "method": method, "params": params}))
    return wait_for(page, lambda message: message.get("id") == 1)["result"]


def wait_for(page, wanted):
    while not wanted(message := json.loads(page.recv(timeout=30))):
        pass
    return message
