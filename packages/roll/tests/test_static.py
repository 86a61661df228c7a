"""The extension `static`."""

import asyncio
import os
import resource
import tempfile
import threading
import time
from contextlib import contextmanager
from email.utils import formatdate
from io import FileIO
from pathlib import Path
from types import SimpleNamespace

import pytest

from roll import Roll
from roll.conditions import asked_range
from roll.dates import parse_date
from roll.extensions import static, static_files, static_policy
from roll.files import WHOLE, OpenFile, content_type, find
from roll.testing import Client

PATIENCE = 10

LARGE = bytes(range(256)) * (WHOLE // 256) + b"the rest"


@pytest.fixture
def root(tmp_path):
    """A folder of files, next to a file that must not be served."""
    root = tmp_path / "root"
    (root / "css").mkdir(parents=True)
    (root / "css" / "style.css").write_text("body {}")
    (root / "index.html").write_text("<p>index")
    (root / "a b é.txt").write_text("spaces")
    (root / "large.bin").write_bytes(LARGE)
    (root / "empty").touch()
    (tmp_path / "rootless").write_text("secret")
    (root / "link").symlink_to(tmp_path / "rootless")
    (root / "circle").symlink_to(root / "circle")
    os.mkfifo(root / "fifo")
    return root


@pytest.fixture
def app(app, root):
    """An application that serves the folder."""
    static(app, root=root)
    static(app, "/pages", str(root), "index.html", name="pages", extra="kept")
    return app


async def test_a_file_is_served_with_its_type(client):
    response = await client.get("/static/css/style.css")
    assert (response.status, response.body) == (200, b"body {}")
    assert response.headers["Content-Type"] == "text/css"


async def test_a_name_is_percent_decoded(client):
    assert (await client.get("/static/a%20b%20%C3%A9.txt")).body == b"spaces"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.html", "text/html"),
        ("a.tar.gz", "application/gzip"),
        ("a.css.br", "application/x-brotli"),
        ("a", "application/octet-stream"),
        ("a.nonsense", "application/octet-stream"),
        ("data:text/html,a.png", "image/png"),
        ("http://a.org/b.html?c.png".replace("/", ":"), "image/png"),
        ("a#.css", "text/css"),
    ],
)
def test_types_are_guessed_from_names(tmp_path, name, expected):
    assert content_type(tmp_path / name) == expected


@pytest.mark.parametrize(
    "path",
    [
        "nowhere",
        "css",
        "css/",
        "css/.",
        "css//",
        "",
        ".",
        "css/style.css/x",
        "fifo",
        "circle",
        "%00",
        "x" * 300,
        "é" * 150,
        "x/" * 500,
        "x/" * 3000,
        "~",
        "*",
        "index.html/",
        "index.html//",
        "index.html/.",
        "index.html/./",
        "index.html/..",
        "index.html%2F",
        "index.html/%2E",
        "index.html%00",
        "index.html%00/",
        "%00index.html",
        "index.html.",
        "index.html%20",
        "index.html%0A",
        "%20index.html",
        "index.html\\",
        "\\index.html",
        "css\\style.css",
        "..\\rootless",
        "css//style.css",
        "css%2F%2Fstyle.css",
        "css/.//style.css",
        "css/style.css/../style.css/",
        "%ED%B2%80",
        "%FF",
        "index.html%FF",
        "C:index.html",
        "file:index.html",
    ],
    ids=lambda path: f"{path[:20]} {len(path)}",
)
@pytest.mark.parametrize("prefix", ["/static", "/other"], ids=["no index", "index"])
async def test_path_that_is_not_a_file_is_a_404(app, client, root, prefix, path):
    static(app, "/other", root, "absent.html", name="other")
    await app.startup()
    response = await client.get(f"{prefix}/{path}")
    assert (response.status, b"<p>index" in response.body) == (404, False)


async def test_an_encoded_slash_is_a_slash(client):
    assert (await client.get("/static/css%2Fstyle.css")).body == b"body {}"


