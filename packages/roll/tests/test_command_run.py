"""The command `roll run`, in a process of its own."""

import contextlib
import json
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import urllib.error
import urllib.request

import pytest
from gunicorn.errors import AppImportError

from roll.command import main
from roll.command.options import amount, parser
from roll.command.preparing import is_local
from roll.command.several import Gunicorn
from roll.extras import need

APP = """
import time
from roll import Roll

app = Roll()

@app.route("/")
async def index(request, response):
    response.body = "served"

@app.route("/error")
async def error(request, response):
    missing()
    secret = "a <secret>"
    raise ValueError("no <such> thing")

@app.route("/slow")
async def slow(request, response):
    time.sleep(0.3)

@app.route("/form", methods=["POST"])
async def form(request, response):
    response.body = str(app.limits.body)

async def missing():
    pass
"""


class Command:
    """A running `roll`, whose output is read line by line."""

    def __init__(self, folder, *arguments, **options):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "roll", *map(str, arguments)],
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            **options,
        )

    def wait_for(self, text):
        """Read until a line holds `text`, and return that line."""
        read = []
        for line in self.process.stdout:
            read.append(line)
            if text in line:
                return line.rstrip("\n")
        pytest.fail(f"{text!r} was not said in {''.join(read)}")

    def rest(self):
        return self.process.stdout.read()

    @property
    def url(self):
        return self.wait_for("Rolling on").rpartition(" ")[2]

    def end(self):
        """End the process, and by it those that it has started."""
        self.process.terminate()
        self.process.communicate(timeout=60)

    def stop(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        said = self.rest()
        return said, self.process.wait()


@pytest.fixture
def folder(tmp_path):
    tmp_path.joinpath("app.py").write_text(APP)
    return tmp_path


@pytest.fixture
def roll(folder):
    """Start `roll` in the folder of the application."""
    with contextlib.ExitStack() as stack:

        def start(*arguments, **options):
            command = Command(folder, *arguments, **options)
            stack.callback(command.end)
            return command

        yield start


def get(url, **options):
    try:
        with urllib.request.urlopen(url, **options) as response:
            return response.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.read().decode()


def get_unix(path):
    with socket.socket(socket.AF_UNIX) as peer:
        peer.connect(str(path))
        peer.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        return b"".join(iter(lambda: peer.recv(1000), b"")).decode()


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
@pytest.mark.parametrize("log", ["text", "off"])
def test_repeated_sigterms_change_nothing_until_the_process_has_ended(roll, folder, loop, log):
    if loop == "asyncio":
        folder.joinpath("uvloop.py").write_text("raise ImportError")
    command = roll("run", "--port", 0, "--access-log", log)
    assert get(command.url) == "served"
    status = None
    while status is None:
        command.process.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            status = command.process.wait(timeout=0.001)
    assert status == 0


STARTING = """

@app.lifespan
async def database():
    print("opened", flush=True)
    yield
    print("closed", flush=True)

@app.listen("shutdown")
async def end():
    print("ended", flush=True)

@app.listen("startup")
async def start():
    print("starting", flush=True)
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        print("cancelled", flush=True)
        {cancelled}
"""


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
@pytest.mark.parametrize(
    ("number", "cancelled", "status"),
    [
        (signal.SIGTERM, "raise", 143),
        (signal.SIGINT, "raise", 130),
        (signal.SIGQUIT, "raise", 131),
        (signal.SIGTERM, "pass", 143),
    ],
)
def test_signal_within_startup_cancels_it_and_leaves_the_lifespans(
    roll, folder, loop, number, cancelled, status
):
    if loop == "asyncio":
        folder.joinpath("uvloop.py").write_text("raise ImportError")
    change(folder / "app.py", "import asyncio\n" + APP + STARTING.format(cancelled=cancelled))
    command = roll("run", "--port", 0)
    command.wait_for("starting")
    assert command.stop(number) == ("cancelled\nended\nclosed\n", status)


ENDING = """

@app.lifespan
async def database():
    yield
    print("closed", flush=True)

@app.listen("shutdown")
async def end():
    print("ending", flush=True)
    try:
        await asyncio.Event().wait()
    finally:
        await asyncio.sleep(0)
        print("ended", flush=True)
"""


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGQUIT, 131)])
@pytest.mark.parametrize("first", [signal.SIGTERM, signal.SIGINT, signal.SIGQUIT])
def test_signal_within_shutdown_cancels_its_listener_before_lifespans_are_left(
    roll, folder, loop, first, number, status
):
    if loop == "asyncio":
        folder.joinpath("uvloop.py").write_text("raise ImportError")
    change(folder / "app.py", "import asyncio\n" + APP + ENDING)
    command = roll("run", "--port", 0, "--access-log", "off")
    assert get(command.url) == "served"
    command.process.send_signal(first)
    command.wait_for("ending")
    assert command.stop(number) == ("ended\nclosed\n", status)


