"""Files and conditions with real clients: curl, httpx, and a browser that saves a download."""

import asyncio
import hashlib
import os
import shutil
import subprocess
import sys
from urllib.parse import quote

import httpx
import pytest

from roll import Roll
from roll.extensions import static

LARGE = os.urandom(3 * 2**20)


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "large.bin").write_bytes(LARGE)
    (folder / "page.html").write_text("<p>page")
    return folder


@pytest.fixture
def app(folder):
    app = Roll()

    @app.route("/file/{name:path}")
    async def send(request, response, name):
        response.send_file(name, root=folder)

    @app.route("/download/{name:path}")
    async def download(request, response, name):
        response.send_file(folder / "page.html", request.query.get("as"))

    @app.route("/version")
    async def version(request, response):
        response.etag = "v,1"
        response.json = {"version": 1}

    static(app, "/static", folder, precompressed=True)
    return app


async def curl(*args):
    process = await asyncio.create_subprocess_exec(
        "curl", "--silent", "--noproxy", "*", *map(str, args), stdout=subprocess.PIPE
    )
    said, _ = await process.communicate()
    return process.returncode, said


needs_curl = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")


@needs_curl
async def test_curl_resumes_a_download_that_was_cut(liveclient, tmp_path):
    saved = tmp_path / "saved"
    saved.write_bytes(LARGE[: 2**20])
    status, said = await curl(
        "-C", "-", "-o", saved, "-w", "%{http_code}", f"{liveclient.url}/file/large.bin"
    )
    assert (status, said) == (0, b"206")
    assert hashlib.sha256(saved.read_bytes()).digest() == hashlib.sha256(LARGE).digest()


@needs_curl
async def test_curl_does_not_download_an_unchanged_file_again(liveclient, tmp_path):
    tag = tmp_path / "tag"
    for path in ("version", "file/page.html"):
        url = f"{liveclient.url}/{path}"
        for expected in (b"200", b"304"):
            options = ["--etag-save", tag, "--etag-compare", tag, "-o", os.devnull]
            status, said = await curl(*options, "-w", "%{http_code}", url)
            assert (status, said) == (0, expected), path
        tag.unlink()


@needs_curl
async def test_curl_cannot_leave_the_root(liveclient, tmp_path):
    (tmp_path / "secret").write_text("secret")
    for path in ("../secret", "%2e%2e/secret", "..%2fsecret", "/etc/passwd", "%2fetc%2fpasswd"):
        url = f"{liveclient.url}/file/{path}"
        status, said = await curl("--path-as-is", "-w", "%{http_code}", "-o", os.devnull, url)
        assert (status, said[:1]) == (0, b"4")


async def test_httpx_reads_files_of_any_size(liveclient):
    async with httpx.AsyncClient(base_url=liveclient.url, trust_env=False) as client:
        whole = await client.get("/file/large.bin")
        assert whole.content == LARGE
        part = await client.get("/file/large.bin", headers={"Range": "bytes=-5"})
        assert (part.status_code, part.content) == (206, LARGE[-5:])
        head = await client.head("/file/large.bin")
        assert head.headers["content-length"] == str(len(LARGE))


async def test_httpx_decodes_a_compressed_sibling(liveclient, folder):
    import gzip

    (folder / "page.html.gz").write_bytes(gzip.compress(b"<p>page"))
    async with httpx.AsyncClient(base_url=liveclient.url, trust_env=False) as client:
        response = await client.get("/static/page.html")
        assert response.text == "<p>page"
        assert response.headers["content-encoding"] == "gzip"
        plain = await client.get("/static/page.html", headers={"Accept-Encoding": "identity"})
        assert plain.text == "<p>page"
        assert "content-encoding" not in plain.headers


NAMES = {
    "Bill.pdf": "Bill.pdf",
    "Name für den Download.pdf": "Name für den Download.pdf",
    "日本語 😀.txt": "日本語 😀.txt",
    "a/b\\c.txt": "a_b_c.txt",
    "100%41.txt": "100%41.txt",
    "a;b='c'.txt": "a;b='c'.txt",
    "back\u202etxt.exe": "back_txt.exe",
    "a\r\nSet-Cookie: b=c.txt": "a__Set-Cookie_ b=c.txt",
}

SCRIPT = """
import sys
from roll import Roll
from roll.extensions import simple_server

app = Roll()

@app.route("/")
async def download(request, response):
    response.send_file("content", request.query.get("name"))

simple_server(app, port=0)
"""


def test_a_browser_saves_a_download_under_its_name(run, browser, tmp_path):
    (tmp_path / "app.py").write_text(SCRIPT)
    (tmp_path / "content").write_text("content")
    url = run(sys.executable, "app.py", cwd=tmp_path).wait_for_url()
    for number, (name, saved) in enumerate(NAMES.items()):
        folder = tmp_path / str(number)
        folder.mkdir()
        assert browser.download(f"{url}/?name={quote(name)}", folder) == saved
        assert [path.name for path in folder.iterdir()] == [saved]
        assert (folder / saved).read_text() == "content"
