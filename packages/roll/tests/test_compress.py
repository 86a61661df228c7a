"""The extension `compress`."""

import asyncio
import sys
import threading
import zlib

import brotli
import pytest
from hypothesis import given
from hypothesis import strategies as st

from roll import HttpError, Roll, ServerSentEvent
from roll.extensions import compress, cors, static
from roll.extensions.compressed import LARGE, CompressedStream, NoStream, compressed
from roll.extensions.encoders import encoders, stream_encoders
from roll.testing import Client

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

ALL = "gzip, deflate, br, zstd"
TEXT = "Some text that gets shorter. " * 100
JSON = [{"number": number, "text": "Some text"} for number in range(200)]


def decoder(coding):
    """A decoder for one body, piece by piece."""
    if coding == "gzip":
        return zlib.decompressobj(31).decompress
    if coding == "zstd":
        return zstd.ZstdDecompressor().decompress
    process = brotli.Decompressor().process

    def decode(data):
        found = part = process(data)
        while part:  # 32 KiB at most
            part = process(b"")
            found += part
        return found

    return decode


def decode(coding, data):
    if coding == "gzip":
        return zlib.decompress(data, 31)
    return brotli.decompress(data) if coding == "br" else zstd.decompress(data)


@pytest.fixture
def app(app):
    """An application that compresses."""
    compress(app)

    @app.route("/text", methods=["GET", "POST"])
    async def text(request, response):
        response.body = TEXT

    @app.route("/tagged")
    async def tagged(request, response):
        response.etag = "v1"
        response.json = JSON

    return app


@pytest.fixture
def ask(app, client):
    """Ask with an `Accept-Encoding`; the bytes that were sent are in `sent`."""

    class Loose(app.Response):
        pass

    app.Response = Loose  # which takes attributes

    async def ask(path, accept_encoding=ALL, method="GET", **headers):
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        if accept_encoding is not None:
            names["Accept-Encoding"] = accept_encoding
        response = await client.request(path, method, headers=names)
        head, _, response.sent = client.protocol.transport.data.partition(b"\r\n\r\n")
        response.head = head.decode("latin-1")
        response.coding = response.headers.get("Content-Encoding")
        return response

    return ask


def chunks(sent):
    """The chunks of a body."""
    while sent != b"0\r\n\r\n":
        size, _, sent = sent.partition(b"\r\n")
        size = int(size, 16)
        yield sent[:size]
        sent = sent[size + 2 :]


@pytest.mark.parametrize(
    ("accept_encoding", "coding"),
    [
        (ALL, "zstd"),
        ("gzip", "gzip"),
        ("br, gzip", "br"),
        ("gzip, br;q=0.9", "gzip"),
        ("*", "zstd"),
        ("zstd;q=0, *;q=0.5", "br"),
    ],
)
async def test_body_is_sent_in_the_coding_that_the_client_prefers(ask, accept_encoding, coding):
    response = await ask("/text", accept_encoding)
    assert response.coding == coding
    assert decode(coding, response.sent) == TEXT.encode()
    assert len(response.sent) < len(TEXT) / 10
    assert f"Content-Length: {len(response.sent)}" in response.head
    assert response.headers["Vary"] == "Accept-Encoding"
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"


@pytest.mark.parametrize("accept_encoding", [None, "", "identity", "deflate", "gzip;q=0", "*;q=0"])
async def test_client_that_accepts_no_coding_gets_the_plain_body(ask, accept_encoding):
    response = await ask("/text", accept_encoding)
    assert (response.coding, response.sent) == (None, TEXT.encode())
    assert response.headers["Vary"] == "Accept-Encoding"


@pytest.mark.parametrize("coding", ["zstd", "br", "gzip"])
async def test_a_head_has_the_fields_of_the_get(ask, coding):
    for path in ("/text", "/tagged"):
        get, head = await ask(path, coding), await ask(path, coding, "HEAD")
        assert head.sent == b""
        assert head.headers == get.headers
        assert f"Content-Length: {len(get.sent)}" in head.head


