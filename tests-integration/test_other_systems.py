"""Roll works on systems that lack features: a program without these names serves."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from websockets.sync.client import connect

SUPPORT = Path(__file__).parent / "support"
LARGE = 3_000_000
APP = """
import asyncio, os, signal, socket, sys
from pathlib import Path

from roll import Roll, extensions

assert not hasattr(os, "sendfile") and not hasattr(socket, "AF_UNIX")
assert not hasattr(signal, "SIGHUP")
app = Roll()
extensions.static(app, root="public")
extensions.access_log(app, LOG)
started = asyncio.Event()


@app.route("/")
async def index(request, response):
    response.body = "served"


@app.route("/files", methods=["POST"])
async def files(request, response):
    file = request.files.get("file")
    await asyncio.to_thread(file.save, "saved")
    response.body = file.filename


@app.route("/slow")
async def slow(request, response):
    sys.stdout.write("begun\\n")
    sys.stdout.flush()
    await asyncio.sleep(1)
    response.body = "ended"


@app.route("/hung")
async def hung(request, response):
    sys.stdout.write("begun\\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


@app.route("/echo", protocol="websocket")
async def echo(request, ws):
    async for message in ws:
        await ws.send(message)


extensions.simple_server(app, port=0)
"""


@pytest.fixture
def env(tmp_path):
    """The environment in which Python is that of another system."""
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text("import other_system\n\nother_system.remove()\n")
    return {"PYTHONPATH": f"{folder}{os.pathsep}{SUPPORT}"}


def call(folder, env, *arguments):
    """Run Python with these arguments; return the exit code and what it says."""
    command = [sys.executable, *arguments]
    options = {"cwd": folder, "env": os.environ | env, "timeout": 60}
    done = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def start(run, tmp_path, env):
    """Serve the application as on another system; its log is `log`, or a pipe."""

    def call(log='"log"'):
        (tmp_path / "public").mkdir()
        (tmp_path / "public" / "large").write_bytes(bytes(LARGE))
        (tmp_path / "app.py").write_text(APP.replace("LOG", log))
        running = run(sys.executable, "app.py", cwd=tmp_path, **env)
        running.wait_for_url()
        return running

    return call


def get(url, **options):
    return httpx.get(url, trust_env=False, timeout=60, **options)


def test_pages_files_uploads_and_websockets_are_served(start, tmp_path):
    running = start()
    url = running.url
    assert get(f"{url}/").text == "served"
    assert len(get(f"{url}/static/large").content) == LARGE
    part = get(f"{url}/static/large", headers={"Range": "bytes=1-100000"})
    assert (part.status_code, len(part.content)) == (206, 100_000)
    sent = {"file": ("name.bin", bytes(LARGE))}
    answer = httpx.post(f"{url}/files", files=sent, trust_env=False, timeout=60)
    assert answer.text == "name.bin", running.output
    assert (tmp_path / "saved").stat().st_size == LARGE
    with connect(f"ws{url.removeprefix('http')}/echo", proxy=None) as ws:
        ws.send("message")
        assert ws.recv(60) == "message"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_first_signal_lets_requests_end(start, tmp_path, number):
    running = start()
    with socket.create_connection(running.url.removeprefix("http://").split(":")) as sock:
        sock.sendall(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
        running.wait_for("begun")
        running.process.send_signal(number)
        answer = b"".join(iter(lambda: sock.recv(65536), b""))
    assert answer.endswith(b"ended")
    assert running.wait() == 0
    assert running.output[-1] == "Bye.\n"
    assert '"GET /slow HTTP/1.1" 200' in (tmp_path / "log").read_text()


def test_second_ctrl_c_cancels_requests(start):
    running = start()
    address = running.url.removeprefix("http://").split(":")
    with socket.create_connection(address) as sock:
        sock.sendall(b"GET /hung HTTP/1.1\r\nHost: x\r\n\r\n")
        running.wait_for("begun")
        running.process.send_signal(signal.SIGINT)
        wait_until_refused(address)
        assert running.stop(signal.SIGINT) == 0
        with contextlib.suppress(ConnectionResetError):
            assert sock.recv(1) == b"", "The request was answered"


def wait_until_refused(address):
    """Wait until the server no longer accepts connections after the signal to stop."""
    with pytest.raises(ConnectionError):
        while True:
            socket.create_connection(address).close()


def test_lines_of_a_pipe_are_written(start):
    running = start("None")
    get(f"{running.url}/")
    running.wait_for('"GET / HTTP/1.1" 200')


@pytest.fixture
def folder(tmp_path):
    text = APP.replace("LOG", '"log"').replace("extensions.simple_server(app, port=0)", "")
    (tmp_path / "public").mkdir()
    (tmp_path / "app.py").write_text(text)
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--unix", "s"], "This system has no Unix sockets: give `host` and `port`"),
        (["--workers", "2"], "--workers needs gunicorn, which does not run on this system"),
    ],
)
def test_missing_system_feature_is_reported_in_one_line(folder, env, arguments, message):
    said = call(folder, env, "-m", "roll", "run", "app.py", *arguments)
    assert said == (2, "", f"roll: {message}\n")


def test_shared_port_is_refused(folder, env):
    code = "from roll import Roll, extensions\n"
    code += "extensions.simple_server(Roll(), reuse_port=True)"
    _, _, errors = call(folder, env, "-c", code)
    message = "ValueError: This system cannot share a port: leave `reuse_port` out"
    assert errors.splitlines()[-1] == message


def test_command_serves_and_reloads(run, folder, env):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    command = [sys.executable, "-m", "roll", "run", "app.py", "--reload", "--port", str(port)]
    running = run(*command, cwd=folder, **env)
    assert get(f"{running.wait_for_url()}/").text == "served"
    changed = (folder / "app.py").read_text().replace('"served"', '"served anew"')
    (folder / "new.py").write_text(changed)
    os.replace(folder / "new.py", folder / "app.py")
    assert get(f"{running.wait_for_url()}/").text == "served anew"