@pytest.mark.parametrize(
    "path",
    [
        ".",
        "./",
        "%2E",
        "./index.html",
        "%2e/index.html",
        "./" * 1000 + "index.html",
        "css/.",
        "css/./style.css",
        "css/.%2Fstyle.css",
        "css/..",
        "css/../",
        "css/../index.html",
        "css/..%2Findex.html",
        "css/%2e%2e/index.html",
        "css/%2E./index.html",
        "css/../css/../index.html",
        "css/../css/style.css",
        "x/..",
        "x/../index.html",
        "x/y/../../css/style.css",
        "x/./../index.html",
        "index.html/../index.html",
        "index.html/x/../../index.html",
        "css/style.css/../style.css",
        "fifo/../index.html",
        "inner/../index.html",
        "link/.",
        "link//",
        "link/../index.html",
        "outside/secret/../../index.html",
        "outside/nowhere/../../index.html",
        "circle/../index.html",
        "circle/..%2Flink",
        "sub/.",
        "sub/./",
        "sub/x/..",
    ],
    ids=lambda path: f"{path[:24]} {len(path)}",
)
@pytest.mark.parametrize("prefix", ["static", "pages"])
async def test_a_file_has_one_path_without_dot_segments(client, root, prefix, path):
    (root / "sub").mkdir()
    (root / "sub" / "index.html").write_text("<p>sub")
    (root / "inner").symlink_to(root / "index.html")
    (root.parent / "secrets").mkdir()
    (root.parent / "secrets" / "secret").touch()
    (root / "outside").symlink_to(root.parent / "secrets")
    assert (await client.get(f"/{prefix}/{path}")).status == 404


@pytest.mark.parametrize("path", ["../root/index.html", "css/../../root/index.html", "../root"])
async def test_answers_do_not_reveal_the_name_of_the_root(client, path):
    assert (await client.get(f"/static/{path.replace('../', '..%2F')}")).status == 400


@pytest.mark.parametrize("path", ["sub", "sub/"])
async def test_a_directory_is_its_index_with_a_slash_and_without(client, root, path):
    (root / "sub").mkdir()
    (root / "sub" / "index.html").write_text("<p>sub")
    assert (await client.get(f"/pages/{path}")).body == b"<p>sub"


@pytest.mark.parametrize("path", ["index.html/", "sub//", "sub/index.html/", "sub//index.html"])
async def test_path_with_extra_slashes_is_a_404(client, root, path):
    (root / "sub").mkdir()
    (root / "sub" / "index.html").write_text("<p>sub")
    assert (await client.get(f"/pages/{path}")).status == 404


@pytest.mark.parametrize(
    "path",
    [
        "%2E%2E/rootless",
        "css/..%2F../rootless",
        "/etc/passwd",
        "/index.html",
        "%2Findex.html",
        "link",
        "link/",
        "..%2Frootless",
        "circle/..%2F..%2Frootless",
        "..%2F" * 1000 + "rootless",
    ],
    ids=lambda path: f"{path[:20]} {len(path)}",
)
async def test_path_outside_of_the_root_is_a_400(client, path):
    response = await client.get(f"/static/{path}")
    assert response.status == 400
    assert b"secret" not in response.body


@pytest.mark.parametrize("name", ["index.html", "css", "none", ""])
async def test_absolute_path_does_not_reveal_the_root(client, root, name):
    """Neither that it is there nor that it is not: all answers are alike."""
    assert (await client.get(f"/static/{root}/{name}")).status == 400
    assert (await client.get(f"/static/{root}-not/{name}")).status == 400


@pytest.mark.parametrize("path", ["/pages/", "/pages/index.html"])
async def test_a_directory_is_its_index(client, path):
    assert (await client.get(path)).body == b"<p>index"


async def test_an_index_that_is_outside_is_a_400(client, root):
    (root / "css" / "index.html").symlink_to(root.parent / "rootless")
    response = await client.get("/pages/css")
    assert (response.status, response.body) == (400, b"css")


async def test_a_directory_without_its_index_is_a_404(client):
    assert (await client.get("/pages/css")).status == 404


async def test_extras_are_the_routes(app, client):
    payload, _ = app.routes.match("/pages/a")
    assert (payload["extra"], payload["name"]) == ("kept", "pages")
    assert (await client.post("/static/index.html")).status == 405


async def test_a_large_file_is_streamed_with_its_length(client):
    response = await client.get("/static/large.bin")
    assert response.body == LARGE
    assert response.headers["Content-Length"] == len(LARGE)


@pytest.fixture
def replaced(root, monkeypatch):
    """Replace a file by zeros after it was found."""

    def replace(name):
        def find_and_replace(*args):
            file = find(*args)
            (root / "new").write_bytes(bytes(WHOLE * 2))
            (root / "new").replace(root / name)
            return file

        monkeypatch.setattr(static_policy, "find", find_and_replace)

    return replace


