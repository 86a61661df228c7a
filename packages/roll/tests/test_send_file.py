"""Files as responses: `response.send_file` and `response.file`."""

import asyncio
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from roll import HttpError, Response
from roll.files import WHOLE
from roll.sent_file import SentFile

LARGE = bytes(range(256)) * (WHOLE // 256) + b"the rest"


@pytest.fixture
def root(tmp_path):
    """A folder of files, next to a file that must not be served."""
    root = tmp_path / "root"
    (root / "sub").mkdir(parents=True)
    (root / "page.html").write_text("<p>page")
    (root / "sub" / "a b é.txt").write_text("inside")
    (root / "large.bin").write_bytes(LARGE)
    (root / ".env").write_text("secret")
    (root / "empty").touch()
    (root / "in").symlink_to(root / "page.html")
    (root / "out").symlink_to(tmp_path / "secret")
    (root / "up").symlink_to(tmp_path)
    (root / "circle").symlink_to(root / "circle")
    os.mkfifo(root / "fifo")
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "rootless").mkdir()
    (tmp_path / "rootless" / "secret").write_text("secret")
    return root


@pytest.fixture
def send(app, client):
    """Ask for a file with the arguments given."""

    async def send(*args, method="GET", headers=None, prepare=None, **kwargs):
        path = f"/{len(list(app.routes))}"

        @app.route(path, methods=["GET", "POST"])
        async def handler(request, response):
            if prepare is not None:
                prepare(response)
            response.send_file(*args, **kwargs)

        response = await client.request(path, method, headers=headers or {})
        response.sent = client.protocol.transport.data.partition(b"\r\n\r\n")[2]
        return response

    class Loose(Response):
        pass

    app.Response = Loose  # which takes attributes
    return send


async def test_a_file_is_shown_in_place(send, root):
    response = await send(root / "page.html")
    assert (response.status, response.sent) == (200, b"<p>page")
    assert response.headers["Content-Type"] == "text/html"
    assert response.headers["Accept-Ranges"] == "bytes"
    assert {"ETag", "Last-Modified"} <= response.headers.keys()
    assert "Content-Disposition" not in response.headers


async def test_a_path_is_text_or_a_path(app, client, root, monkeypatch):
    monkeypatch.chdir(root)

    @app.route("/")
    async def handler(request, response):
        response.file = "sub/a b é.txt"
        assert response.file == "sub/a b é.txt"
        response.body = b"changed my mind"
        assert response.file is None
        response.file = "sub/a b é.txt"

    await client.get("/")
    assert client.protocol.transport.data.endswith(b"\r\n\r\ninside")


async def test_a_filename_makes_a_download(send, root):
    response = await send(root / "page.html", "Name für den Download.pdf")
    disposition = response.headers["Content-Disposition"]
    assert disposition.startswith('attachment; filename="Name fur den Download.pdf"; filename*=')
    assert response.headers["Content-Type"] == "text/html"


async def test_large_file_arrives_unchanged(send, root):
    response = (
        await send(root / "large.bin", root=root) if False else await send(root / "large.bin")
    )
    assert response.sent == LARGE
    assert response.headers["Content-Length"] == len(LARGE)


@pytest.mark.parametrize("name", ["large.bin", "page.html", "empty"])
async def test_a_head_has_the_length_and_no_body(send, root, name):
    response = await send(root / name, method="HEAD")
    assert response.headers["Content-Length"] == (root / name).stat().st_size
    assert response.sent == b""


async def test_ranges_and_conditions_are_answered(send, root):
    path = root / "large.bin"
    whole = await send(path)
    tag = whole.headers["ETag"]
    part = await send(path, headers={"Range": "bytes=1-3"})
    assert (part.status, part.sent) == (206, LARGE[1:4])
    assert part.headers["Content-Range"] == f"bytes 1-3/{len(LARGE)}"
    rest = await send(path, headers={"Range": f"bytes={WHOLE}-", "If-Range": tag})
    assert (rest.status, rest.sent) == (206, b"the rest")
    other = await send(path, headers={"Range": "bytes=1-3", "If-Range": '"other"'})
    assert (other.status, other.sent) == (200, LARGE)
    far = await send(path, headers={"Range": "bytes=999999999-"})
    assert (far.status, far.sent) == (416, b"")
    assert (await send(path, headers={"If-None-Match": tag})).status == 304
    assert (await send(path, headers={"If-Match": '"other"'})).status == 412


