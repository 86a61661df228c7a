"""nginx in front of Roll, with the configuration that docs/deployment.md prints."""

import re
import shutil
import sys
from pathlib import Path

import pytest
from websockets.sync.client import unix_connect

ROOT = Path(__file__).parents[1]
# Debian installs it where only root looks.
NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
APP = """
from roll import Roll
from roll.extensions import simple_server

app = Roll()


{listener}

@app.route("/who")
async def who(request, response):
    response.json = [request.host, request.client, request.scheme]


@app.route("/upload", methods=["POST"], lazy_body=True)
async def upload(request, response):
    response.body = str(sum([len(chunk) async for chunk in request]))


@app.route("/stream")
async def stream(request, response):
    async def lines():
        for number in range(1000):
            yield f"{number}\\n"

    response.body = lines()


@app.route("/echo", protocol="websocket")
async def echo(request, ws):
    async for message in ws:
        await ws.send(message)


simple_server(app, port=0)
"""
MAIN = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log stderr notice;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
{server}
}}
"""

pytestmark = pytest.mark.skipif(NGINX is None, reason="nginx is not installed")


def documented(language, start=""):
    page = (ROOT / "docs" / "deployment.md").read_text()
    return re.search(rf"```{language}\n({start}.*?)```", page, re.DOTALL)[1]


@pytest.fixture
def proxy(run, tmp_path):
    """The socket on which nginx listens, with Roll behind it."""
    (tmp_path / "app.py").write_text(
        APP.replace("{listener}", documented("python", "from roll import extensions"))
    )
    upstream = run(sys.executable, "app.py", cwd=tmp_path)
    address = upstream.wait_for_url().removeprefix("http://")
    socket = tmp_path / "front.sock"
    server = documented("nginx").replace("listen 80;", f"listen unix:{socket};")
    server = server.replace("server 127.0.0.1:8000;", f"server {address};")
    config = tmp_path / "nginx.conf"
    config.write_text(MAIN.format(folder=tmp_path, server=server))
    nginx = run(NGINX, "-e", "stderr", "-p", tmp_path, "-c", config)
    nginx.wait_for("start worker process|nginx/")
    return socket


def test_requests_pass(proxy, curl):
    lies = ("--header", "X-Forwarded-For: made up", "--header", "X-Forwarded-Proto: https")
    answer = curl("--unix-socket", str(proxy), *lies, "http://example.org/who")
    assert answer.body == '["example.org",null,"http"]'


def test_uploads_and_streams_pass(proxy, curl, tmp_path):
    file = tmp_path / "file"
    file.write_bytes(bytes(2_000_000))
    front = ("--unix-socket", str(proxy))
    url = "http://example.org"
    assert curl(*front, "--data-binary", f"@{file}", f"{url}/upload").body == "2000000"
    chunked = ("--header", "Transfer-Encoding: chunked")
    assert curl(*front, *chunked, "--data-binary", f"@{file}", f"{url}/upload").body == "2000000"
    assert curl(*front, f"{url}/stream").body.count("\n") == 1000


def test_websockets_pass(proxy):
    with unix_connect(str(proxy), "ws://example.org/echo") as ws:
        ws.send("through nginx")
        assert ws.recv() == "through nginx"