def test_repeated_sigterms_within_startup_change_nothing(roll, folder):
    closing = 'await asyncio.sleep(0.01)\n    print("closed'
    text = STARTING.format(cancelled="raise").replace('print("closed', closing)
    change(folder / "app.py", "import asyncio\n" + APP + text)
    command = roll("run", "--port", 0)
    command.wait_for("starting")
    status = None
    while status is None:
        command.process.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            status = command.process.wait(timeout=0.001)
    assert (command.rest(), status) == ("cancelled\nended\nclosed\n", 143)


def test_sigterm_ends_the_server_where_no_signals_can_be_blocked(roll, folder):
    change(folder / "app.py", "import signal\ndel signal.pthread_sigmask  # as on Windows\n" + APP)
    command = roll("run", "--port", 0, "--access-log", "off")
    assert get(command.url) == "served"
    assert command.stop() == ("Bye.\n", 0)


@pytest.mark.parametrize("target", [[], ["app:app"], ["app.py"], ["app.py:app"]])
def test_application_is_served_until_a_signal(roll, target):
    command = roll("run", *target, "--port", 0, "--access-log", "off")
    assert get(command.url) == "served"
    assert command.stop() == ("Bye.\n", 0)


def test_second_application_on_the_port_is_an_error(roll):
    port = roll("run", "--port", 0).url.rpartition(":")[2]
    other = roll("run", "--port", port)
    assert other.rest() == f"Cannot listen on 127.0.0.1:{port}: Address already in use\n"
    assert other.process.wait() == 1


def test_unix_socket_is_served_and_removed(roll, tmp_path_factory):
    path = tmp_path_factory.mktemp("s") / "s"
    command = roll("run", "--unix", path)
    assert command.url == f"unix:{path}"
    assert get_unix(path).endswith("served")
    command.stop()
    assert not path.exists()


def test_inherited_socket_is_served(roll):
    with socket.create_server(("127.0.0.1", 0)) as sock:
        command = roll("run", "--fd", sock.fileno(), pass_fds=[sock.fileno()])
        url = command.url
        assert url == f"http://127.0.0.1:{sock.getsockname()[1]}"
        assert get(url) == "served"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    options = "-nodes -days 2 -subj /CN=localhost -keyout key.pem -out cert.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", *options.split()]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return folder


def test_certificate_and_key_make_it_https(roll, certificate):
    files = ["--cert", certificate / "cert.pem", "--key", certificate / "key.pem"]
    url = roll("run", "--port", 0, *files).url
    assert url.startswith("https://127.0.0.1:")
    context = ssl.create_default_context(cafile=certificate / "cert.pem")
    context.check_hostname = False
    assert get(url, context=context) == "served"


def test_limits_are_those_of_the_command_line(roll):
    url = roll("run", "--port", 0, "--limit-body", "3K").url
    assert get(f"{url}/form", data=b"a=b") == "3072"
    assert get(f"{url}/form", data=b"a" * 4000) == "The body is larger than the 3072 bytes allowed"


def test_several_processes_are_run_by_gunicorn(roll, tmp_path_factory):
    path = tmp_path_factory.mktemp("g") / "s"
    command = roll("run", "--workers", 2, "--unix", path, "--limit-graceful-timeout", "3.5")
    command.wait_for("Booting worker")
    command.wait_for("Booting worker")
    assert get_unix(path).endswith("served")
    said, code = command.stop()
    assert "Shutting down" in said
    assert code == 0


LIMITED = """
import math
from roll import Limits, Roll

app = Roll(limits=Limits(keep_alive_timeout=SECONDS))

@app.route("/")
async def tell(request, response):
    response.body = str(app.limits.keep_alive_timeout)
"""


