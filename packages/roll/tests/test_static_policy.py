"""`static`: compressed files, caching, and the fallback page of an application."""

import gzip
import os
import time

import pytest

from roll import Roll, RollWarning
from roll.extensions import static
from roll.testing import Client

ACCEPTS = "text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,*/*;q=0.8"
ALL = "gzip, deflate, br, zstd"


@pytest.fixture
def root(tmp_path):
    """A folder with files and their compressed siblings."""
    root = tmp_path / "root"
    (root / "assets").mkdir(parents=True)
    (root / "index.html").write_text("<p>index")
    (root / "assets" / "app.js").write_text("plain")
    (root / "assets" / "app.js.br").write_text("br")
    (root / "assets" / "app.js.zst").write_text("zstd")
    (root / "assets" / "app.js.gz").write_bytes(gzip.compress(b"plain"))
    (root / "alone.css").write_text("alone")
    (root / "stale.css").write_text("new")
    (root / "stale.css.br").write_text("old")
    (root / "stale.css.gz").write_text("same")
    now = time.time()
    for path in root.rglob("*.*"):
        os.utime(path, (now - 100, now - 100))
    os.utime(root / "stale.css.br", (now - 200, now - 200))
    (root / "outside.css").write_text("plain")
    (tmp_path / "secret").write_text("secret")
    (root / "outside.css.br").symlink_to(tmp_path / "secret")
    (root / "folder.css").write_text("plain")
    (root / "folder.css.br").mkdir()
    os.mkfifo(root / "folder.css.gz")
    return root


@pytest.fixture
def ask(root):
    """Ask an application whose `static` has these options."""

    async def ask(path, method="GET", accept_encoding=None, headers=None, **options):
        app = Roll()
        static(app, "/", root, **options)
        await app.startup()
        headers = dict(headers or {})
        if accept_encoding is not None:
            headers["Accept-Encoding"] = accept_encoding
        client = Client(app)
        response = await client.request(path, method, headers=headers)
        response.headers["sent"] = client.protocol.transport.data.partition(b"\r\n\r\n")[2]
        return response

    return ask


# Compressed siblings.


@pytest.mark.parametrize(
    ("accept_encoding", "coding"),
    [
        (None, None),
        ("", None),
        ("identity", None),
        (ALL, "br"),
        ("gzip", "gzip"),
        ("x-gzip", "gzip"),
        ("zstd, gzip", "zstd"),
        ("br;q=0.5, gzip", "gzip"),
        ("br;q=0, *", "zstd"),
        ("deflate", None),
        ("identity, br;q=0.5", None),
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_the_best_sibling_is_sent(ask, root, method, accept_encoding, coding):
    response = await ask("/assets/app.js", method, accept_encoding, precompressed=True)
    suffix = {"br": ".br", "zstd": ".zst", "gzip": ".gz", None: ""}[coding]
    content = (root / "assets" / f"app.js{suffix}").read_bytes()
    assert response.headers["sent"] == (content if method == "GET" else b"")
    assert response.headers["Content-Length"] == len(content)
    assert response.headers.get("Content-Encoding") == coding
    assert response.headers["Vary"] == "Accept-Encoding"
    assert response.headers["Content-Type"] in {"text/javascript", "application/javascript"}


async def test_each_coding_has_its_own_tag(ask, root):
    for path in (root / "assets").iterdir():
        path.write_text("same")  # the same size
        os.utime(path, (10**9, 10**9))
    tags = set()
    for coding in ("identity", "br", "zstd", "gzip"):
        response = await ask("/assets/app.js", accept_encoding=coding, precompressed=True)
        tag = response.headers["ETag"]
        tags.add(tag)
        again = {"If-None-Match": tag}
        response = await ask("/assets/app.js", "GET", coding, again, precompressed=True)
        assert (response.status, response.headers["ETag"]) == (304, tag)
        assert response.headers["Vary"] == "Accept-Encoding"
        part = {"Range": "bytes=1-2", "If-Range": tag}
        response = await ask("/assets/app.js", "GET", coding, part, precompressed=True)
        assert response.status in {200, 206}
    assert len(tags) == 4


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/alone.css", b"alone"),
        ("/stale.css", b"same"),
        ("/outside.css", b"plain"),
        ("/folder.css", b"plain"),
    ],
)
async def test_unsuitable_compressed_file_is_ignored(ask, path, expected):
    response = await ask(path, accept_encoding=ALL, precompressed=True)
    assert (response.status, response.headers["sent"]) == (200, expected)
    assert response.headers["Vary"] == "Accept-Encoding"


