"""Signals to `roll run --reload`: the process that watches files passes them to its child."""

import fcntl
import os
import pty
import signal
import socket
import subprocess
import sys
import termios

import pytest

from roll.command.reloading import Child, line_to_child

APP = """
import asyncio, os
from roll import Roll

app = Roll()

@app.lifespan
async def database():
    yield
    print("closed", flush=True)

@app.listen("shutdown")
async def end():
    print("ending", flush=True)
    try:
        await END
    except asyncio.CancelledError:
        print("cancelled", flush=True)
        raise
    print("ended", flush=True)

@app.route("/")
async def index(request, response):
    print("It waits.", flush=True)
    try:
        await asyncio.Event().wait()
    finally:
        print("It ends.", flush=True)
"""
QUICK = "asyncio.sleep(0.3)"
NEVER = "asyncio.Event().wait()"
STARTING = """
@app.listen("startup")
async def start():
    print("starting", flush=True)
    await asyncio.Event().wait()
"""
GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.fixture(params=["asyncio", "uvloop"], autouse=True)
def loop(request, tmp_path):
    if request.param == "asyncio":
        tmp_path.joinpath("uvloop.py").write_text("raise ImportError")


@pytest.fixture
def serve(tmp_path):
    """Start `roll run --reload` in a group of its own; end all of it after the test."""
    started = []

    def serve(text, **options):
        tmp_path.joinpath("app.py").write_text(text)
        command = [sys.executable, "-m", "roll", "run", "--port", "0", "--reload"]
        process = subprocess.Popen(
            [*command, "--access-log", "off"],
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            **{"stdin": subprocess.DEVNULL, "process_group": 0} | options,
        )
        started.append(process)
        return process

    yield serve
    for process in started:
        process.kill()  # its child ends by itself
        process.communicate(timeout=60)


def wait_for(process, text):
    """Read until a line holds `text`; return that line."""
    for line in process.stdout:
        if text in line:
            return line
    pytest.fail(f"{text!r} was not said")


def rest(process):
    """Return what all processes say until the last of them has ended, and the exit code."""
    said, _ = process.communicate(timeout=30)
    return said, process.returncode


def connect(process):
    host, _, port = wait_for(process, "Rolling on").strip().rpartition("//")[2].rpartition(":")
    return socket.create_connection((host, int(port)))


SEND = pytest.mark.parametrize("send", [os.kill, os.killpg], ids=["process", "group"])


@SEND
def test_sigquit_cancels_requests_at_once_and_leaves_no_process(serve, send):
    process = serve(APP.replace("END", QUICK))
    with connect(process) as peer:
        peer.sendall(GET)
        wait_for(process, "It waits.")
        send(process.pid, signal.SIGQUIT)
        assert rest(process) == ("It ends.\nBye.\nending\nended\nclosed\n", 0)


@SEND
@pytest.mark.parametrize("first", [signal.SIGINT, signal.SIGTERM])
def test_second_ctrl_c_cancels_requests(serve, send, first):
    leaving = APP.replace(
        "await asyncio.Event().wait()",
        """
        while not request.protocol.must_close:
            await asyncio.sleep(0.01)
        print("It stays.", flush=True)
        await asyncio.Event().wait()""".strip(),
    )
    process = serve(leaving.replace("END", QUICK))
    with connect(process) as peer:
        peer.sendall(GET)
        wait_for(process, "It waits.")
        send(process.pid, first)
        wait_for(process, "It stays.")
        send(process.pid, signal.SIGINT)
        assert rest(process) == ("It ends.\nBye.\nending\nended\nclosed\n", 0)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGQUIT, 131)])
def test_signal_within_shutdown_cancels_it(serve, number, code):
    process = serve(APP.replace("END", NEVER))
    connect(process).close()
    process.send_signal(signal.SIGTERM)
    wait_for(process, "ending")
    process.send_signal(number)
    assert rest(process) == ("cancelled\nclosed\n", code)