async def test_conditions_are_ignored_for_other_methods(send, root):
    headers = {"If-Match": '"other"', "Range": "bytes=1-3"}
    response = await send(root / "page.html", method="POST", headers=headers)
    assert (response.status, response.sent) == (200, b"<p>page")


@pytest.mark.parametrize(
    "name",
    [
        "nowhere",
        "sub",
        "fifo",
        "circle",
        "\0",
        "x" * 300,
        "\ud800",
        "page.html/",
        ".",
        "",
        "out/x",
    ],
    ids=ascii,
)
async def test_path_that_is_not_a_file_is_a_404_that_hides_the_path(send, root, name):
    response = await send(f"{root}/{name}")
    assert response.status == 404
    assert str(root).encode() not in response.sent


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
async def test_unreadable_file_is_a_404(send, root):
    (root / "page.html").chmod(0)
    assert (await send(root / "page.html")).status == 404


@pytest.mark.parametrize("path", ["/dev/zero", "/dev/null", "/proc/self/fd", "/"])
async def test_device_is_a_404(send, path):
    assert (await send(path)).status == 404


async def test_missing_file_is_answered_before_the_response_event(app, send, root):
    seen = []

    @app.listen("error")
    def on_error(request, response, error):
        seen.append(("error", error.status))

    @app.listen("response")
    def on_response(request, response):
        seen.append(("response", response.status, type(response.body)))

    await send(root / "nowhere", "Name.pdf")
    await send(root / "page.html")
    assert seen == [("error", 404), ("response", 404, str), ("response", 200, bytes)]


async def test_a_missing_file_says_nothing_of_the_download(send, root):
    response = await send(root / "nowhere", "Name.pdf")
    assert not {"Content-Disposition", "ETag", "Accept-Ranges"} & response.headers.keys()


# Below a root.


@pytest.mark.parametrize("name", ["page.html", "in", "sub/a b é.txt", "large.bin", "empty"])
async def test_a_name_is_looked_up_below_the_root(send, root, name):
    response = await send(name, root=root)
    assert (response.status, response.sent) == (200, (root / name).read_bytes())


@pytest.mark.parametrize("kind", [str, Path, os.path.relpath])
async def test_a_root_is_text_or_a_path(send, root, kind):
    assert (await send("page.html", root=kind(root))).sent == b"<p>page"


async def test_a_path_that_was_joined_with_the_root_is_below_it(send, root):
    assert (await send(root / "page.html", root=root)).sent == b"<p>page"


@pytest.mark.parametrize(
    "name",
    [
        "..",
        "../secret",
        "../rootless/secret",
        "sub/../../secret",
        "sub/../page.html",
        "./page.html",
        "sub//a b é.txt",
        "/etc/passwd",
        "//etc/passwd",
        "out",
        "up/secret",
        "..\\secret",
        "..\\..\\secret",
        "\\etc\\passwd",
        "C:\\windows\\win.ini",
        "C:secret",
        "file:///etc/passwd",
        "\0",
        "page.html\0",
        "../secret\0",
        "nowhere",
        "sub",
        "sub/",
        "page.html/",
        "",
        ".",
        "/",
        "fifo",
        "circle",
        ".env",
        "sub/../.env",
        "\ud800",
        "x" * 300,
        "x/" * 3000,
        "%2e%2e/secret",
        "..%2fsecret",
        "~/.ssh/id_rsa",
    ],
    ids=lambda name: ascii(name[:20]),
)
async def test_the_root_cannot_be_left(send, root, name):
    same = os.fspath(Path(name)) == name  # a `Path` drops some dots and slashes
    for path in [name, *[Path(name)] * same]:
        response = await send(path, root=root)
        assert response.status in {400, 404}
        assert b"secret" not in response.sent.replace(b"/secret", b"")


@pytest.mark.parametrize("outside", ["/etc/passwd", "secret", "rootless/secret", "root"])
async def test_absolute_path_as_text_is_always_refused(send, root, tmp_path, outside):
    for path in (str(tmp_path / outside), tmp_path / outside, f"{root}/page.html"):
        assert (await send(path, root=root)).status in {400, 404}


async def test_a_missing_root_is_a_404(send, root):
    assert (await send("page.html", root=root / "nowhere")).status == 404


# What the handler says.


