"""Early answers to large uploads arrive, directly and behind the usual proxies."""

import shutil
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from http.client import HTTPConnection

import pytest

SIZE = 15_000_000
APP = """
from roll import HttpError, Roll
from roll.extensions import simple_server

app = Roll()


@app.listen("headers")
async def authenticate(request, response):
    if request.path == "/401":
        raise HttpError(401, "Who are you?")


@app.route("/401", methods=["POST"])
async def secret(request, response):
    response.body = "secret"


@app.route("/405")
async def read_only(request, response):
    response.body = "read only"


@app.route("/413", methods=["POST"], max_body=1000)
async def small(request, response):
    response.body = "small"


@app.route("/202", methods=["POST"], lazy_body=True)
async def early(request, response):
    response.status = 202


simple_server(app, port=0)
"""
STATUSES = [404, 405, 413, 401, 202]

NGINX = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log stderr notice;
events {{}}
http {{
    access_log off;
    client_max_body_size 0;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    upstream roll {{ server {upstream}; keepalive 16; }}
    server {{
        listen {front};
        location / {{
            proxy_pass http://roll;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_request_buffering {buffering};
        }}
    }}
}}
"""
HAPROXY = """
defaults
    mode http
    timeout connect 60s
    timeout client 60s
    timeout server 60s
frontend front
    bind {front}
    default_backend roll
backend roll
    server roll {upstream}
"""
APACHE = """
ServerName localhost
PidFile {folder}/apache.pid
DefaultRuntimeDir {folder}
LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
LoadModule proxy_module /usr/lib/apache2/modules/mod_proxy.so
LoadModule proxy_http_module /usr/lib/apache2/modules/mod_proxy_http.so
Listen {front}
User nobody
Group nogroup
ErrorLog /dev/stderr
ProxyPass / http://{upstream}/
"""
CADDY = """
{{
    admin off
    auto_https off
    storage file_system {folder}
}}
http://{front} {{
    reverse_proxy {upstream}
}}
"""
PROXIES = {
    "nginx": ("nginx", NGINX, ("-e", "stderr", "-p", "{folder}", "-c")),
    "nginx-unbuffered": ("nginx", NGINX, ("-e", "stderr", "-p", "{folder}", "-c")),
    "haproxy": ("haproxy", HAPROXY, ("-f",)),
    "apache": ("apache2", APACHE, ("-D", "FOREGROUND", "-f")),
    "caddy": ("caddy", CADDY, ("run", "--adapter", "caddyfile", "--config")),
}


def program_path(name):
    # Debian installs some where only root looks.
    return shutil.which(name) or shutil.which(name, path="/usr/sbin")


def free_address():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return "{}:{}".format(*taken.getsockname())


@pytest.fixture(params=["uvloop", "asyncio"])
def upstream(request, run, tmp_path):
    """The address of Roll."""
    env = {}
    if request.param == "uvloop":
        pytest.importorskip("uvloop")
    else:
        (tmp_path / "without").mkdir()
        (tmp_path / "without" / "uvloop.py").write_text("raise ImportError('not for this test')")
        env["PYTHONPATH"] = str(tmp_path / "without")
    (tmp_path / "app.py").write_text(APP)
    return run(sys.executable, "app.py", cwd=tmp_path, **env).wait_for_url().partition("//")[2]


@pytest.fixture(params=PROXIES)
def front(request, run, tmp_path, upstream):
    """The address of a proxy in front of Roll."""
    name, text, arguments = PROXIES[request.param]
    path = program_path(name)
    if path is None:
        pytest.skip(f"{name} is not installed")
    address = free_address()
    buffering = "off" if request.param == "nginx-unbuffered" else "on"
    values = {"folder": tmp_path, "front": address, "upstream": upstream, "buffering": buffering}
    config = tmp_path / "proxy.conf"
    config.write_text(text.format(**values))
    arguments = [argument.format(folder=tmp_path) for argument in arguments]
    proxy = run(path, *arguments, config, HOME=str(tmp_path), XDG_DATA_HOME=str(tmp_path))
    wait_until_it_listens(proxy, address)
    return address


def wait_until_it_listens(proxy, address):
    host, port = address.split(":")
    for _ in range(3000):
        assert proxy.process.poll() is None, proxy.output
        try:
            socket.create_connection((host, int(port))).close()
        except ConnectionRefusedError:
            time.sleep(0.02)
        else:
            return
    pytest.fail("The proxy never listens")


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("upload") / "file"
    path.write_bytes(bytes(SIZE))
    return path


def curl(address, status, file, *options):
    """The status that curl sees, which reads while it writes, as browsers do."""
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    command = ["curl", "--silent", "--noproxy", "*", "--output", "/dev/null", "--write-out"]
    command += ["%{http_code}", "--header", "Expect:", "--data-binary", f"@{file}", *options]
    done = subprocess.run(
        [*command, f"http://{address}/{status}"], capture_output=True, check=False
    )
    return int(done.stdout), done.returncode


def upload(address, status, pieces=1, seconds=0.0):
    """The status that http.client sees, which writes all before it reads."""

    def body():
        for _ in range(pieces):
            yield bytes(SIZE // pieces)
            time.sleep(seconds / pieces)

    with closing(HTTPConnection(address, timeout=60)) as client:
        client.request("POST", f"/{status}", body(), {"Content-Length": str(SIZE)})
        answer = client.getresponse()
        answer.read()
        return answer.status


def many(count, call, *args):
    with ThreadPoolExecutor(8) as pool:
        return [done.result() for done in [pool.submit(call, *args) for _ in range(count)]]


@pytest.mark.parametrize("status", STATUSES)
def test_early_answers_pass_a_proxy(front, file, status):
    assert many(40, curl, front, status, file) == [(status, 0)] * 40


def test_early_answers_to_slow_uploads_pass_a_proxy(front, file):
    slow = ("--limit-rate", str(SIZE // 4))
    assert many(8, curl, front, 404, file, *slow) == [(404, 0)] * 8


@pytest.mark.parametrize("status", STATUSES)
def test_early_answers_arrive(upstream, status):
    assert many(20, upload, upstream, status) == [status] * 20


def test_early_answers_to_slow_uploads_arrive(upstream):
    assert many(8, upload, upstream, 404, 40, 4.0) == [404] * 8