@pytest.mark.parametrize(("seconds", "told"), [("math.inf", "inf"), ("2.2", "2.2")])
def test_several_processes_keep_the_limits_of_the_application(
    roll, folder, tmp_path_factory, seconds, told
):
    folder.joinpath("limited.py").write_text(LIMITED.replace("SECONDS", seconds))
    path = tmp_path_factory.mktemp("g") / "s"
    command = roll("run", "limited:app", "--workers", 2, "--unix", path)
    command.wait_for("Booting worker")
    command.wait_for("Booting worker")
    assert get_unix(path).endswith(told)
    assert command.stop()[1] == 0


@pytest.mark.parametrize("target", ["nowhere:app", "broken:app"])
def test_several_processes_stop_where_the_application_cannot_be_loaded(roll, folder, target):
    folder.joinpath("broken.py").write_text("1 / 0\n")
    command = roll("run", target, "--workers", 2, "--port", 0)
    said = command.rest()
    assert command.process.wait() != 0
    assert "There is no module 'nowhere'" in said or "ZeroDivisionError" in said


LINE = re.compile(r'127\.0\.0\.1 - - \[[^]]+\] "GET / HTTP/1\.1" 200 6 \d\.\d{6}')
OWN = "from roll import extensions\n"


@pytest.mark.parametrize("arguments", [[], ["--access-log"], ["--access-log", "text"]])
@pytest.mark.parametrize("more", [[], ["--reload"]])
def test_requests_are_logged_as_text(roll, arguments, more):
    command = roll("run", "app:app", "--port", 0, *more, *arguments)
    get(command.url)
    assert LINE.fullmatch(command.wait_for("GET"))


def test_requests_are_logged_as_json(roll):
    command = roll("run", "--port", 0, "--access-log", "json")
    get(command.url + "?q=1")
    line = json.loads(command.wait_for("{"))
    assert (line["path"], line["query"], line["status"], line["route"]) == ("/", "q=1", 200, "/")


@pytest.mark.parametrize("form", ["text", "json", "off"])
def test_several_processes_log_each_request_once(roll, form, tmp_path_factory):
    path = tmp_path_factory.mktemp("g") / "s"
    command = roll("run", "--workers", 2, "--unix", path, "--access-log", form)
    command.wait_for("Booting worker")
    command.wait_for("Booting worker")
    for _ in range(20):
        get_unix(path)
    said, _ = command.stop()
    lines = [line for line in said.splitlines() if "GET" in line]
    assert len(lines) == (0 if form == "off" else 20)
    if form == "json":
        assert {json.loads(line)["status"] for line in lines} == {200}


@pytest.mark.parametrize(
    "own",
    [
        'extensions.access_log(app, "own.log")',
        'app.listen("startup")(lambda: extensions.access_log(app, "own.log"))',
        'app.listen("reopen_logs")(print)\nextensions.access_log(app, "own.log")',
    ],
)
@pytest.mark.parametrize("arguments", [[], ["--access-log", "json"]])
def test_log_of_the_application_is_not_doubled(roll, folder, own, arguments):
    change(folder / "app.py", APP + OWN + own + "\n")
    command = roll("run", "--port", 0, *arguments)
    told = command.wait_for("has no effect") if arguments else None
    get(command.url)
    said, _ = command.stop()
    assert said == "Bye.\n"
    assert LINE.fullmatch((folder / "own.log").read_text().strip())
    assert told in {
        None,
        "roll: --access-log json has no effect: the application writes its own access log",
    }


@pytest.mark.parametrize(("arguments", "count"), [([], 0), (["--access-log", "text"], 1)])
def test_requests_that_logger_logs_are_logged_once_more_only_if_asked_for(
    roll, folder, arguments, count
):
    change(folder / "app.py", APP + OWN + "extensions.logger(app)\n")
    command = roll("run", "--port", 0, *arguments)
    get(command.url)
    said, _ = command.stop()
    assert "GET /\n" in said
    assert said.count("HTTP/1.1") == count


def test_closed_output_of_the_log_is_reported_once_and_the_server_continues(folder):
    reading, writing = os.pipe()
    command = [sys.executable, "-m", "roll", "run", "--port", "0"]
    with subprocess.Popen(
        command, cwd=folder, stdout=writing, stderr=subprocess.PIPE, text=True
    ) as process:
        os.close(writing)
        with os.fdopen(reading) as said:
            url = said.readline().rpartition(" ")[2].strip()
        assert get(url) == "served"
        assert "loses lines: Broken pipe" in process.stderr.readline()
        assert get(url) == "served"
        process.terminate()
        assert process.communicate(timeout=60)[1] == ""
        assert process.returncode == 0