async def test_other_methods_are_compressed_too(ask):
    response = await ask("/text", method="POST")
    assert decode("zstd", response.sent) == TEXT.encode()


@pytest.mark.parametrize(
    ("size", "min_size", "is_compressed"),
    [(1023, 1024, False), (1024, 1024, True), (99, 100, False), (100, 100, True), (50, 0, True)],
)
async def test_small_bodies_are_not_compressed(size, min_size, is_compressed):
    app = Roll()
    compress(app, min_size=min_size)

    @app.route("/")
    async def handler(request, response):
        response.body = "a" * size

    response = await Client(app).get("/", headers={"Accept-Encoding": "gzip"})
    assert ("Content-Encoding" in response.headers) is is_compressed
    assert ("Vary" in response.headers) is is_compressed


@pytest.mark.parametrize("body", ["", b"", None], ids=repr)
async def test_an_empty_body_stays_empty(body):
    app = Roll()
    compress(app, min_size=0)

    @app.route("/")
    async def handler(request, response):
        response.html = body

    response = await Client(app).get("/", headers={"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in response.headers
    assert response.body == b""


@pytest.mark.parametrize(
    ("content_type", "is_compressed"),
    [
        ("text/html; charset=utf-8", True),
        ("TEXT/CSS", True),
        ("application/json", True),
        ("application/problem+json", True),
        ("image/svg+xml", True),
        ("application/rss+xml", True),
        ("application/wasm", True),
        ("text/javascript", True),
        ("image/png", False),
        ("video/mp4", False),
        ("application/zip", False),
        ("application/octet-stream", False),
        ("font/woff2", False),
        ("text", False),
        ("text/", False),
        ("nonsense text/html", False),
        ("", False),
    ],
)
async def test_types_that_get_smaller_are_compressed(app, ask, content_type, is_compressed):
    @app.route("/typed")
    async def handler(request, response):
        response.headers["content-type"] = content_type
        response.body = TEXT

    response = await ask("/typed")
    assert (response.coding is not None) is is_compressed
    assert ("Vary" in response.headers) is is_compressed


@pytest.mark.parametrize(
    ("types", "content_type", "is_compressed"),
    [
        ("image/png", "image/png", True),
        (["image/*"], "image/png", True),
        (["image/*"], "text/html", False),
        ({"application/*+special"}, "application/a+special", True),
        ({"application/*+special"}, "application/special", False),
        ([], "text/html", False),
    ],
    ids=str,
)
async def test_types_may_be_others(types, content_type, is_compressed):
    app = Roll()
    compress(app, types=types)

    @app.route("/")
    async def handler(request, response):
        response.headers["Content-Type"] = content_type
        response.body = TEXT

    response = await Client(app).get("/", headers={"Accept-Encoding": "gzip"})
    assert ("Content-Encoding" in response.headers) is is_compressed


async def test_a_body_without_a_type_is_of_its_default_type(app, ask):
    @app.route("/bytes")
    async def handler(request, response):
        response.body = TEXT.encode()

    @app.route("/number")
    async def number(request, response):
        response.body = 10**2000

    response = await ask("/bytes")
    assert (response.coding, response.sent) == (None, TEXT.encode())
    response = await ask("/number")
    assert decode(response.coding, response.sent) == str(10**2000).encode()
    assert "Content-Type: text/plain; charset=utf-8" in response.head


EMPTY = {
    "none": lambda response: None,
    "text": lambda response: setattr(response, "body", ""),
    "bytes": lambda response: setattr(response, "body", bytearray()),
    "redirect": lambda response: setattr(response, "redirect", "/x"),
    "error": lambda response: setattr(response, "status", 404),
}


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("fill", EMPTY)
async def test_empty_body_gets_no_type(app, ask, fill, method):
    @app.route("/empty")
    async def handler(request, response):
        EMPTY[fill](response)

    response = await ask("/empty", method=method)
    assert "content-type" not in response.head.lower()
    assert (response.coding, response.sent) == (None, b"")


async def test_an_untyped_body_stays_untyped(app, ask):
    class Untyped(app.Response):
        add_content_type = False

    app.Response = Untyped
    response = await ask("/text")
    assert "Content-Type" not in response.head
    assert response.coding is None


@pytest.mark.parametrize("body", [bytearray, memoryview])
async def test_any_bytes_are_compressed(app, ask, body):
    @app.route("/bytes")
    async def handler(request, response):
        response.html = body(TEXT.encode())

    response = await ask("/bytes", "br")
    assert decode("br", response.sent) == TEXT.encode()


async def test_body_that_would_not_get_shorter_is_not_compressed(app, ask):
    noise = bytes(range(256)) * 2
    content = zlib.compress(noise * 100, 9)[:40] * 1 + b"x"

    @app.route("/noise")
    async def handler(request, response):
        response.etag = "v1"
        response.html = content

    compress(app, min_size=0)
    response = await ask("/noise", "gzip")
    assert (response.coding, response.sent) == (None, content)
    assert response.headers["ETag"] == '"v1"'
    assert response.headers["Vary"] == "Accept-Encoding"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Content-Encoding", "br"),
        ("content-encoding", "identity"),
        ("Content-Range", "bytes 0-2899/5000"),
        ("Content-Digest", "sha-256=:x:"),
        ("Cache-Control", "no-transform"),
        ("cache-control", "max-age=5, No-Transform"),
    ],
)
async def test_response_that_forbids_it_is_not_compressed(app, ask, name, value):
    @app.route("/left")
    async def handler(request, response):
        response.headers[name] = value
        response.html = TEXT

    response = await ask("/left")
    assert response.sent == TEXT.encode()
    assert response.headers[name] == value


