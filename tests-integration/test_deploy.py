"""The files of deploy/, started for real as far as possible without a container engine."""

import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import yaml

DEPLOY = Path(__file__).parents[1] / "deploy"
SYSTEM_PYTHON = "/usr/bin/python3"
"""An interpreter that other users than root can run, as that of an image."""
NOBODY = 65534
PATIENCE = 60  # seconds after which a test that waits for an event has failed
SECRET = "EUcnL5WW2nCDq_4DUyNhBXcmXU1shnXd"


def program(name):
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin")
    return found or pytest.skip(f"{name} is not installed")


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return taken.getsockname()[1]


def wait_until_it_listens(running, port):
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        assert running.process.poll() is None, running.output
        try:
            return socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            time.sleep(0.02)
    pytest.fail("It never listens")


# The Dockerfile.


@dataclass
class Stage:
    """Return the instructions of one stage."""

    base: str
    runs: list = field(default_factory=list)
    copies: list = field(default_factory=list)
    env: dict = field(default_factory=dict)
    folder: str = "/"
    user: str = "root"
    port: int = 0
    command: list = field(default_factory=list)
    health: list = field(default_factory=list)

    def take(self, word, rest):
        """Take one instruction; a word that is not known is a failure of the test."""
        if word == "ENV":
            self.env |= dict(pair.split("=", 1) for pair in shlex.split(rest))
        elif word == "HEALTHCHECK":
            self.health = json.loads(rest.partition("CMD ")[2])
        elif word in {"RUN", "COPY"}:
            (self.runs if word == "RUN" else self.copies).append(rest.split())
        else:
            name, kind = {
                "WORKDIR": ("folder", str),
                "USER": ("user", str),
                "EXPOSE": ("port", int),
                "CMD": ("command", json.loads),
            }[word]
            setattr(self, name, kind(rest))


def stages():
    text = (DEPLOY / "Dockerfile").read_text().replace("\\\n", "")
    found = []
    for line in text.splitlines():
        word, _, rest = line.strip().partition(" ")
        if word == "FROM":
            found.append(Stage(rest.split()[0]))
        elif word and not word.startswith("#"):
            found[-1].take(word, rest)
    return found


def test_image_has_two_stages_and_a_user_without_rights():
    build, image = stages()
    assert "slim" not in build.base  # pip compiles biscuits and autoroutes
    assert image.base == f"{build.base}-slim"
    assert (build.user, image.user) == ("root", "roll")
    assert [*image.runs[0][:2], image.runs[0][-1]] == ["useradd", "--system", "roll"]
    assert ["--from=build", "/venv", "/venv"] in image.copies
    assert image.command[image.command.index("--bind") + 1] == f"0.0.0.0:{image.port}"
    assert f"127.0.0.1:{image.port}/health" in " ".join(image.health)


class Image:
    """Return the files that the Dockerfile creates, below a folder that stands for `/`."""

    def __init__(self, root):
        self.root = root
        self.build, self.stage = stages()
        self.port = free_port()

    def make(self, wheels):
        """Run the steps of both stages, except for the user that they add."""
        links = f"{wheels} {os.environ.get('PIP_FIND_LINKS', '')}"
        self.copy(self.build, self.root)
        for words in self.build.runs:
            command = [SYSTEM_PYTHON if word == "python" else self.inside(word) for word in words]
            env = os.environ | {"PIP_FIND_LINKS": links}
            subprocess.run(command, cwd=self.root, env=env, check=True, capture_output=True)
        self.folder.mkdir(parents=True)
        self.copy(self.stage, self.folder)

    def copy(self, stage, folder):
        """Copy the files of a stage; what comes from another stage is there."""
        for source, *_, target in stage.copies:
            if not source.startswith("--from"):
                shutil.copy(DEPLOY / source, folder / target)

    def inside(self, word):
        word = word.replace(f":{self.stage.port}", f":{self.port}").replace("0.0.0.0", "127.0.0.1")
        return re.sub(r"^/(venv|srv)\b", rf"{self.root}/\1", word)

    def start(self, run, **env):
        """Run the command of the image, as a user without rights."""
        return run(*self.as_nobody(self.stage.command), cwd=self.folder, **self.env, **env)

    def is_healthy(self):
        command = self.as_nobody(self.stage.health)
        return subprocess.run(command, env=self.env, capture_output=True, check=False).returncode

    @property
    def folder(self):
        return Path(self.inside(self.stage.folder))

    @property
    def env(self):
        path = f"{self.root}/venv/bin:/usr/bin:/bin"
        return self.stage.env | {"PATH": path, "HOME": str(self.root / "tmp")}

    def as_nobody(self, command):
        command = [self.inside(word) for word in command]
        command[0] = f"{self.root}/venv/bin/{command[0]}"
        return ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", *command]