def change(path, text):
    """Write a file so that its compiled form is seen to be old, within the same second too."""
    path.write_text(text)
    later = path.stat().st_mtime + 2
    os.utime(path, (later, later))


def test_changed_code_is_served_on_the_same_port(roll, folder):
    command = roll("run", "--port", 0, "--reload")
    url = command.url
    change(folder / "app.py", APP.replace("served", "changed"))
    assert "app.py" in command.wait_for("Changed:")
    assert command.url == url
    assert get(url) == "changed"
    assert command.stop()[1] == 0


WAITING = """
@app.route("/waits")
async def waits(request, response):
    import asyncio
    print("It waits.", flush=True)
    await asyncio.sleep(0.5)
    response.body = "waited"

@app.route("/stays")
async def stays(request, response):
    import asyncio
    print("It waits.", flush=True)
    while not request.protocol.must_close:
        await asyncio.sleep(0.01)
    print("It stays.", flush=True)
    await asyncio.Event().wait()
"""


@pytest.mark.parametrize(
    "who", ["the whole group, as a terminal does", "the process that watches"]
)
def test_ctrl_c_lets_running_requests_end_under_reload(roll, folder, who):
    change(folder / "app.py", APP + WAITING)
    command = roll("run", "--port", 0, "--reload", start_new_session=True)
    host, _, port = command.url.removeprefix("http://").rpartition(":")
    with socket.create_connection((host, int(port))) as peer:
        peer.sendall(b"GET /waits HTTP/1.1\r\nHost: x\r\n\r\n")
        command.wait_for("It waits.")
        send = os.killpg if who.startswith("the whole") else os.kill
        send(command.process.pid, signal.SIGINT)
        answer = b"".join(iter(lambda: peer.recv(1000), b""))
    assert answer.endswith(b"waited")
    assert command.process.wait() == 0