@SEND
@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGQUIT, 131), (signal.SIGHUP, 143)],
)
def test_signal_within_startup_ends_both_processes(serve, send, number, code):
    process = serve(APP.replace("END", QUICK) + STARTING)
    wait_for(process, "starting")
    send(process.pid, number)
    assert rest(process) == ("ending\nended\nclosed\n", code)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_within_a_restart_starts_no_other_process(serve, tmp_path, number):
    process = serve(APP.replace("END", QUICK))
    connect(process).close()
    tmp_path.joinpath("new.py").touch()
    wait_for(process, "ending")
    process.send_signal(number)
    end = "cancelled" if number == signal.SIGINT else "ended"
    code = 130 if number == signal.SIGINT else 0
    assert rest(process) == (f"{end}\nclosed\n", code)


def test_signal_before_the_process_is_started_ends_it():
    child = Child([sys.executable, "-c", "import time; time.sleep(600)"], [])
    child.end(signal.SIGTERM)
    child.start()
    assert child.wait() == 143


def test_no_pipe_is_made_where_none_is_inherited(monkeypatch):
    monkeypatch.delattr(os, "fork")  # as on Windows
    with line_to_child() as line:
        assert line == []


@SEND
def test_sighup_ends_gracefully(serve, send):
    process = serve(APP.replace("END", QUICK))
    connect(process).close()
    send(process.pid, signal.SIGHUP)
    assert rest(process) == ("Bye.\nending\nended\nclosed\n", 0)


def test_sighup_that_is_ignored_stays_ignored(serve):
    def ignore():
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does

    process = serve(APP.replace("END", QUICK), preexec_fn=ignore)
    connect(process).close()
    process.send_signal(signal.SIGHUP)
    process.send_signal(signal.SIGQUIT)
    assert rest(process) == ("Bye.\nending\nended\nclosed\n", 0)


@SEND
def test_serving_process_ends_gracefully_when_the_other_is_killed(serve, send):
    process = serve(APP.replace("END", QUICK))
    connect(process).close()
    send(process.pid, signal.SIGKILL)
    assert rest(process) == ("Bye.\nending\nended\nclosed\n", -signal.SIGKILL)


def test_serving_process_that_blocks_is_killed_when_the_other_is_killed(serve):
    process = serve(APP.replace("await END", "import time; time.sleep(600)"))
    connect(process).close()
    process.kill()
    assert rest(process) == ("Bye.\nending\n", -signal.SIGKILL)


KEYS = {"C": b"\x03", "backslash": b"\x1c", "enter": b"\n"}


@pytest.fixture
def serve_at_terminal(serve):
    """Start `roll run --reload` at a terminal; give it, and what presses a key there."""
    ours, theirs = pty.openpty()

    def start(text):
        options = {"process_group": None, "start_new_session": True, "preexec_fn": take_terminal}
        return serve(text, stdin=theirs, **options), lambda key: os.write(ours, KEYS[key])

    yield start
    os.close(ours)
    os.close(theirs)


def take_terminal():
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


@pytest.mark.parametrize("key", ["C", "backslash"])
def test_key_at_a_terminal_counts_once(serve_at_terminal, key):
    """The terminal sends the signal to both processes; `shutdown` is not cancelled by it."""
    process, press = serve_at_terminal(APP.replace("END", QUICK))
    connect(process).close()
    press(key)
    assert rest(process) == ("Bye.\nending\nended\nclosed\n", 0)


@pytest.mark.parametrize(("key", "code"), [("C", 130), ("backslash", 131)])
def test_key_at_a_terminal_within_startup_counts_once(serve_at_terminal, key, code):
    process, press = serve_at_terminal(APP.replace("END", QUICK) + STARTING)
    wait_for(process, "starting")
    press(key)
    assert rest(process) == ("ending\nended\nclosed\n", code)


def test_serving_process_reads_from_the_terminal(serve_at_terminal, tmp_path):
    """As `breakpoint()` does."""
    reading = (
        "import os\nprint('Reads.', flush=True)\nprint('It read', os.read(0, 1), flush=True)\n"
    )
    process, press = serve_at_terminal(reading + APP.replace("END", QUICK))
    wait_for(process, "Reads.")
    press("enter")
    wait_for(process, r"It read b'\n'")
    connect(process).close()
    press("C")
    assert rest(process) == ("Bye.\nending\nended\nclosed\n", 0)