def can_serve(python):
    check = "import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))"
    return Path(python).exists() and not subprocess.call([python, "-c", check])


@pytest.fixture(scope="module")
def image(pure_wheels):
    if os.getuid() != 0:
        pytest.skip("Only root can run a program as another user")
    if not can_serve(SYSTEM_PYTHON):
        pytest.skip(f"There is no {SYSTEM_PYTHON} of 3.11 or later, with venv")
    program("setpriv")
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        root.chmod(0o755)
        (root / "tmp").mkdir()
        (root / "tmp").chmod(0o1777)
        made = Image(root)
        made.make(pure_wheels)
        yield made


@pytest.fixture(scope="module")
def redis(run_for_module):
    port = free_port()
    command = [program("redis-server"), "--port", str(port), "--bind", "127.0.0.1", "--save", ""]
    running = run_for_module(*command)
    running.wait_for("Ready to accept connections")
    return f"redis://127.0.0.1:{port}/0"


@pytest.fixture(scope="module")
def web(image, redis, run_for_module):
    running = image.start(
        run_for_module, SECRET=SECRET, REDIS_URL=redis, FORWARDED_ALLOW_IPS="127.0.0.1"
    )
    running.wait_for("Booting worker")
    return running


def test_image_is_healthy_while_it_serves(image, redis, run):
    assert image.is_healthy() != 0
    running = image.start(run, SECRET=SECRET, REDIS_URL=redis)
    for _ in range(2):
        running.wait_for("Booting worker")
    wait_until_it_listens(running, image.port)
    assert image.is_healthy() == 0
    assert Path(f"/proc/{running.process.pid}").stat().st_uid == NOBODY
    assert running.stop(signal.SIGTERM) == 0
    assert image.is_healthy() != 0


# The compose file.


@pytest.fixture
def compose():
    return yaml.safe_load((DEPLOY / "compose.yaml").read_text())


def test_compose_file_names_existing_files(compose):
    services = compose["services"]
    assert set(services) == {"web", "nginx", "redis"}
    assert (DEPLOY / services["web"]["build"] / "Dockerfile").exists()
    for service in services.values():
        assert set(service.get("depends_on", ())) <= set(services)
        assert set(service["networks"]) <= set(compose["networks"])
        for volume in service.get("volumes", ()):
            source = volume.split(":")[0]
            local = source.startswith("./") and source != "./certificates"
            assert not local or (DEPLOY / source).exists()
            assert source.startswith("./") or source in compose["volumes"]


def test_compose_file_waits_for_services_that_tell_their_health(compose):
    services = compose["services"]
    checked = {name for name, service in services.items() if "healthcheck" in service}
    assert checked == {"redis"}
    assert stages()[1].health  # that of `web`
    for service in services.values():
        for condition in service.get("depends_on", {}).values():
            assert condition == {"condition": "service_healthy"}


def test_compose_file_and_the_other_files_agree(compose):
    services = compose["services"]
    config = (DEPLOY / "nginx.conf").read_text()
    assert f"server web:{stages()[1].port};" in config
    folders = [volume.split(":")[1] for volume in services["nginx"]["volumes"]]
    assert f"ssl_certificate {folders[1]}/fullchain.pem;" in config
    wanted = set(re.findall(r'environ\["(\w+)"\]', (DEPLOY / "app.py").read_text()))
    given = services["web"]["environment"]
    assert wanted == set(given) - {"FORWARDED_ALLOW_IPS"}
    address = services["nginx"]["networks"]["inside"]["ipv4_address"]
    assert given["FORWARDED_ALLOW_IPS"] == address
    (subnet,) = compose["networks"]["inside"]["ipam"]["config"]
    assert address.rpartition(".")[0] == subnet["subnet"].rpartition(".")[0]


# nginx and Caddy, with TLS and HTTP/2.


