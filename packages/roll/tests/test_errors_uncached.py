"""Errors that replace a cacheable response: caches must not keep them in its place."""

import gzip

import pytest

from roll.extensions import compress, static

YEAR = "max-age=31536000, immutable"
CONDITIONS = {
    "If-Match": ({"If-Match": '"other"'}, 412),
    "If-Unmodified-Since": ({"If-Unmodified-Since": "Mon, 01 Jan 2001 00:00:00 GMT"}, 412),
    "beyond": ({"Range": "bytes=999999-"}, 416),
    "suffix": ({"Range": "bytes=-0"}, 416),
}
OF_CACHES = {
    "Cache-Control": "public, max-age=60",
    "expires": "Mon, 01 Jan 2035 00:00:00 GMT",
    "CDN-Cache-Control": "max-age=60",
    "Surrogate-Control": "max-age=60",
}
OF_CONTENT = {"content-type", "content-encoding", "content-disposition"}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "a.css").write_text("a {}" * 100)
    (tmp_path / "a.css.gz").write_bytes(gzip.compress(b"a {}" * 100))
    (tmp_path / "page.html").write_text("<p>")
    return tmp_path


@pytest.fixture
def site(app, folder):
    static(app, "/long/", folder, name="long", immutable=True, precompressed=True)
    static(app, "/short/", folder, name="short", max_age=3600, fallback="page.html")

    @app.route("/file/{name}")
    async def file(request, response, name):
        response.headers |= OF_CACHES
        response.headers["Content-Encoding"] = "gzip"
        response.send_file(name, root=folder, filename="a.css")

    @app.route("/tagged")
    async def tagged(request, response):
        response.headers |= OF_CACHES
        response.etag, response.body = "v1", "text"

    @app.route("/kept")
    async def kept(request, response):
        response.headers["cache-control"] = "private, No-Store"
        response.send_file("a.css", root=folder)

    return app


def names_of(response):
    return {name.lower() for name in response.headers}


@pytest.mark.parametrize("path", ["/long/a.css", "/long/page.html", "/short/a.css", "/file/a.css"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("case", CONDITIONS)
async def test_refused_condition_or_range_of_a_file_is_not_cached(
    site, client, path, method, case
):
    headers, status = CONDITIONS[case]
    if method == "HEAD" and status == 416:
        status = 200  # ranges apply to GET only
    response = await client.request(path, method, headers={**headers, "Accept-Encoding": "gzip"})
    assert response.status == status
    if status >= 400:
        assert response.body == b""
        assert not names_of(response) & ({*map(str.lower, OF_CACHES)} | OF_CONTENT)
        assert {"etag", "last-modified", "accept-ranges"} <= names_of(response)
        assert ("content-range" in names_of(response)) is (status == 416)


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("case", ["If-Match", "If-Unmodified-Since"])
async def test_refused_condition_of_the_handler_s_tag_is_not_cached(
    site, client, case, compressed
):
    if compressed:
        compress(site, min_size=1)

    @site.listen("response")
    def dated(request, response):
        response.headers["Last-Modified"] = "Mon, 01 Jan 2024 00:00:00 GMT"

    response = await client.get("/tagged", headers=CONDITIONS[case][0])
    assert (response.status, response.body) == (412, b"")
    assert not names_of(response) & ({*map(str.lower, OF_CACHES)} | OF_CONTENT)


@pytest.mark.parametrize(("name", "status"), [("none.css", 404), ("../a", 400), (".env", 404)])
async def test_error_of_a_file_is_not_cached(site, client, folder, name, status):
    @site.route("/sent")
    async def sent(request, response):
        response.headers |= OF_CACHES
        response.send_file(name, root=folder)

    response = await client.get("/sent")
    assert response.status == status
    assert not names_of(response) & set(map(str.lower, OF_CACHES))


async def test_file_that_cannot_be_opened_is_not_cached(site, client, folder, monkeypatch):
    def failing(*args):
        raise OSError(24, "Too many open files")

    monkeypatch.setattr("roll.files.os.open", failing)
    response = await client.get("/file/a.css")
    assert response.status == 500
    assert not names_of(response) & set(map(str.lower, OF_CACHES))


async def test_error_page_of_a_listener_may_be_cached(site, client):
    @site.listen("error")
    def page(request, response, error):
        response.headers["Cache-Control"] = "max-age=5"

    response = await client.get("/file/none")
    assert (response.status, response.headers["Cache-Control"]) == (404, "max-age=5")


@pytest.mark.parametrize("case", CONDITIONS)
async def test_no_store_is_kept(site, client, case):
    response = await client.get("/kept", headers=CONDITIONS[case][0])
    assert response.status == CONDITIONS[case][1]
    assert response.headers["cache-control"] == "private, No-Store"


@pytest.mark.parametrize(
    ("headers", "status"),
    [({}, 200), ({"Range": "bytes=0-1"}, 206), ({"If-None-Match": "*"}, 304)],
    ids=["200", "206", "304"],
)
async def test_success_is_cached(site, client, headers, status):
    response = await client.get("/long/a.css", headers=headers)
    assert (response.status, response.headers["Cache-Control"]) == (status, YEAR)
    response = await client.get("/file/a.css", headers=headers)
    assert response.status == status
    assert OF_CACHES.items() <= response.headers.items()