@pytest.mark.parametrize("status", [204, 205, 304])
async def test_a_response_without_content_has_no_coding(app, ask, status):
    @app.route("/none")
    async def handler(request, response):
        response.status = status
        response.html = TEXT

    response = await ask("/none")
    assert (response.coding, response.sent) == (None, b"")


async def test_nothing_is_compressed_twice(app, ask):
    compress(app)
    response = await ask("/text", "gzip")
    assert decode("gzip", response.sent) == TEXT.encode()


async def test_errors_are_compressed_too(app, ask):
    @app.route("/error")
    async def handler(request, response):
        raise HttpError(400, TEXT)

    for path, status, text in (("/error", 400, TEXT), (f"/{'x' * 2000}", 404, f"/{'x' * 2000}")):
        response = await ask(path, "gzip")
        assert response.status == status
        assert decode("gzip", response.sent) == text.encode()


async def test_listeners_see_the_body_before_compression(app, ask):
    seen = []

    @app.listen("response")
    def look(request, response):
        seen.append(response.body)
        response.body += "!"

    response = await ask("/text", "gzip")
    assert seen == [TEXT]
    assert decode("gzip", response.sent) == f"{TEXT}!".encode()


async def test_a_listener_that_answers_is_compressed(app, ask):
    @app.listen("headers")
    def answer(request, response):
        response.body = TEXT
        return True

    assert decode("gzip", (await ask("/nowhere", "gzip")).sent) == TEXT.encode()


async def test_other_fields_of_vary_are_kept(app, ask):
    cors(app, ["https://a.org", "https://b.org"])
    response = await ask("/text", "gzip", Origin="https://a.org")
    assert response.headers["Vary"] == "Origin, Accept-Encoding"


async def test_invalid_body_is_a_500_with_compression_too(app, ask, caplog):
    @app.route("/mistake")
    async def handler(request, response):
        response.body = {"a": 1}

    response = await ask("/mistake")
    assert response.status == 500
    assert "set `response.json` instead" in caplog.text