@pytest.mark.parametrize("name", ["large.bin", "index.html"])
async def test_sent_version_matches_its_validators(client, root, replaced, name):
    content = (root / name).read_bytes()
    etag = (await client.head(f"/static/{name}")).headers["ETag"]
    replaced(name)
    response = await client.get(f"/static/{name}")
    assert (response.headers["ETag"], response.body) == (etag, content)


def open_files():
    """The files that are open in this process."""
    descriptors = [f"/proc/self/fd/{fd}" for fd in os.listdir("/proc/self/fd")]
    return {os.readlink(fd) for fd in descriptors if os.path.lexists(fd)}


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("name", ["large.bin", "index.html", "empty", "css", "fifo"])
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"If-None-Match": "*"},
        {"If-Match": '"other"'},
        {"Range": "bytes=1-"},
        {"Range": f"bytes={WHOLE * 2}-"},
    ],
    ids=["whole", "304", "412", "206", "416"],
)
async def test_no_file_is_left_open(client, root, method, name, headers):
    await client.request(f"/static/{name}", method, headers=headers)
    assert str(root / name) not in open_files()


class SlowDisk:
    """A disk that finds a file only when it may."""

    def __init__(self, monkeypatch, loop):
        self.may_find, self.found = threading.Event(), asyncio.Event()

        def slow(*args, real=static_files.answer):
            assert self.may_find.wait(PATIENCE)
            try:
                return real(*args)
            finally:
                loop.call_soon_threadsafe(self.found.set)

        monkeypatch.setattr(static_files, "answer", slow)


@pytest.mark.parametrize("name", ["index.html", "large.bin"])
@pytest.mark.parametrize("headers", [{}, {"Range": "bytes=0-3"}, {"Range": f"bytes={10**9}-"}])
async def test_file_that_is_found_after_the_time_limit_changes_nothing(
    root, monkeypatch, name, headers
):
    """The thread goes on after the 503 was decided, while a listener of it waits."""
    app = Roll()
    static(app, "/slow/", root, timeout=0.01, max_age=3600)
    disk = SlowDisk(monkeypatch, asyncio.get_running_loop())

    @app.listen("response")
    async def wait_for_disk(request, response):
        response.headers["X-Saw"] = int(response.status)
        disk.may_find.set()
        await asyncio.wait_for(disk.found.wait(), PATIENCE)

    async with Client(app) as client:
        response = await client.get(f"/slow/{name}", headers=headers)
    assert (response.status, response.headers["X-Saw"]) == (503, 503)
    assert response.body == b"Service Unavailable"
    assert not {"ETag", "Last-Modified", "Cache-Control", "Content-Range"} & set(response.headers)
    async with asyncio.timeout(PATIENCE):
        while str(root / name) in open_files():  # until the thread has ended
            await asyncio.sleep(0)


async def test_a_file_is_closed_when_another_body_is_sent_instead(app, client, root):
    @app.listen("response")
    def refuse(response):
        response.body = "no"

    assert (await client.get("/static/large.bin")).body == b"no"
    assert str(root / "large.bin") not in open_files()


async def test_a_file_is_closed_when_the_client_has_gone(app, client, root):
    answered = []

    @app.listen("response")
    def leave(response):
        answered.append(str(root / "large.bin") in open_files())
        client.protocol.transport.abort()

    with pytest.raises(EOFError):
        await client.get("/static/large.bin")
    assert answered == [True]
    assert str(root / "large.bin") not in open_files()


async def test_a_small_file_that_is_cut_while_it_is_read_is_a_500(client, root, monkeypatch):
    def find_and_cut(*args):
        file = find(*args)
        os.truncate(root / "index.html", 2)
        return file

    monkeypatch.setattr(static_policy, "find", find_and_cut)
    response = await client.get("/static/index.html")
    assert (response.status, response.body) == (500, b"Internal Server Error")
    assert_nothing_is_told_of_the_file(response)


def assert_nothing_is_told_of_the_file(response):
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
    for name in ("ETag", "Last-Modified", "Accept-Ranges", "Content-Range"):
        assert name not in response.headers