async def test_fields_that_the_handler_sets_are_kept(send, root):
    moment = datetime(2026, 1, 31, tzinfo=UTC)

    def prepare(response):
        response.headers["content-type"] = "text/x-special"
        response.etag = "mine"
        response.last_modified = moment

    response = await send(root / "page.html", prepare=prepare)
    assert (response.etag, response.last_modified) == ("mine", moment)
    sent = {name.lower(): value for name, value in response.headers.items()}
    assert sent["content-type"] == "text/x-special"
    for headers, status in [
        ({"If-None-Match": '"mine"'}, 304),
        ({"If-None-Match": '"other"'}, 200),
        ({"If-Match": '"other"'}, 412),
        ({"If-Modified-Since": "Sat, 31 Jan 2026 00:00:00 GMT"}, 304),
        ({"Range": "bytes=0-0", "If-Range": '"mine"'}, 206),
        ({"Range": "bytes=0-0", "If-Range": '"other"'}, 200),
    ]:
        response = await send(root / "page.html", prepare=prepare, headers=headers)
        assert response.status == status, headers


async def test_a_weak_tag_allows_no_ranges(send, root):
    def prepare(response):
        response.etag = 'W/"mine"'

    headers = {"Range": "bytes=0-0", "If-Range": 'W/"mine"'}
    response = await send(root / "page.html", prepare=prepare, headers=headers)
    assert (response.status, response.sent) == (200, b"<p>page")


async def test_a_status_is_kept_and_the_whole_file_is_sent(send, root):
    def prepare(response):
        response.status = 503

    headers = {"If-None-Match": "*", "Range": "bytes=0-0"}
    response = await send(root / "page.html", prepare=prepare, headers=headers)
    assert (response.status, response.sent) == (503, b"<p>page")


@pytest.mark.parametrize("there", [True, False])
async def test_the_page_of_an_error_may_be_a_file(app, client, root, there):
    calls = []

    @app.listen("error")
    def on_error(request, response, error):
        calls.append(error.status)
        response.file = root / ("page.html" if there else "nowhere")

    @app.route("/")
    async def handler(request, response):
        raise HttpError(403)

    response = await client.get("/")
    if there:
        assert (response.status, calls) == (403, [403])
        assert client.protocol.transport.data.endswith(b"<p>page")
    else:
        assert (response.status, calls) == (404, [403, 404])
        assert client.protocol.transport.data.endswith(b"Not Found")


async def test_a_listener_may_send_a_file(app, client, root):
    @app.listen("response")
    def replace(request, response):
        response.file = root / "page.html"

    @app.route("/")
    async def handler(request, response): ...

    await client.get("/")
    assert client.protocol.transport.data.endswith(b"<p>page")


async def test_disk_error_is_a_500(send, root, monkeypatch, caplog):
    def fail(*args):
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(os, "open", fail)
    assert (await send(root / "page.html")).status == 500
    assert "Too many open files" in caplog.text


async def test_a_cancelled_handler_opens_no_file(app, client, root, monkeypatch):
    began = asyncio.Event()

    async def wait(*args):
        began.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(SentFile, "answer", wait)

    @app.route("/")
    async def handler(request, response):
        response.file = root / "page.html"

    task = asyncio.ensure_future(client.get("/"))
    await began.wait()
    client.protocol.connection_lost(None)
    client.protocol.cancel()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.parametrize(
    ("args", "told"),
    [
        ((None,), "path of a file"),
        ((b"bytes",), "path of a file"),
        ((5,), "path of a file"),
        (("a", b"name"), "filename"),
        (("a", 5), "filename"),
        (("a", None, 5), "root"),
        (("a", None, b"root"), "root"),
    ],
    ids=str,
)
def test_value_that_is_not_a_path_is_refused_at_once(args, told):
    with pytest.raises(ValueError, match=told):
        Response(None, None).send_file(*args)


async def test_file_of_a_response_created_by_hand_is_not_opened(root):
    response = Response(None, None)
    response.file = root / "page.html"
    assert response.file == root / "page.html"


async def test_no_file_stays_open(send, root):
    def count():
        return len(os.listdir("/proc/self/fd"))

    await send(root / "page.html")
    before = count()
    for headers in ({}, {"If-None-Match": "*"}, {"Range": "bytes=0-0"}, {"If-Match": '"x"'}):
        for name in ("page.html", "large.bin", "nowhere", "fifo", "sub"):
            await send(root / name, headers=headers)
            await send(root / name, headers=headers, method="HEAD")
    assert count() == before