@pytest.mark.parametrize("length", [0, 999, 4999, 5001, 100_000])
@pytest.mark.parametrize("coding", ["gzip", "identity"])
@pytest.mark.parametrize("kind", ["bytes", "text", "stream"])
async def test_wrong_content_length_is_never_a_whole_response(liveclient, kind, length, coding):
    """Before, a compressed response looked whole: an upstream that was cut was kept by caches."""

    async def pieces():
        for _ in range(5):
            yield b"x" * 1000

    @liveclient.app.route("/")
    async def handler(request, response):
        response.headers |= {"Content-Length": length, "Content-Type": "text/plain"}
        response.body = {"bytes": b"x" * 5000, "text": "x" * 5000, "stream": pieces()}[kind]

    compress(liveclient.app)
    if kind == "stream" and length:
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await liveclient.get("/", headers={"Accept-Encoding": coding})
    else:
        response = await liveclient.get("/", headers={"Accept-Encoding": coding})
        assert response.status == 500 or not response.body


async def test_large_bodies_go_to_a_thread(monkeypatch):
    threads = []

    class Spy:
        def encode(self, data):
            threads.append(threading.current_thread() is threading.main_thread())
            return b""

        flush = end = lambda self: b"x"

    async def source():
        yield b"a" * (LARGE - 1)
        yield b"a" * LARGE

    await compressed(b"a" * (LARGE - 1), Spy())
    await compressed(b"a" * LARGE, Spy())
    assert [chunk async for chunk in CompressedStream(source(), Spy())] == [b"x"] * 3
    assert threads == [True, False] * 2


# Tags and conditions.


@pytest.mark.parametrize("coding", ["zstd", "br", "gzip"])
async def test_the_tag_of_a_compressed_response_is_weak(ask, coding):
    response = await ask("/tagged", coding)
    assert response.headers["ETag"] == 'W/"v1"'
    plain = await ask("/tagged", None)
    assert plain.headers["ETag"] == '"v1"'


async def test_weak_tag_is_kept(app, ask):
    @app.route("/weak")
    async def handler(request, response):
        response.headers["etag"] = 'W/"v1"'
        response.html = TEXT

    assert (await ask("/weak", "gzip")).headers["etag"] == 'W/"v1"'


@pytest.mark.parametrize("tag", ['"v1"', 'W/"v1"'])
async def test_a_304_confirms_the_tag_that_the_client_has(ask, tag):
    response = await ask("/tagged", "gzip", If_None_Match=f'"v0", {tag}')
    assert (response.status, response.headers["ETag"]) == (304, tag)
    assert response.headers["Vary"] == "Accept-Encoding"
    assert "Content-Encoding" not in response.headers


async def test_a_304_without_a_tag_is_let_through(app, ask):
    @app.route("/304")
    async def handler(request, response):
        response.status = 304

    assert (await ask("/304", "gzip", If_None_Match='W/"None"')).headers == {
        "Vary": "Accept-Encoding"
    }


# Streams.


@pytest.mark.parametrize(
    ("accept_encoding", "coding"),
    [(ALL, "gzip"), ("zstd", "zstd"), ("br", "br"), ("br;q=1, gzip;q=0.9", "br")],
)
async def test_each_item_of_a_stream_can_be_read_at_once(app, ask, accept_encoding, coding):
    items = ["first", b"", "second ", 3, "x" * 100_000]

    @app.route("/stream")
    async def handler(request, response):
        response.html = iter(items)
        response.etag = "v1"

    response = await ask("/stream", accept_encoding)
    assert response.coding == coding
    assert response.headers["ETag"] == 'W/"v1"'
    decompress = decoder(coding)
    found = [decompress(chunk) for chunk in chunks(response.sent)]
    assert [text.decode() for text in found if text] == ["first", "second ", "3", "x" * 100_000]