async def test_compressed_files_are_not_used_by_default(ask):
    response = await ask("/assets/app.js", accept_encoding=ALL)
    assert response.headers["sent"] == b"plain"
    assert "Vary" not in response.headers


async def test_compressed_file_can_be_requested_by_its_own_name(ask):
    response = await ask("/assets/app.js.gz", accept_encoding=ALL, precompressed=True)
    assert response.headers["Content-Type"] == "application/gzip"
    assert "Content-Encoding" not in response.headers


async def test_an_index_has_siblings_too(ask, root):
    (root / "index.html.br").write_text("br")
    response = await ask("/", accept_encoding="br", precompressed=True, default_index="index.html")
    assert response.headers["sent"] == b"br"
    assert response.headers["Content-Type"] == "text/html"


async def test_a_field_on_which_others_depend_is_kept(root):
    app = Roll()
    static(app, "/", root, precompressed=True)

    @app.listen("headers")
    def vary(request, response):
        response.headers["vary"] = "Origin"

    await app.startup()
    response = await Client(app).get("/alone.css")
    assert response.headers["vary"] == "Origin, Accept-Encoding"


async def test_no_file_stays_open(ask):
    await ask("/assets/app.js", precompressed=True)
    before = len(os.listdir("/proc/self/fd"))
    for path in ("/assets/app.js", "/stale.css", "/outside.css", "/folder.css", "/nowhere"):
        await ask(path, accept_encoding=ALL, precompressed=True, fallback="index.html")
    assert len(os.listdir("/proc/self/fd")) == before


# Caches.


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, None),
        ({"max_age": 0}, "max-age=0"),
        ({"max_age": 3600}, "max-age=3600"),
        ({"immutable": True}, "max-age=31536000, immutable"),
        ({"immutable": True, "max_age": 60}, "max-age=60, immutable"),
    ],
    ids=str,
)
async def test_cache_control_has_the_max_age(ask, options, expected):
    response = await ask("/alone.css", **options)
    assert response.headers.get("Cache-Control") == expected
    again = await ask("/alone.css", headers={"If-None-Match": response.headers["ETag"]}, **options)
    assert (again.status, again.headers.get("Cache-Control")) == (304, expected)
    part = await ask("/alone.css", headers={"Range": "bytes=0-0"}, **options)
    assert (part.status, part.headers.get("Cache-Control")) == (206, expected)
    for path in ("/nowhere", "/../secret"):
        assert "Cache-Control" not in (await ask(path, **options)).headers


# The page of a single-page application.