def ask(*arguments):
    """The answer of curl, and the version of HTTP."""
    command = [program("curl"), "--silent", "--show-error", "--insecure", "--noproxy", "*"]
    command += ["--write-out", "\n%{http_version} %{http_code} %{redirect_url}", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=PATIENCE)
    body, _, last = done.stdout.rpartition("\n")
    return body, *last.split(" ")


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    folder = tmp_path_factory.mktemp("certificates")
    command = [program("openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    command += ["-subj", "/CN=localhost", "-keyout", "privkey.pem", "-out", "fullchain.pem"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return folder


def replaced(name, values):
    text = (DEPLOY / name).read_text()
    for old, new in values.items():
        assert old in text, f"{old!r} is not in {name}"
        text = text.replace(old, str(new))
    return text


@pytest.fixture
def nginx(run, tmp_path, web, image, certificates):
    """The ports of nginx for HTTP and HTTPS, in front of the web service."""
    plain, secure = free_port(), free_port()
    values = {
        "web:8000": f"127.0.0.1:{image.port}",
        "/etc/nginx/certificates": certificates,
        "listen 80 ": f"listen 127.0.0.1:{plain} ",
        "listen 443 ": f"listen 127.0.0.1:{secure} ",
        "/run/nginx.pid": tmp_path / "nginx.pid",
    }
    config = tmp_path / "nginx.conf"
    config.write_text(replaced("nginx.conf", values))
    command = [program("nginx"), "-e", "stderr", "-p", tmp_path, "-c", config]
    running = run(*command, "-g", "daemon off; error_log stderr;")
    wait_until_it_listens(running, secure)
    return plain, secure


def test_nginx_serves_http_2_and_sessions_are_kept_in_redis(nginx, tmp_path):
    _, secure = nginx
    jar = ("--cookie-jar", str(tmp_path / "jar"), "--cookie", str(tmp_path / "jar"))
    for visits in (1, 2, 3):
        body, version, status, *_ = ask("--http2", *jar, f"https://localhost:{secure}/")
        assert json.loads(body) == {"visits": visits, "client": "127.0.0.1", "scheme": "https"}
        assert (version, status) == ("2", "200")


def test_nginx_sends_http_to_https(nginx):
    plain, _ = nginx
    _, _, status, target = ask("--header", "Host: example.org", f"http://localhost:{plain}/a?b")
    assert (status, target) == ("308", "https://example.org/a?b")


def test_caddy_serves_http_2(run, tmp_path, web, image):
    port = free_port()
    values = {
        "example.org": f"https://localhost:{port}",
        "127.0.0.1:8000": f"127.0.0.1:{image.port}",
    }
    options = "{\nadmin off\nauto_https disable_redirects\nlocal_certs\nskip_install_trust\n"
    options += f"default_bind 127.0.0.1\nstorage file_system {tmp_path}\n}}\n"
    (tmp_path / "Caddyfile").write_text(options + replaced("Caddyfile", values))
    home = {"HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path)}
    running = run(program("caddy"), "run", "--config", tmp_path / "Caddyfile", **home)
    running.wait_for("certificate obtained successfully")
    body, version, status, *_ = ask("--http2", f"https://localhost:{port}/")
    assert json.loads(body)["scheme"] == "https"
    assert (version, status) == ("2", "200")


# systemd.


def unit_value(name, key):
    return re.search(rf"^{key}=(.*)$", (DEPLOY / name).read_text(), re.MULTILINE)[1]


def test_units_are_understood_by_systemd(image, tmp_path):
    values = {"/srv/roll/venv": f"{image.root}/venv", "/srv/roll": image.folder}
    (tmp_path / "roll.service").write_text(replaced("roll.service", values))
    shutil.copy(DEPLOY / "roll.socket", tmp_path)
    units = [tmp_path / "roll.service", tmp_path / "roll.socket"]
    command = [program("systemd-analyze"), "verify", "--man=no", *units]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_service_is_started_by_a_connection_and_tells_when_it_serves(image, redis, run, tmp_path):
    path = tmp_path / "roll.sock"
    assert unit_value("roll.socket", "ListenStream") == "/run/roll.sock"
    started = unit_value("roll.service", "ExecStart").replace("/srv/roll", str(image.root))
    env = {"SECRET": SECRET, "REDIS_URL": redis, "NOTIFY_SOCKET": str(tmp_path / "notify")}
    env["HOME"] = str(tmp_path)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notified:
        notified.bind(str(tmp_path / "notify"))
        notified.settimeout(PATIENCE)
        named = [f"--setenv={name}" for name in env]
        launch = [program("systemd-socket-activate"), f"--listen={path}", *named]
        running = run(*launch, *started.split(), cwd=image.folder, **env)
        running.wait_for("Listening on")
        body, *_ = ask("--unix-socket", str(path), "http://localhost/health")
        assert body == "ok"
        assert b"READY=1" in notified.recv(4096)
        assert running.stop(signal.SIGTERM) == 0
    assert path.exists()  # systemd listens there for the next start
