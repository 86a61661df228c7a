"""A listener may replace an open file with another body."""

import pytest

from roll import extensions
from roll.files import WHOLE

SMALL, LARGE = b"<p>small</p>", b"x" * (WHOLE + 1)
OF_THE_FILE = {"ETag", "Last-Modified", "Accept-Ranges", "Content-Range", "Content-Disposition"}

RANGE = {"Range": "bytes=0-4"}


def give_text(response):
    response.body = "other"


def give_json(response):
    response.json = {}


def give_stream(response):
    async def body():
        yield "other"

    response.body = body()


def give_file(response):
    response.file = response.app["other"]


GIVEN = [
    (give_text, b"other", "text/html"),
    (give_json, b"{}", "application/json; charset=utf-8"),
    (give_stream, b"5\r\nother\r\n0\r\n\r\n", "text/html"),
    (give_file, b"plain", "text/plain"),
]


@pytest.fixture(params=["send_file", "static"])
def url(request, app, tmp_path):
    """The path of a file that is served in either way, and the listener's own."""
    (tmp_path / "small.html").write_bytes(SMALL)
    (tmp_path / "large.html").write_bytes(LARGE)
    app["other"] = tmp_path / "other.txt"
    app["other"].write_text("plain")
    if request.param == "static":
        extensions.static(app, "/files/", tmp_path)
        return "/files/{}.html"

    @app.route("/sent/{name}")
    async def send(request, response, name):
        response.send_file(f"{name}.html", root=tmp_path, filename="Page.html")

    return "/sent/{}"


@pytest.fixture
def answer_to(app, url, liveclient):
    async def get(give, size, method="GET", headers=None):
        app.hooks["response"] = []  # of the last request
        app.listen("response")(give)
        return await liveclient.query(method, url.format(size), headers=headers or {})

    return get


@pytest.mark.parametrize("headers", [{}, RANGE], ids=["whole", "range"])
@pytest.mark.parametrize("size", ["small", "large"])
@pytest.mark.parametrize(("give", "body", "kind"), GIVEN)
async def test_a_body_in_place_of_a_file_is_sent_without_the_files_fields(
    answer_to, give, body, kind, size, headers
):
    response = await answer_to(give, size, headers=headers)
    sent = response.body if response.chunks is None else b"5\r\nother\r\n0\r\n\r\n"
    assert (sent, response.headers["Content-Type"]) == (body, kind)
    left = OF_THE_FILE & set(response.headers.keys())
    if give is give_file:
        assert response.status == (206 if headers else 200)
        assert response.headers.get("Content-Range", "bytes 0-4/5") == "bytes 0-4/5"
        assert "Content-Disposition" not in left
    else:
        assert (response.status, left) == (200, set())


@pytest.mark.parametrize("size", ["small", "large"])
async def test_fields_that_a_listener_sets_for_its_body_are_kept(answer_to, size):
    def give(response):
        response.etag = "mine"
        response.status = 206
        response.headers["Content-Range"] = "bytes 0-4/9"
        response.body = "other"

    response = await answer_to(give, size, headers=RANGE)
    assert (response.status, response.body) == (206, b"other")
    assert response.headers["ETag"] == '"mine"'
    assert response.headers["Content-Range"] == "bytes 0-4/9"


@pytest.mark.parametrize("size", ["small", "large"])
async def test_a_head_tells_of_the_body_that_a_listener_gives(answer_to, size):
    response = await answer_to(give_text, size, method="HEAD")
    assert (response.status, response.headers["Content-Length"]) == (200, "5")


async def test_second_file_is_sent_with_its_own_tag(answer_to, app, url, liveclient):
    response = await answer_to(give_file, "small")
    unchanged = {"If-None-Match": response.headers["ETag"]}
    app.hooks["response"] = []

    @app.route("/other")
    async def other(request, response):
        response.file = app["other"]

    assert (await liveclient.get("/other", headers=unchanged)).status == 304
    assert (await liveclient.get(url.format("small"), headers=unchanged)).status == 200


@pytest.mark.parametrize("size", ["small", "large"])
async def test_a_listener_that_only_looks_changes_nothing(answer_to, size):
    response = await answer_to(lambda response: None, size, headers=RANGE)
    assert response.status == 206
    assert {"ETag", "Content-Range", "Accept-Ranges"} <= set(response.headers.keys())