@pytest.mark.parametrize("path", ["/", "/users/7", "/a.b", "/assets", "/assets/", "/nowhere/"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_a_navigation_gets_the_page(ask, path, method):
    headers = {"Accept": ACCEPTS, "Sec-Fetch-Mode": "navigate"}
    response = await ask(path, method, headers=headers, fallback="index.html", max_age=60)
    assert response.status == 200
    assert response.headers["Content-Type"] == "text/html"
    assert response.headers["sent"] == (b"<p>index" if method == "GET" else b"")
    assert response.headers["Cache-Control"] == "no-cache"
    assert response.headers["Vary"] == "Accept, Sec-Fetch-Mode"
    tag = {"If-None-Match": response.headers["ETag"]}
    assert (await ask(path, headers=headers | tag, fallback="index.html")).status == 304


@pytest.mark.parametrize(
    ("method", "headers", "status"),
    [
        ("GET", {}, 404),
        ("GET", {"Accept": "*/*"}, 404),
        ("GET", {"Accept": "text/*"}, 404),
        ("GET", {"Accept": "text/html;q=0"}, 404),
        ("GET", {"Accept": "application/json"}, 404),
        ("GET", {"Accept": "image/avif,image/webp,*/*"}, 404),
        ("GET", {"Accept": ACCEPTS, "Sec-Fetch-Mode": "cors"}, 404),
        ("GET", {"Accept": ACCEPTS, "Sec-Fetch-Mode": "no-cors"}, 404),
        ("GET", {"Accept": ACCEPTS}, 200),
        ("GET", {"Accept": "application/xhtml+xml"}, 200),
        ("POST", {"Accept": ACCEPTS}, 405),
    ],
    ids=str,
)
async def test_requests_for_resources_of_a_page_get_no_fallback(ask, method, headers, status):
    response = await ask("/assets/gone.js", method, headers=headers, fallback="index.html")
    assert response.status == status
    assert (response.headers["sent"] == b"<p>index") is (status == 200)
    varies = response.headers.get("Vary")
    assert varies == (None if status == 405 else "Accept, Sec-Fetch-Mode")


async def test_missing_file_without_a_fallback_does_not_vary(ask):
    response = await ask("/assets/gone.js", headers={"Accept": "text/html"})
    assert response.status == 404
    assert "Vary" not in response.headers


async def test_other_methods_get_no_fallback(ask):
    options = {"fallback": "index.html", "methods": ["GET", "POST"]}
    response = await ask("/users", "POST", headers={"Accept": ACCEPTS}, **options)
    assert response.status == 404


async def test_file_wins_over_the_fallback(ask):
    headers = {"Accept": ACCEPTS}
    response = await ask("/alone.css", headers=headers, fallback="index.html", immutable=True)
    assert response.headers["sent"] == b"alone"
    assert "immutable" in response.headers["Cache-Control"]
    assert "Vary" not in response.headers


@pytest.mark.parametrize("path", ["/", "/index.html", "/users"])
async def test_fallback_page_is_revalidated_at_any_path(ask, path):
    options = {"fallback": "index.html", "default_index": "index.html", "immutable": True}
    response = await ask(path, headers={"Accept": ACCEPTS}, **options)
    assert response.headers["Cache-Control"] == "no-cache"


async def test_path_outside_of_the_root_gets_no_fallback(ask):
    response = await ask("/../secret", headers={"Accept": ACCEPTS}, fallback="index.html")
    assert response.status == 400


async def test_without_the_page_there_is_a_404(ask):
    response = await ask("/users", headers={"Accept": ACCEPTS}, fallback="gone.html")
    assert response.status == 404


async def test_the_page_may_be_compressed(ask, root):
    (root / "index.html.br").write_text("br")
    headers = {"Accept": ACCEPTS}
    options = {"fallback": "index.html", "precompressed": True}
    response = await ask("/users", "GET", "br", headers, **options)
    assert response.headers["sent"] == b"br"
    assert response.headers["Cache-Control"] == "no-cache"
    assert response.headers["Vary"] == "Accept, Sec-Fetch-Mode, Accept-Encoding"


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"precompressed": "yes"}, "precompressed"),
        ({"immutable": 1}, "immutable"),
        ({"max_age": -1}, "max_age"),
        ({"max_age": 2**31 + 1}, "max_age"),
        ({"max_age": 10**400}, "max_age"),
        ({"max_age": 1.5}, "max_age"),
        ({"max_age": True}, "max_age"),
        ({"max_age": "3600"}, "max_age"),
        ({"fallback": None}, "fallback"),
        ({"fallback": "../index.html"}, "fallback"),
        ({"fallback": "/index.html"}, "fallback"),
        ({"fallback": ".index.html"}, "fallback"),
    ],
    ids=str,
)
def test_an_option_of_another_kind_is_refused(root, options, told):
    with pytest.raises(ValueError, match=told):
        static(Roll(), "/", root, **options)


@pytest.mark.parametrize("name", ["precompresed", "maxage", "imutable", "falback"])
def test_misspelt_option_causes_a_warning(root, name):
    with pytest.warns(RollWarning, match="write"):
        static(Roll(), "/", root, **{name: 1})


@pytest.mark.parametrize("path", ["/assets\\app.js", "/alone.css::$DATA", "/c:alone.css"])
async def test_names_with_a_special_meaning_on_windows_are_404(ask, monkeypatch, path):
    monkeypatch.setattr("roll.places.FOREIGN", frozenset("\\:"))
    assert (await ask("/alone.css")).status == 200
    assert (await ask(path)).status == 404