@pytest.mark.parametrize("coding", ["gzip", "zstd", "br"])
async def test_each_event_can_be_read_at_once(app, ask, coding):
    @app.route("/events")
    async def handler(request, response):
        response.sse = iter([ServerSentEvent({"n": 1}, id=1), "two"])

    response = await ask("/events", coding)
    assert response.headers["Content-Type"] == "text/event-stream"
    decompress = decoder(coding)
    found = [decompress(chunk) for chunk in chunks(response.sent)]
    assert list(filter(None, found)) == [b'id: 1\ndata: {"n":1}\n\n', b"data: two\n\n"]


async def test_the_length_of_a_stream_is_not_that_of_what_is_sent(app, ask):
    @app.route("/stream")
    async def handler(request, response):
        response.headers["content-length"] = len(TEXT)
        response.html = iter([TEXT])

    response = await ask("/stream", "gzip")
    assert "Content-Length" not in response.head
    assert zlib.decompress(b"".join(chunks(response.sent)), 31) == TEXT.encode()
    head = await ask("/stream", "gzip", "HEAD")
    assert "Content-Length" not in head.head
    assert head.coding == "gzip"


async def test_short_stream_of_known_length_is_not_compressed(app, ask):
    @app.route("/stream")
    async def handler(request, response):
        response.headers["Content-Length"] = 4
        response.html = iter(["text"])

    assert (await ask("/stream")).sent == b"text"


@pytest.mark.parametrize("started", [True, False])
async def test_the_end_of_a_stream_closes_its_source(started):
    closed = []

    class Source:
        def __aiter__(self):
            return self

        async def __anext__(self):
            return "a"

        async def aclose(self):
            closed.append(True)

    stream = CompressedStream(Source(), encoders()["gzip"]())
    if started:
        await anext(stream)
    await stream.aclose()
    assert closed == [True]


async def test_a_failing_stream_is_never_ended_as_if_whole(app, liveclient):
    @app.route("/stream")
    async def handler(request, response):
        async def source():
            yield TEXT
            raise ValueError

        response.html = source()

    with pytest.raises((ConnectionError, asyncio.IncompleteReadError, EOFError)):
        await liveclient.query("GET", "/stream", {"Accept-Encoding": "gzip"})


# Files.


@pytest.fixture
async def files(app, tmp_path):
    """Files of each kind, that `static` serves."""
    (tmp_path / "large.txt").write_text(TEXT * 500)
    (tmp_path / "small.txt").write_text(TEXT)
    (tmp_path / "tiny.txt").write_text("tiny")
    (tmp_path / "image.png").write_bytes(TEXT.encode())
    static(app, root=tmp_path)
    await app.startup()


@pytest.mark.parametrize("coding", ["zstd", "br", "gzip"])
async def test_files_are_compressed(files, ask, coding):
    response = await ask("/static/small.txt", coding)
    assert decode(coding, response.sent) == TEXT.encode()
    assert response.headers["ETag"].startswith('W/"')
    assert "Accept-Ranges" not in response.headers
    large = await ask("/static/large.txt", coding)
    assert decode(coding, b"".join(chunks(large.sent))) == (TEXT * 500).encode()
    for name, content in (("tiny.txt", b"tiny"), ("image.png", TEXT.encode())):
        response = await ask(f"/static/{name}", coding)
        assert (response.coding, response.sent) == (None, content)
        assert response.headers["Accept-Ranges"] == "bytes"


async def test_range_of_a_file_is_not_compressed(files, ask):
    response = await ask("/static/small.txt", Range="bytes=0-1999")
    assert (response.status, response.coding) == (206, None)
    assert response.sent == TEXT[:2000].encode()
    assert response.headers["ETag"].startswith('"')
    assert response.headers["Vary"] == "Accept-Encoding"  # as that of the whole (RFC 9110 15.3.7)
    tag = (await ask("/static/small.txt")).headers["ETag"]
    response = await ask("/static/small.txt", "gzip", Range="bytes=0-1999", If_Range=tag)
    assert decode("gzip", response.sent) == TEXT.encode()  # a weak tag allows no part
    response = await ask("/static/small.txt", Range="bytes=9999-")
    assert (response.status, response.coding) == (416, None)