def waiting_request(roll, folder, path, target="/waits"):
    """Start two processes, and send one of them a request that waits; give both."""
    # One write: the lines of two processes could mix.
    change(folder / "app.py", APP + WAITING + "print('Loaded.\\n', end='', flush=True)")
    command = roll("run", "--workers", 2, "--unix", path, start_new_session=True)
    command.wait_for("Loaded.")
    command.wait_for("Loaded.")
    peer = socket.socket(socket.AF_UNIX)
    peer.connect(str(path))
    peer.sendall(f"GET {target} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    command.wait_for("It waits.")
    return command, peer


@pytest.mark.parametrize("send", [os.kill, os.killpg], ids=["master", "all processes"])
def test_ctrl_c_lets_running_requests_of_several_processes_end(
    roll, folder, tmp_path_factory, send
):
    command, peer = waiting_request(roll, folder, tmp_path_factory.mktemp("g") / "s")
    with peer:
        send(command.process.pid, signal.SIGINT)
        answer = b"".join(iter(lambda: peer.recv(1000), b""))
    assert answer.endswith(b"waited")
    assert command.process.wait() == 0


def test_second_ctrl_c_ends_several_processes_at_once(roll, folder, tmp_path_factory):
    path = tmp_path_factory.mktemp("g") / "s"
    command, peer = waiting_request(roll, folder, path, "/stays")
    with peer:
        os.killpg(command.process.pid, signal.SIGINT)
        command.wait_for("It stays.")
        os.killpg(command.process.pid, signal.SIGINT)
        peer.settimeout(15)  # the graceful timeout is 30 seconds
        assert peer.recv(1000) == b""
    assert command.process.wait() == 0


def test_broken_code_is_shown_until_it_is_repaired(roll, folder):
    command = roll("run", "--port", 0, "--reload")
    url = command.url
    change(folder / "app.py", APP + "def broken(:\n")
    command.wait_for("def broken(:")
    assert command.url == url
    assert "def broken(:" in get(url)
    change(folder / "app.py", APP.replace("served", "repaired"))
    assert command.url == url
    assert get(url) == "repaired"


STARTUP = """
@app.listen("startup")
async def start():
    raise OSError("no database")
"""


@pytest.mark.parametrize(
    ("target", "text"),
    [("app:app", "no database"), ("app:shop", "app has no 'shop'"), ("x/app:app", "names no")],
)
def test_failed_start_is_shown_under_reload(roll, folder, target, text):
    change(folder / "app.py", APP + STARTUP)
    command = roll("run", target, "--port", 0, "--reload")
    command.wait_for(text)
    assert text in get(command.url)


def test_failure_is_not_shown_to_a_name_that_a_site_rebinds(roll, folder):
    change(folder / "app.py", APP + STARTUP)
    command = roll("run", "--port", 0, "--reload")
    command.wait_for("no database")
    asked = urllib.request.Request(command.url, headers={"Host": "rebound.example"})
    assert get(asked) == "The application failed: see the terminal.\n"


def test_failure_is_not_shown_to_other_machines(roll, folder):
    change(folder / "app.py", APP + STARTUP)
    command = roll("run", "--host", "0.0.0.0", "--port", 0, "--reload")
    command.wait_for("no database")
    port = command.url.rpartition(":")[2]
    assert get(f"http://127.0.0.1:{port}/") == "The application failed: see the terminal.\n"


def test_folder_of_the_file_is_watched_too(roll, folder, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    command = Command(elsewhere, "run", folder / "app.py", "--port", 0, "--reload")
    try:
        url = command.url
        change(folder / "app.py", APP.replace("served", "changed"))
        assert command.url == url
        assert get(url) == "changed"
    finally:
        command.end()


def test_process_that_does_not_end_is_killed_before_the_next(roll, folder):
    hanging = '@app.listen("shutdown")\nasync def hang():\n    import time\n    time.sleep(600)\n'
    change(folder / "app.py", APP + hanging)
    command = roll("run", "--port", 0, "--reload")
    url = command.url
    change(folder / "app.py", APP)
    assert command.url == url
    assert get(url) == "served"


def test_debug_prints_its_features_and_problems(roll):
    command = roll("run", "--port", 0, "--debug", "--limit-body", "1M")
    assert command.wait_for("Extensions:") == "Extensions: none"
    assert command.wait_for("Limits:") == "Limits: body=1048576"
    assert "index app.py:7" in command.wait_for("/ ")
    url = command.url
    shown = get(f"{url}/error")
    assert shown.startswith("Traceback (most recent call last):")
    assert "ValueError: no <such> thing" in shown
    command.wait_for("An await is missing: coroutine 'missing' was never awaited")
    assert 'app.py", line 13, in error' in command.wait_for("app.py")
    get(f"{url}/slow")
    command.wait_for("The event loop is blocked for more than 100 ms, here:")
    assert 'app.py", line 19, in slow' in command.wait_for("File")


def test_debug_is_off_by_default(roll):
    command = roll("run", "--port", 0)
    assert get(f"{command.url}/error") == "Internal Server Error"


def test_debug_on_a_public_address_is_refused(roll):
    command = roll("run", "--host", "0.0.0.0", "--debug")
    assert command.rest() == (
        "roll: --debug shows source and secrets to whoever connects to 0.0.0.0: serve on a"
        " loopback address, or say --debug-anywhere\n"
    )
    assert command.process.wait() == 2


def test_debug_anywhere_is_a_decision(roll):
    command = roll("run", "--host", "0.0.0.0", "--port", 0, "--debug-anywhere")
    port = command.url.rpartition(":")[2]
    request = urllib.request.Request(f"http://127.0.0.1:{port}/error", headers={"Host": "x.org"})
    assert get(request).startswith("Traceback")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--key", "k.pem"], "--key needs --cert, the certificate chain"),
        (["--cert", "none.pem"], "none.pem cannot be used: No such file or directory"),
        (["--cert", "app.py"], "app.py cannot be used: "),
        (["--workers", "2", "--reload"], "--reload is for development, with one process"),
        (["--port", "80000"], "`port` is a number from 0 to 65535"),
        (["--unix", "s", "--fd", "3"], "Give either `unix` or `fd`"),
        (["--limit-body", "-1"], "The limit 'body' must be a whole number"),
        (["--limit-body", "1.5"], "The limit 'body' must be a whole number"),
        (["--limit-head", "none"], "The limit 'head' must be a whole number"),
        (["--fd", "-3"], "`fd` is the number of an open descriptor"),
    ],
)
def test_wrong_options_are_errors_before_anything_starts(
    folder, monkeypatch, capsys, arguments, message
):
    monkeypatch.chdir(folder)
    assert main(["run", *arguments]) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        ["--workers", "0"],
        ["--workers", "two"],
        ["--limit-body", "x"],
        ["--limit-body", ""],
        ["--x"],
    ],
)
def test_option_that_cannot_be_read_shows_the_usage(capsys, arguments):
    with pytest.raises(SystemExit) as caught:
        main(["run", *arguments])
    assert caught.value.code == 2
    assert "usage: roll" in capsys.readouterr().err