@pytest.fixture
def unreadable():
    """A file that may be looked at, and not be read: by another user, if this one may all."""
    with tempfile.TemporaryDirectory() as name:
        file = Path(name, "index.html")
        file.write_text("secret")
        Path(name, "open.html").write_text("open")
        Path(name).chmod(0o755)
        file.chmod(0)
        user = os.geteuid()
        os.seteuid(user or 65534)
        yield file
        os.seteuid(user)


@pytest.mark.parametrize("headers", [{}, {"Range": "bytes=0-1"}], ids=["whole", "range"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_unreadable_file_is_a_404(app, client, unreadable, method, headers):
    static(app, "/other/", unreadable.parent, name="other")
    assert (await client.get("/other/open.html")).status == 200
    response = await client.request("/other/index.html", method, headers=headers)
    assert response.status == 404
    assert_nothing_is_told_of_the_file(response)


@contextmanager
def no_descriptor_left():
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)


@pytest.mark.parametrize("name", ["large.bin", "index.html"])
async def test_without_a_descriptor_left_a_file_is_a_500(client, name):
    with no_descriptor_left():
        response = await client.get(f"/static/{name}")
    assert (response.status, response.body) == (500, b"Internal Server Error")
    assert_nothing_is_told_of_the_file(response)


async def test_a_file_that_shrank_before_it_was_sent_is_a_500(app, client, root):
    @app.listen("response")
    def shrink(response):
        os.truncate(root / "large.bin", WHOLE + 2)

    response = await client.get("/static/large.bin")
    assert (response.status, response.body) == (500, b"Internal Server Error")
    assert_nothing_is_told_of_the_file(response)


@pytest.mark.parametrize("name", ["large.bin", "index.html", "empty"])
async def test_head_has_the_length_and_no_body(client, root, name):
    response = await client.head(f"/static/{name}")
    assert (response.status, response.body) == (200, b"")
    assert response.headers["Content-Length"] == (root / name).stat().st_size


@pytest.fixture
def known(client, root):
    """The tag and the date of the index."""
    os.utime(root / "index.html", (1_000_000_000.5, 1_000_000_000.5))

    async def known():
        headers = (await client.get("/static/index.html")).headers
        return headers["ETag"], headers["Last-Modified"]

    return known


async def test_client_with_the_same_version_gets_a_304(client, known):
    etag, date = await known()
    assert date == formatdate(1_000_000_000, usegmt=True)
    for headers in (
        {"If-None-Match": etag},
        {"If-None-Match": f'"other", W/{etag}'},
        {"If-None-Match": "*"},
        {"If-Modified-Since": date},
        {"If-Modified-Since": formatdate(1_000_000_001, usegmt=True)},
    ):
        response = await client.get("/static/index.html", headers=headers)
        assert (response.status, response.body) == (304, b"")
        assert response.headers["ETag"] == etag


async def test_client_with_another_version_gets_the_whole_file(client, known):
    _, date = await known()
    for headers in (
        {"If-None-Match": '"other"'},
        {"If-None-Match": '"other"', "If-Modified-Since": date},
        {"If-Modified-Since": formatdate(999_999_999, usegmt=True)},
        {"If-Modified-Since": "nonsense"},
    ):
        assert (await client.get("/static/index.html", headers=headers)).status == 200


EARLIER, LATER = formatdate(999_999_999, usegmt=True), formatdate(1_000_000_001, usegmt=True)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(
    "headers",
    [
        {"If-Match": '"other"'},
        {"If-Match": 'W/{etag}, "other"'},
        {"If-Match": ""},
        {"If-Match": '"other"', "If-Unmodified-Since": LATER},
        {"If-Unmodified-Since": EARLIER},
        {"If-Unmodified-Since": EARLIER, "If-None-Match": "*"},
        {"If-Unmodified-Since": EARLIER, "Range": "bytes=99-"},
    ],
)
async def test_precondition_of_another_version_is_a_412(client, known, method, headers):
    etag, _ = await known()
    headers = {name: value.format(etag=etag) for name, value in headers.items()}
    response = await client.request("/static/index.html", method, headers=headers)
    assert (response.status, response.body) == (412, b"")
    assert response.headers["ETag"] == etag


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"If-Match": "{etag}"}, 200),
        ({"If-Match": '"other", {etag}'}, 200),
        ({"If-Match": " * "}, 200),
        ({"If-Match": "*", "If-Unmodified-Since": EARLIER}, 200),
        ({"If-Unmodified-Since": "{date}"}, 200),
        ({"If-Unmodified-Since": LATER}, 200),
        ({"If-Unmodified-Since": "nonsense"}, 200),
        ({"If-Match": "*", "If-None-Match": "*"}, 304),
        ({"If-Unmodified-Since": LATER, "If-Modified-Since": "{date}"}, 304),
        ({"If-Match": "{etag}", "Range": "bytes=0-1"}, 206),
    ],
)
async def test_precondition_of_this_version_passes(client, known, headers, status):
    etag, date = await known()
    headers = {name: value.format(etag=etag, date=date) for name, value in headers.items()}
    assert (await client.get("/static/index.html", headers=headers)).status == status