@pytest.mark.parametrize("name", ["small.txt", "large.txt"])
async def test_head_of_a_file_has_the_coding_and_no_length(files, ask, name):
    get, head = await ask(f"/static/{name}"), await ask(f"/static/{name}", method="HEAD")
    for field in ("Content-Encoding", "ETag", "Vary", "Content-Type"):
        assert head.headers[field] == get.headers[field]
    assert head.sent == b""
    assert "Content-Length" not in head.head
    tiny = await ask("/static/tiny.txt", method="HEAD")
    assert tiny.headers["Content-Length"] == 4


async def test_a_file_is_confirmed_by_its_weak_tag(files, ask):
    tag = (await ask("/static/small.txt")).headers["ETag"]
    response = await ask("/static/small.txt", If_None_Match=tag)
    assert (response.status, response.headers["ETag"]) == (304, tag)


async def test_a_compressed_sibling_is_not_compressed_again(app, ask, tmp_path):
    (tmp_path / "a.txt").write_text(TEXT)
    (tmp_path / "a.txt.gz").write_text(TEXT)
    static(app, "/pre", tmp_path, precompressed=True, name="pre")
    await app.startup()
    response = await ask("/pre/a.txt")
    assert (response.coding, response.sent) == ("gzip", TEXT.encode())


async def test_what_is_not_known_is_an_empty_body():
    assert [chunk async for chunk in NoStream()] == []
    stream = CompressedStream(NoStream(), encoders()["gzip"]())
    assert decode("gzip", b"".join([chunk async for chunk in stream])) == b""
    with pytest.raises(StopAsyncIteration):
        await anext(stream)


# What is installed, and options.


@pytest.mark.parametrize("missing", [{"brotli"}, {"backports.zstd", "compression.zstd"}])
def test_coding_that_is_not_installed_is_not_offered(monkeypatch, missing):
    for name in missing:
        monkeypatch.setitem(sys.modules, name, None)
    expected = {"zstd", "br", "gzip"} - ({"br"} if "brotli" in missing else {"zstd"})
    assert {*encoders()} == {*stream_encoders()} == expected


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"min_size": -1}, "min_size"),
        ({"min_size": "1k"}, "min_size"),
        ({"min_size": True}, "min_size"),
        ({"types": ["text"]}, "types"),
        ({"types": ["*/*"]}, "types"),
        ({"types": ["text/*/*"]}, "types"),
        ({"types": "text/html, text/css"}, "types"),
        ({"types": [5]}, "types"),
        ({"types": "*"}, "types"),
        *(({"types": types}, "`types` is a list") for types in (5, None, True, {}, print, b"a/b")),
        ({"types": iter(["text/html"])}, "`types` is a list"),
    ],
    ids=str,
)
def test_an_option_of_another_kind_is_refused(options, told):
    with pytest.raises(ValueError, match=told):
        compress(Roll(), **options)


@given(
    st.lists(st.binary(max_size=300)),
    st.sampled_from(["zstd", "br", "gzip"]),
    st.integers(0, 3000),
)
def test_decoded_body_equals_the_original(pieces, coding, repeats):
    whole = b"".join(pieces) + b"pad" * repeats
    make = encoders()[coding]

    async def source():
        for piece in (*pieces, b"pad" * repeats):
            yield piece

    async def both():
        stream = [chunk async for chunk in CompressedStream(source(), make())]
        return b"".join(stream), await compressed(whole, make())

    for sent in asyncio.run(both()):
        assert decode(coding, sent) == whole
