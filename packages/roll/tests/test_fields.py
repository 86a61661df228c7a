"""Fields of responses are read as they are sent: every spelling, lists, and None."""

import pytest

from roll import Roll, extensions
from roll.testing import Client

GZIP = {"Accept-Encoding": "gzip"}

# What a handler may set, and what is then on the wire.
SPELT = [
    ({}, []),
    ({"Vary": "Cookie"}, ["Cookie"]),
    ({"vary": "Cookie"}, ["Cookie"]),
    ({"Vary": ["Cookie", "Origin"]}, ["Cookie", "Origin"]),
    ({"vary": ("Cookie", None, "Origin")}, ["Cookie", "Origin"]),
    ({"Vary": []}, []),
    ({"Vary": None}, []),
    ({"Vary": "Cookie", "vary": "Origin"}, ["Origin"]),
    ({"vary": "Cookie", "VARY": ["Origin"]}, ["Origin"]),
]


def make(headers, body="a" * 2000, status=200):
    app = Roll()

    @app.route("/")
    async def view(request, response):
        response.status = status
        response.headers |= headers
        response.body = body

    return app


async def fields_of(app, headers=None):
    client = Client(app)
    await client.get("/", headers=headers or {})
    head = client.protocol.transport.data.partition(b"\r\n\r\n")[0].decode()
    return [line.partition(": ")[::2] for line in head.split("\r\n")[1:]]


def members(fields, name):
    values = [value for known, value in fields if known.lower() == name]
    return [each.strip() for value in values for each in value.split(",") if each.strip()]


@pytest.mark.parametrize(("headers", "known"), SPELT)
async def test_compress_adds_to_vary_however_it_was_set(headers, known):
    app = make(headers)
    extensions.compress(app)
    fields = await fields_of(app, GZIP)
    assert members(fields, "vary") == [*known, "Accept-Encoding"]
    assert ("Content-Encoding", "gzip") in fields


@pytest.mark.parametrize(("headers", "known"), SPELT)
async def test_cors_adds_to_vary_however_it_was_set(headers, known):
    app = make(headers)
    extensions.cors(app, origin=["https://a.example", "https://b.example"])
    fields = await fields_of(app, {"Origin": "https://a.example"})
    assert members(fields, "vary") == list(dict.fromkeys([*known, "Origin"]))


@pytest.mark.parametrize(("headers", "known"), SPELT)
async def test_sessions_add_to_vary_however_it_was_set(headers, known):
    app = make(headers)
    extensions.sessions(app, secret="EUcnL5WW2nCDq_4DUyNhBXcmXU1shnXd")

    @app.listen("request")
    async def log_in(request, response):
        request.session["user"] = "ada"

    fields = await fields_of(app)
    assert sorted(members(fields, "vary")) == sorted({*known, "Cookie"})


@pytest.mark.parametrize(
    "headers",
    [
        {"Cache-Control": ["public", "no-transform"]},
        {"cache-control": ("No-Transform",)},
        {"Content-Encoding": ["x"]},
        {"Content-Type": ["image/png"]},
        {"Content-MD5": "x"},
        {"Repr-Digest": "sha-256=:x:"},
        {"Digest": "sha-256=x"},
    ],
)
async def test_compress_is_forbidden_by_a_list_of_fields_too(headers):
    app = make(headers)
    extensions.compress(app)
    assert members(await fields_of(app, GZIP), "content-encoding") in ([], ["x"])


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": ["text/plain"]},
        {"Content-Type": None},
        {"Content-Encoding": None},
        {"Cache-Control": None},
        {"ETag": ['"v1"']},
    ],
)
async def test_compress_works_where_a_field_is_a_list_or_none(headers):
    app = make(headers)
    extensions.compress(app)
    fields = await fields_of(app, GZIP)
    assert members(fields, "content-encoding") == ["gzip"]
    assert members(fields, "etag") in ([], ['W/"v1"'])


async def test_a_partial_response_is_never_compressed():
    app = make({"Content-Type": "text/plain"}, status=206)
    extensions.compress(app)
    assert members(await fields_of(app, GZIP), "content-encoding") == []


async def test_text_of_a_response_is_decoded_by_the_type_that_is_sent():
    app = make(
        {"Content-Type": "text/plain", "content-type": ["text/plain; charset=latin-1"]}, b"\xe9"
    )
    response = await Client(app).get("/")
    assert response.text == "é"


async def test_an_access_log_has_the_field_that_was_sent(tmp_path):
    path = tmp_path / "log"
    app = make({"X-Kind": "no", "x-kind": ["a", "b"]})
    extensions.access_log(app, path, format="%({X-Kind}o)s")
    async with Client(app) as client:
        await client.get("/")
    assert path.read_text() == "a, b\n"