BAD_DATES = [
    "nonsense",
    "Mon, 01 Jan 99999999999999999999 00:00:00 GMT",
    f"Mon, 01 Jan {'9' * 5001} 00:00:00 GMT",
    f"{'9' * 5001}",
    "Fri, 30 Feb 2001 00:00:00 GMT",
    "Mon, 01 Jan 0000 00:00:00 GMT",
    "Mon, 01 Jan 2001 00:00:00 +9999",
    "Mon, 01 Jan 200\u0661 00:00:00 GMT",
    "Mon, 01 Jan 200\u00b2 00:00:00 GMT",
]


@pytest.mark.parametrize("date", BAD_DATES, ids=lambda date: ascii(date)[:40])
@pytest.mark.parametrize("name", ["If-Modified-Since", "If-Unmodified-Since", "If-Range"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_malformed_date_is_ignored(client, known, method, name, date):
    headers = {name: date, "Range": "bytes=0-1"} if name == "If-Range" else {name: date}
    response = await client.request("/static/index.html", method, headers=headers)
    assert response.status == 200
    assert response.headers["Content-Length" if method == "HEAD" else "Last-Modified"]


@pytest.mark.parametrize("name", ["If-Match", "If-None-Match", "If-Range"])
@pytest.mark.parametrize("space", ["\u2003", "\u00a0", "\u0085"], ids=ascii)
async def test_only_spaces_and_tabs_stand_around_a_tag(client, known, name, space):
    etag, _ = await known()
    headers = {name: f" \t{etag}\t ", "Range": "bytes=0-1"}
    expected = 304 if name == "If-None-Match" else 206
    assert (await client.get("/static/index.html", headers=headers)).status == expected
    headers[name] = f"{space}{etag}{space}"
    expected = {"If-Match": 412, "If-None-Match": 206, "If-Range": 200}[name]
    assert (await client.get("/static/index.html", headers=headers)).status == expected


async def test_last_modified_is_never_in_the_future(client, root):
    """RFC 9110 8.8.2.1; and a year of five digits has no date in HTTP."""
    os.utime(root / "index.html", (1e10, 1e10))
    (root / "far").touch()
    os.utime(root / "far", (9e11, 9e11))
    for name in ("index.html", "far"):
        date = (await client.get(f"/static/{name}")).headers["Last-Modified"]
        assert parse_date(date) <= time.time()


async def test_precondition_of_a_missing_file_is_ignored(client):
    response = await client.get("/static/nowhere", headers={"If-Match": "*"})
    assert response.status == 404


@pytest.mark.parametrize(
    ("asked", "content", "body"),
    [
        ("bytes=0-3", "bytes 0-3/8", b"<p>i"),
        ("bytes=3-3", "bytes 3-3/8", b"i"),
        ("Bytes=3-", "bytes 3-7/8", b"index"),
        ("bytes=-2", "bytes 6-7/8", b"ex"),
        ("bytes=-99", "bytes 0-7/8", b"<p>index"),
        ("bytes=5-99", "bytes 5-7/8", b"dex"),
        ("bytes=0-0", "bytes 0-0/8", b"<"),
        (f"bytes=5-{'9' * 5000}", "bytes 5-7/8", b"dex"),
        (f"bytes={'0' * 5000}1-{'0' * 30}2", "bytes 1-2/8", b"p>"),
        (f"bytes=-{'9' * 5000}", "bytes 0-7/8", b"<p>index"),
    ],
    ids=lambda value: str(value)[:12],
)
async def test_a_range_is_a_206(client, asked, content, body):
    response = await client.get("/static/index.html", headers={"Range": asked})
    assert (response.status, response.body) == (206, body)
    assert response.headers["Content-Range"] == content


async def test_a_range_of_a_large_file_is_streamed(client):
    response = await client.get("/static/large.bin", headers={"Range": "bytes=1-"})
    assert (response.status, response.body) == (206, LARGE[1:])


@pytest.mark.parametrize(
    "asked",
    [
        "",
        "x",
        "bytes=5-3",
        "bytes=-",
        "bytes=--1",
        "bytes=0-1,3-4",
        "bytes=0-1,",
        "lines=0-1",
        "byte\u017f=0-1",
        "bytes=\u0660-\u0661",
        "bytes=\u00b2-",
        "bytes=\uff10-1",
        "bytes=+0-1",
        "bytes=1_0-",
        "bytes=0x1-",
        "bytes=0-1\u2003",
        "bytes=0 - 1",
        "bytes=" * 2000,
        "bytes=" + "0-," * 5000,
        "bytes=" + "-" * 15000,
        "-" * 15000,
    ],
    ids=lambda asked: f"{ascii(asked)[:20]} {len(asked)}",
)
async def test_malformed_range_gets_the_whole_file(client, asked):
    response = await client.get("/static/index.html", headers={"Range": asked})
    assert (response.status, response.body) == (200, b"<p>index")


@pytest.mark.parametrize(
    "asked",
    [
        "bytes=8-",
        "bytes=99-100",
        "bytes=-0",
        f"bytes={'9' * 5000}-",
        f"bytes={'9' * 40}-{'9' * 40}",
    ],
    ids=["next", "beyond", "none", "thousands of digits", "digits both ways"],
)
async def test_a_range_outside_is_a_416(client, asked):
    response = await client.get("/static/index.html", headers={"Range": asked})
    assert (response.status, response.body) == (416, b"")
    assert response.headers["Content-Range"] == "bytes */8"
    assert (await client.get("/static/empty", headers={"Range": "bytes=-1"})).status == 416


@pytest.mark.parametrize("asked", ["bytes=0-1", "bytes=99-"])
async def test_range_of_a_head_request_is_ignored(client, asked):
    response = await client.head("/static/index.html", headers={"Range": asked})
    assert (response.status, response.headers["Content-Length"]) == (200, 8)
    assert "Content-Range" not in response.headers


async def test_range_of_another_version_gets_the_whole_file(client, known):
    etag, date = await known()
    for condition, status in (
        (etag, 206),
        (date, 206),
        ('"other"', 200),
        (f"W/{etag}", 200),
        (formatdate(0, usegmt=True), 200),
    ):
        headers = {"Range": "bytes=0-1", "If-Range": condition}
        assert (await client.get("/static/index.html", headers=headers)).status == status


@pytest.mark.parametrize("seconds", [-1e11, -62_135_596_801, -62_135_596_800, -1, 0, 1e11])
def test_date_of_a_file_can_be_read_whatever_its_time(root, seconds):
    path = root / "index.html"
    status = SimpleNamespace(st_size=8, st_mtime=seconds, st_mtime_ns=int(seconds * 10**9))
    with FileIO(path) as content:
        date = OpenFile(path, content, status).headers["Last-Modified"]
    assert -62_135_596_800 <= parse_date(date) <= time.time()


async def test_range_with_a_future_date_gets_the_whole_file(client, root):
    os.utime(root / "index.html", (1e10, 1e10))
    headers = {"Range": "bytes=0-1", "If-Range": formatdate(1e10, usegmt=True)}
    assert (await client.get("/static/index.html", headers=headers)).status == 200


@pytest.mark.parametrize(
    ("now", "expected"), [(99.9, None), (100.9, None), (101.0, (0, 2))], ids=str
)
def test_a_date_is_a_validator_once_its_second_has_passed(now, expected):
    headers = {"RANGE": "bytes=0-1", "IF-RANGE": formatdate(100, usegmt=True)}
    assert asked_range(headers, 8, '"tag"', 100.5, now) == expected


async def test_unnamed_static_routes_coexist_without_named_url(app, client):
    static(app, "/other/")
    await app.startup()
    assert (await client.get("/static/index.html")).status == 200


@pytest.mark.parametrize(
    ("name", "reason"),
    [("nowhere", "No such file or directory"), ("file", "Not a directory"), ("a/b", "No such")],
)
async def test_root_that_is_not_a_folder_is_an_error_at_startup(tmp_path, name, reason):
    (tmp_path / "file").write_text("")
    app = Roll()
    static(app, "/files/", tmp_path / name)
    with pytest.raises(ValueError, match=f"^The root '.*/{name}' of `static` .*: {reason}"):
        await app.startup()
    assert app.routes.match("/files/a") == (None, None)


async def test_unreadable_root_is_an_error_at_startup(unreadable):
    closed = unreadable.parent / "closed"
    user = os.geteuid()
    os.seteuid(os.getuid())
    closed.mkdir(mode=0)
    os.seteuid(user)
    app = Roll()
    static(app, "/closed/", closed)
    with pytest.raises(ValueError, match=r"^The root '.*/closed' of .*: Permission denied$"):
        await app.startup()


# Dotfiles.

HIDDEN = [
    ".env",
    ".git/config",
    "css/.secret",
    ".git/",
    ".git",
    "css/../.env",
    "./.env",
    ".well-known/.env",
    "...",
    "%2eenv",
]


@pytest.fixture
def dotted(tmp_path):
    folder = tmp_path / ".www"  # the root itself may be hidden
    for name in (".env", ".git/config", "css/.secret", ".well-known/acme", ".well-known/.env"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("x")
    (folder / "...").write_text("x")
    (folder / "a..b").write_text("x")
    return folder


@pytest.mark.parametrize("path", HIDDEN)
async def test_a_dotfile_is_not_served(path, dotted):
    app = Roll()
    static(app, prefix="/s/", root=dotted, default_index="config")
    await app.startup()
    assert (await Client(app).get(f"/s/{path}")).status == 404


async def test_names_with_inner_dots_and_well_known_are_served(dotted):
    app = Roll()
    static(app, prefix="/s/", root=dotted)
    await app.startup()
    for path in (".well-known/acme", "a..b"):
        assert (await Client(app).get(f"/s/{path}")).status == 200
    assert (await Client(app).get("/s/../.env")).status == 400


LINKS = {
    "env.txt": ".env",
    "configs": ".git",
    "css/inner.txt": ".secret",
    "css/up.txt": "../.env",
    "twice.txt": "env.txt",
    # What an orchestrator mounts: the files of a folder that it replaces as a whole.
    "data": "..2026/data",
    "settings.txt": "data/settings.txt",
}


@pytest.fixture
def linked(dotted):
    (dotted / "..2026" / "data").mkdir(parents=True)
    (dotted / "..2026" / "data" / "settings.txt").write_text("x")
    (dotted / "acme").symlink_to(".well-known/acme")
    for name, target in LINKS.items():
        (dotted / name).symlink_to(target)
    return dotted


@pytest.mark.parametrize(
    "path", [*LINKS, "configs/", "configs/config", "data/settings.txt", "data/", ".env"]
)
@pytest.mark.parametrize("index", ["", "config", "settings.txt"])
async def test_a_link_to_a_dotfile_is_not_served(linked, index, path):
    app = Roll()
    static(app, prefix="/s/", root=linked, default_index=index)
    await app.startup()
    response = await Client(app).get(f"/s/{path}")
    assert (response.status, response.body) == (404, path.encode())


async def test_an_index_that_is_a_link_to_a_dotfile_is_not_served(linked):
    app = Roll()
    static(app, prefix="/s/", root=linked, default_index="env.txt")
    await app.startup()
    assert (await Client(app).get("/s/")).status == 404


async def test_a_hidden_path_is_a_404_wherever_its_link_leads(linked):
    (linked / ".out").symlink_to("/etc/hosts")
    app = Roll()
    static(app, prefix="/s/", root=linked)
    await app.startup()
    assert (await Client(app).get("/s/.out")).status == 404


async def test_option_dotfiles_serves_links_to_dotfiles(linked):
    app = Roll()
    static(app, prefix="/s/", root=linked, dotfiles=True)
    await app.startup()
    for path in ("env.txt", "configs/config", "twice.txt", "settings.txt", "data/settings.txt"):
        assert (await Client(app).get(f"/s/{path}")).body == b"x"


async def test_link_into_well_known_is_served(linked):
    app = Roll()
    static(app, prefix="/s/", root=linked)
    await app.startup()
    assert (await Client(app).get("/s/acme")).body == b"x"


async def test_option_dotfiles_serves_dotfiles(dotted):
    app = Roll()
    static(app, prefix="/s/", root=dotted, dotfiles=True)
    await app.startup()
    for path in (".env", ".git/config", "css/.secret", "..."):
        assert (await Client(app).get(f"/s/{path}")).body == b"x"
