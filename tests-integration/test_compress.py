"""Compressed responses with real clients: httpx, curl and a browser."""

import asyncio
import shutil
import subprocess
import sys

import httpx
import pytest

from roll import Roll
from roll.extensions import compress, static

TEXT = "Ein längerer Text, der kürzer wird. " * 5000


@pytest.fixture
def app(tmp_path):
    app = Roll()
    compress(app)

    @app.route("/text")
    async def text(request, response):
        response.etag = "v1"
        response.body = TEXT

    @app.route("/stream")
    async def stream(request, response):
        async def lines():
            for line in TEXT.split(". "):
                yield f"{line}. "

        response.html = lines()

    (tmp_path / "large.txt").write_text(TEXT * 3)
    static(app, root=tmp_path)
    return app


@pytest.mark.parametrize("coding", ["gzip", "br", "identity", "gzip, br"])
async def test_httpx_decodes_compressed_responses(liveclient, coding):
    headers = {"Accept-Encoding": coding}
    async with httpx.AsyncClient(
        base_url=liveclient.url, trust_env=False, headers=headers
    ) as client:
        for path, text in (
            ("/text", TEXT),
            ("/stream", f"{TEXT}. "),
            ("/static/large.txt", TEXT * 3),
        ):
            response = await client.get(path)
            assert response.text == text
            expected = None if coding == "identity" else response.headers["content-encoding"]
            assert response.headers.get("content-encoding") == expected
        known = {"If-None-Match": (await client.get("/text")).headers["etag"]}
        assert (await client.get("/text", headers=known)).status_code == 304


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
async def test_curl_decodes_compressed_responses(liveclient):
    for path, text in (
        ("/text", TEXT),
        ("/stream", f"{TEXT}. "),
        ("/static/large.txt", TEXT * 3),
    ):
        url = f"{liveclient.url}{path}"
        process = await asyncio.create_subprocess_exec(
            "curl", "--silent", "--noproxy", "*", "--compressed", url, stdout=subprocess.PIPE
        )
        said, _ = await process.communicate()
        assert said.decode() == text


SCRIPT = """
import asyncio
import sys
from roll import Roll
from roll.extensions import compress, simple_server

app = Roll()
compress(app)
TEXT = "Ein längerer Text, der kürzer wird. " * 5000

@app.route("/")
async def page(request, response):
    response.html = f"<!DOCTYPE html><meta charset=utf-8><p>{TEXT}</p>"

@app.route("/text")
async def text(request, response):
    response.body = TEXT

@app.route("/codings")
async def codings(request, response):
    response.json = request.headers.get("ACCEPT-ENCODING", "")

@app.route("/events")
async def events(request, response):
    async def source():
        yield "first"
        yield TEXT
        await asyncio.Event().wait()

    response.sse = source()

simple_server(app, port=0)
"""


def test_browser_decodes_compressed_responses(run, browser, tmp_path):
    (tmp_path / "app.py").write_text(SCRIPT)
    browser.open(run(sys.executable, "app.py", cwd=tmp_path).wait_for_url())
    assert browser.evaluate("document.querySelector('p').innerText") == TEXT.strip()
    for coding in ("gzip", "br", "zstd", "gzip, deflate, br, zstd"):
        browser.ask("Network.enable")
        browser.ask("Network.setExtraHTTPHeaders", headers={"Accept-Encoding": coding})
        fetched = browser.evaluate("""fetch("/text", {cache: "no-store"}).then(async response =>
            [response.headers.get("Content-Encoding"), await response.text()])""")
        assert fetched[0] in coding
        assert fetched[1] == TEXT
        browser.evaluate("""
            window.seen = []
            window.source = new EventSource("/events")
            source.onmessage = event => seen.push(event.data)
        """)
        assert browser.wait_for("seen.length === 2 && seen") == ["first", TEXT]
        browser.evaluate("source.close()")
    browser.ask("Network.setExtraHTTPHeaders", headers={})
