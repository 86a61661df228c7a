"""The example of names in a room: two workers share a Redis, and one of them is killed."""

import json
import os
import shutil
import signal
import socket
import sys
from pathlib import Path

import pytest
from websockets.sync.client import connect

EXAMPLE = Path(__file__).parents[1] / "examples/room_names.py"
PATIENCE = 60

pytestmark = pytest.mark.skipif(
    shutil.which("redis-server") is None, reason="redis-server is not installed"
)

SHORT_LIVES = """
import sys
sys.path.insert(0, {folder!r})
import room_names

room_names.RENEW, room_names.LIFE = 0.2, 2  # seconds
app = room_names.app
"""


@pytest.fixture
def redis(run):
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port = str(sock.getsockname()[1])
    server = run("redis-server", "--port", port, "--bind", "127.0.0.1", "--save", "")
    server.wait_for("Ready to accept connections")
    return f"redis://127.0.0.1:{port}"


@pytest.fixture
def workers(run, redis, tmp_path):
    """Two processes of the application, each on its own port."""
    (tmp_path / "site_app.py").write_text(SHORT_LIVES.format(folder=str(EXAMPLE.parent)))
    command = [sys.executable, "-m", "roll", "run", "site_app:app", "--port", "0"]
    started = [run(*command, cwd=tmp_path, REDIS=redis) for _ in range(2)]
    for program in started:
        program.wait_for_url(r"(http://127\.0\.0\.1:\d+)")
    return started


def enter(worker, name):
    return connect(f"ws{worker.url.removeprefix('http')}/lobby/chat?name={name}", proxy=None)


def wait_for(ws, names):
    while json.loads(ws.recv(PATIENCE)) != {"present": names}:
        pass


def test_members_of_all_workers_see_who_comes_and_goes(workers):
    first, second = workers
    with enter(first, "Ada") as ada, enter(second, "Bob") as bob:
        wait_for(ada, ["Ada", "Bob"])
        with enter(second, "Ada"):
            wait_for(ada, ["Ada", "Ada", "Bob"])
            wait_for(bob, ["Ada", "Ada", "Bob"])
        wait_for(ada, ["Ada", "Bob"])
        assert second.stop(signal.SIGTERM) == 0
        wait_for(ada, ["Ada"])


def test_members_of_a_killed_worker_are_gone(workers):
    first, second = workers
    with enter(first, "Ada") as ada, enter(second, "Bob"):
        wait_for(ada, ["Ada", "Bob"])
        os.kill(second.process.pid, signal.SIGKILL)
        wait_for(ada, ["Ada"])