def test_line_without_a_command_shows_the_help(capsys):
    assert main([]) == 2
    shown = capsys.readouterr().out
    assert all(f"\n    {command} " in shown for command in ("run", "routes", "check"))


@pytest.mark.parametrize(
    "text",
    ["", "x", "٣", "1_0", "1_0K", "1e3", "inf", "nan", "1 0", "9" * 5000, "1.", "K", "10KK", "²"],
)
def test_other_amounts_are_errors(text, capsys):
    with pytest.raises(SystemExit):
        main(["run", "--limit-body", text])
    assert "--limit-body: a number (sizes in bytes" in capsys.readouterr().err


def test_empty_host_is_an_error(capsys):
    assert main(["run", "--host", ""]) == 2
    assert "--host is empty" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "value"),
    [("10", 10), ("16M", 16 * 2**20), ("1k", 1024), ("2G", 2**31), ("1.5", 1.5), ("None", None)],
)
def test_amounts_have_units(text, value):
    assert amount(text) == value


def test_missing_extra_names_itself(folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    monkeypatch.setitem(sys.modules, "watchfiles", None)
    assert main(["run", "--reload"]) == 1
    assert capsys.readouterr().err == (
        'roll: --reload needs watchfiles: `pip install "roll[reload]"`\n'
    )


def local(*arguments):
    return is_local(parser().parse_args(["run", *arguments]))


def test_loopback_addresses_are_local():
    assert local()
    assert local("--host", "::1")
    assert local("--host", "localhost")
    assert local("--unix", "s")
    assert not local("--host", "0.0.0.0")
    assert not local("--host", "example.org")
    assert not local("--fd", "9999")


def test_inherited_sockets_are_local_by_their_addresses():
    with socket.create_server(("127.0.0.1", 0)) as inner, socket.create_server(("", 0)) as outer:
        assert local("--fd", str(inner.fileno()))
        assert not local("--fd", str(inner.fileno()), "--fd", str(outer.fileno()))


def test_version_is_printed(capsys):
    with pytest.raises(SystemExit):
        main(["--version"])
    assert capsys.readouterr().out.startswith("roll ")


def test_broken_application_shows_its_traceback_alone(folder, monkeypatch, capsys):
    folder.joinpath("wrong.py").write_text("def f():\n    return 1 / 0\nf()\n")
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "path", list(sys.path))
    assert main(["run", "wrong.py"]) == 1
    said = capsys.readouterr().err
    assert said.startswith("Traceback (most recent call last):\n")
    assert said.count("File") == 2


def gunicorn(*arguments):
    return Gunicorn(parser().parse_args(["run", *arguments]))


def test_gunicorn_keeps_the_limits_of_the_application(folder, monkeypatch):
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "path", list(sys.path))
    server = gunicorn("app.py", "--workers", "3", "--limit-keep-alive-timeout", "4.2")
    assert server.cfg.workers == 3
    assert server.load().limits.keep_alive_timeout == 4.2
    assert server.keeps_limits
    sys.modules.pop("app")


def test_application_that_cannot_be_loaded_is_reported_with_workers(folder, monkeypatch):
    monkeypatch.chdir(folder)
    with pytest.raises(AppImportError, match="There is no module 'nowhere'"):
        gunicorn("nowhere:app").load()
    folder.joinpath("wrong.py").write_text("1 / 0\n")
    with pytest.raises(AppImportError, match="ZeroDivisionError"):
        gunicorn("wrong.py").load()


def test_import_error_inside_of_an_extra_is_not_hidden(tmp_path, monkeypatch):
    tmp_path.joinpath("extra_with_a_fault.py").write_text("import nothing_of_the_kind\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="nothing_of_the_kind"):
        need("extra_with_a_fault", "x", "A test")
