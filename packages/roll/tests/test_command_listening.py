"""The addresses of `roll run`: each mistake is reported in one line, with every server."""

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from gunicorn.app.base import BaseApplication

from roll.command import main, several
from roll.command.options import parser
from roll.command.reloading import descriptors_of
from roll.command.several import Gunicorn, descriptors

APP = """
import os
from roll import Roll

app = Roll()

@app.route("/")
async def index(request, response):
    response.body = str(os.getppid())
"""
AS_SYSTEMD = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.environ |= {"LISTEN_FDS": "1", "LISTEN_PID": str(os.getpid())}
os.execv(sys.argv[2], sys.argv[2:])
"""
MODES = {"alone": [], "workers": ["--workers", "2"], "reload": ["--reload"]}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    tmp_path.joinpath("app.py").write_text(APP)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield tmp_path
    sys.modules.pop("app", None)


@pytest.fixture
def keys(folder):
    """Two certificates with their keys, and an encrypted key of the first one."""
    for name in ("one", "two"):
        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost")(
            f"-keyout={name}.key", f"-out={name}.pem"
        )
    openssl("rsa", "-aes128", "-passout", "pass:secret")("-in=one.key", "-out=encrypted.key")


def openssl(*arguments):
    def call(*files):
        named = [part for file in files for part in file.split("=")]
        command = ["openssl", *arguments, *named]
        subprocess.run(command, check=True, capture_output=True)

    return call


@pytest.fixture
def told(folder, capsys):
    """Return what `roll run` says in the end, and require that it fails by itself."""

    def run(mode, arguments):
        try:
            code, said = main(["run", "app.py", *MODES[mode], *arguments]), ""
        except SystemExit as error:  # with a text, which the interpreter writes
            code, said = (1, error.code) if isinstance(error.code, str) else (error.code, "")
        assert code
        return "".join(capsys.readouterr()) + said

    return run


every_mode = pytest.mark.parametrize("mode", MODES)


@every_mode
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--fd", "999"],
            "Cannot listen on the descriptor 999: the descriptor is not an open socket",
        ),
        (
            ["--fd", "9" * 30],
            "Cannot listen on the descriptor 9+: the descriptor is not an open socket",
        ),
        (["--unix", "."], "Cannot listen on unix:.: the file exists, but is not a socket"),
        (["--unix", "none/s"], "Cannot listen on unix:none/s: No such file or directory"),
        (["--unix", "app.py/s"], "Cannot listen on unix:app.py/s: Not a directory"),
        (["--unix", "x" * 200], "Cannot listen on unix:x+: .*too long"),
        (["--unix", ""], "roll: `unix` is the path of a socket, not ''"),
        (["--host", "203.0.113.5"], "Cannot listen on 203.0.113.5:3579: .+"),
        (["--host", "x" * 64], "Cannot listen on x+:3579: that is not a valid host name"),
        (["--port", "65536"], "roll: `port` is a number from 0 to 65535, not '65536'"),
    ],
)
def test_place_that_cannot_be_used_is_one_line(told, mode, arguments, message):
    assert re.fullmatch(f"{message}\n?", told(mode, arguments))


@every_mode
def test_port_in_use_is_one_line(told, mode):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        message = f"Cannot listen on 127.0.0.1:{port}: Address already in use"
        assert told(mode, ["--port", str(port)]) == message


@every_mode
def test_unix_socket_in_use_is_one_line(told, mode):
    with socket.socket(socket.AF_UNIX) as taken:
        taken.bind("s")
        taken.listen()
        message = "Cannot listen on unix:s: another process listens there"
        assert told(mode, ["--unix", "s"]) == message


@every_mode
def test_descriptor_of_a_file_is_one_line(told, mode):
    with open("app.py") as file:
        refused(told, mode, file, "the descriptor is not an open socket")


@every_mode
def test_descriptor_of_datagrams_is_one_line(told, mode):
    with socket.socket(type=socket.SOCK_DGRAM) as sock:
        refused(told, mode, sock, "the socket is not a stream socket")


@every_mode
def test_descriptor_of_a_connection_is_one_line(told, mode):
    one, other = socket.socketpair()
    with one, other:
        refused(told, mode, one, "the socket is a connection, not a listening socket")


def refused(told, mode, file, message):
    number = file.fileno()
    said = told(mode, ["--fd", str(number)])
    assert said == f"Cannot listen on the descriptor {number}: {message}"
    assert os.fstat(number)  # it is left open


@every_mode
@pytest.mark.usefixtures("keys")
@pytest.mark.parametrize(
    ("cert", "key", "message"),
    [
        ("none.pem", "one.key", "none.pem and one.key cannot be used: No such file or directory"),
        ("one.pem", "none.key", "one.pem and none.key cannot be used: No such file or directory"),
        (".", "one.key", ". and one.key cannot be used: .+"),
        ("one.pem", "two.key", "one.pem and two.key cannot be used: .*KEY_VALUES_MISMATCH.*"),
        ("one.pem", "app.py", "one.pem and app.py cannot be used: .+"),
        ("app.py", "one.key", "app.py and one.key cannot be used: .+"),
        ("one.pem", "encrypted.key", "one.pem and encrypted.key cannot be used: the key is enc.+"),
        ("one.pem", None, "one.pem cannot be used: .+"),
        ("one.key", None, "one.key cannot be used: .+"),
    ],
)
def test_certificate_that_cannot_be_used_is_one_line(told, mode, cert, key, message):
    arguments = ["--cert", cert] + ([] if key is None else ["--key", key])
    assert re.fullmatch(f"roll: --cert and --key: {message}\n", told(mode, arguments))


@every_mode
def test_mistake_is_all_that_the_process_says(folder, mode):
    command = [sys.executable, "-m", "roll", "run", "app.py", *MODES[mode], "--fd", "999"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    said = "Cannot listen on the descriptor 999: the descriptor is not an open socket\n"
    assert (done.returncode, done.stdout, done.stderr) == (1, "", said)


# What several processes listen on.


def options(*arguments):
    return parser().parse_args(["run", *arguments])


def test_gunicorn_gets_bound_sockets(folder):
    (number,) = descriptors(options("--unix", "s"))
    with socket.socket(fileno=number) as sock:
        assert sock.getsockname() == "s"
        # As gunicorn has it: a proxy that runs as another user can connect.
        assert folder.joinpath("s").stat().st_mode & 0o777 == 0o777
    assert Gunicorn(options(), [7, 8]).cfg.bind == ["fd://7", "fd://8"]


def test_new_master_takes_the_sockets_of_the_former(monkeypatch):
    monkeypatch.setenv(several.SUCCESSOR, "1")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert descriptors(options("--port", str(taken.getsockname()[1]))) == []
    assert isinstance(Gunicorn(options()), BaseApplication)


# Systems that cannot fork, such as Windows.


def test_several_processes_need_a_fork(told, monkeypatch):
    monkeypatch.delattr(os, "fork")
    message = "roll: --workers needs gunicorn, which does not run on this system\n"
    assert told("workers", []) == message


def test_reloaded_processes_bind_by_themselves_where_none_inherits(monkeypatch):
    monkeypatch.delattr(os, "fork")
    with descriptors_of(options("--port", "0")) as found:
        assert found == []


class Several:
    """`roll run --workers 2`, whose log is read line by line."""

    def __init__(self, folder, *arguments, before=(), **options):
        # Not `-m roll`: a new master is started by the path of the program.
        program = str(Path(sys.executable).with_name("roll"))
        command = [*before, program, "run", "app.py", "--workers", "2", *arguments]
        self.process = subprocess.Popen(
            command, cwd=folder, stderr=subprocess.PIPE, text=True, **options
        )

    def wait_for(self, pattern):
        read = []
        for line in self.process.stderr:
            read.append(line)
            if found := re.search(pattern, line):
                return found[1]
        pytest.fail(f"{pattern!r} was not said in {''.join(read)}")

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        said = self.process.stderr.read()
        return self.process.wait(60), said


@pytest.fixture
def start(folder):
    """Start several processes; they are gone when the test ends."""
    with contextlib.ExitStack() as stack:

        def run(*arguments, **options):
            several = Several(folder, *arguments, **options)
            stack.callback(several.process.communicate, timeout=60)
            stack.callback(several.process.terminate)
            return several

        yield run


def ask(sock):
    with contextlib.closing(sock):
        sock.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        return int(b"".join(iter(lambda: sock.recv(1000), b"")).rpartition(b"\r\n")[2])


def ask_unix(path):
    sock = socket.socket(socket.AF_UNIX)
    sock.connect(str(path))
    return ask(sock)


def test_socket_of_the_supervisor_is_used_and_its_file_kept(start, folder):
    """As systemd passes it: by its number, and by the environment."""
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind("s")
        sock.listen()
        before = (sys.executable, "-c", AS_SYSTEMD, str(sock.fileno()))
        running = start("--fd", "3", before=before, pass_fds=[sock.fileno()])
        running.wait_for("(Booting worker)")
        assert ask_unix("s") == running.process.pid
        code, said = running.stop()
        assert (code, "Traceback" in said) == (0, False)
        assert folder.joinpath("s").exists()


def test_own_unix_socket_is_removed_at_the_end(start, folder):
    running = start("--unix", "s")
    running.wait_for("(Booting worker)")
    assert ask_unix("s") == running.process.pid
    assert running.stop()[0] == 0
    assert not folder.joinpath("s").exists()


def test_new_master_serves_on_the_same_port(start):
    running = start("--port", "0")
    port = int(running.wait_for(r"Listening at: http://127.0.0.1:(\d+)"))
    running.wait_for("(Booting worker)")
    running.process.send_signal(signal.SIGUSR2)
    assert int(running.wait_for(r"Listening at: http://127.0.0.1:(\d+)")) == port
    running.wait_for("(Booting worker)")
    first = running.process.pid
    os.kill(first, signal.SIGTERM)
    running.process.wait(60)
    second = ask(socket.create_connection(("127.0.0.1", port)))
    assert second != first
    os.kill(second, signal.SIGTERM)
