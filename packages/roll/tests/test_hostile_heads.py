"""No head causes a 500, whatever its fields and its path are."""

import asyncio
import os
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from roll import Roll
from roll.extensions import content_negociation, cors, logger, options, static
from roll.testing import Client

NAMES = [
    "Accept",
    "Content-Type",
    "Host",
    "If-Match",
    "If-Modified-Since",
    "If-None-Match",
    "If-Range",
    "If-Unmodified-Since",
    "Origin",
    "Range",
    "Referer",
    "X-Mine",
]

# What a field is made of, and what looks like it.
PIECES = [
    *",;=/*\"'-+:. \t%\\()[]{}<>?&_",
    *["bytes", "byte\u017f", "q", "W/", "GMT", "UTC", "Mon", "Monday", "Jan", "Feb", "00", "01"],
    *["31", "60", "99", "1994", "0000", "9" * 20, "9" * 5001, "0" * 5001, "1e9", "nan", "inf"],
    *["text", "html", "*/*", "multipart/form-data", "boundary", "null", "https://a.org"],
    *[
        "\u0661",
        "\u00b2",
        "\uff11",
        "\u2003",
        "\u00a0",
        "\u0085",
        "\u212a",
        "\u0130",
        "\U0001d7cf",
    ],
]
VALUES = st.lists(st.sampled_from(PIECES), max_size=12).map("".join)
SEGMENTS = ["", ".", "..", "css", "style.css", "index.html", "link", "fifo", "x" * 300, "\x00"]
PATHS = st.lists(st.sampled_from([*SEGMENTS, *PIECES]), max_size=8).map("/".join)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder that has one of each kind of file."""
    folder = tmp_path_factory.mktemp("static")
    (folder / "css").mkdir()
    (folder / "css" / "style.css").write_text("body {}")
    (folder / "index.html").write_text("<p>index")
    (folder / "link").symlink_to("/etc/passwd")
    os.mkfifo(folder / "fifo")
    return folder


@pytest.fixture(scope="module")
def ask(folder):
    """Send a request to an application that has all extensions, and give the answer."""
    app = Roll(strict_slashes=False)
    cors(app, origin=lambda origin: origin == "https://a.org", credentials=True)
    logger(app, access_format="%(peer)s %(url)s %(bytes)d")
    options(app)
    content_negociation(app)
    static(app, root=folder, default_index="index.html")

    @app.route("/form", methods=["GET", "POST"], accepts=["text/html", "text/plain"])
    def form(request, response):
        response.json = [request.form, request.host, request.origin, request.referrer]

    with asyncio.Runner() as runner:
        client = Client(app)
        runner.run(app.startup())

        def ask(path, method, headers):
            return runner.run(client.request(path, method, b"a=1", headers))

        yield ask
        runner.run(app.shutdown())


@settings(max_examples=300, deadline=None)
@given(
    headers=st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=5),
    method=st.sampled_from(["GET", "HEAD", "POST", "OPTIONS"]),
    path=st.sampled_from(["/form", "/form/", "/nowhere"]),
)
def test_no_field_is_a_500(ask, headers, method, path):
    assert ask(path, method, headers).status < 500


@settings(max_examples=300, deadline=None)
@given(
    headers=st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=5),
    method=st.sampled_from(["GET", "HEAD"]),
)
def test_no_field_of_a_request_for_a_file_is_a_500(ask, headers, method):
    response = ask("/static/css/style.css", method, headers)
    assert response.status < 500
    assert response.status in {200, 206, 304, 400, 412, 416, 431}


@settings(max_examples=500, deadline=None)
@given(path=PATHS)
def test_no_path_of_a_file_is_a_500_or_leads_outside(ask, path):
    response = ask(f"/static/{quote(path, '/')}", "GET", {})
    assert response.status in {200, 400, 404, 414}
    assert b"root:" not in response.body
