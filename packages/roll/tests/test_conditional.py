"""Conditional responses: `response.etag` and `response.last_modified`; and `response.html`."""

import time
from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roll import HttpError, Response
from roll.conditions import not_modified, precondition_failed
from roll.extensions import static

CHANGED = datetime(2026, 1, 31, 12, 0, 30, 999_999, UTC)
DATE = "Sat, 31 Jan 2026 12:00:30 GMT"
BEFORE = "Sat, 31 Jan 2026 12:00:29 GMT"
AFTER = "Sat, 31 Jan 2026 12:00:31 GMT"


@pytest.fixture
def app(app):
    """An application with a page of one version."""

    @app.route("/", methods=["GET", "POST"])
    async def page(request, response):
        response.etag = "v,1"
        response.last_modified = CHANGED
        response.headers["Vary"] = "Accept"
        response.html = "<p>page"

    @app.route("/weak")
    async def weak(request, response):
        response.etag = 'W/"v,1"'
        response.body = "page"

    return app


@pytest.mark.parametrize(
    ("headers", "status", "weak_status"),
    [
        ({}, 200, 200),
        ({"If-None-Match": '"v,1"'}, 304, 304),
        ({"If-None-Match": 'W/"v,1"'}, 304, 304),
        ({"If-None-Match": '"a", W/"b" ,\t"v,1"'}, 304, 304),
        ({"If-None-Match": "*"}, 304, 304),
        ({"If-None-Match": '"v", "1"'}, 200, 200),
        ({"If-None-Match": '"v", "1", "a,v,1"'}, 200, 200),
        ({"If-None-Match": "v,1"}, 200, 200),
        ({"If-None-Match": '"v,1'}, 200, 200),
        ({"If-None-Match": 'w/"v,1"'}, 200, 200),
        ({"If-None-Match": ""}, 200, 200),
        ({"If-Match": '"v,1"'}, 200, 412),
        ({"If-Match": 'W/"v,1"'}, 412, 412),
        ({"If-Match": '"a", "v,1"'}, 200, 412),
        ({"If-Match": '"a"'}, 412, 412),
        ({"If-Match": "*"}, 200, 200),
        ({"If-Match": ""}, 412, 412),
        ({"If-Match": '"v,1"', "If-None-Match": '"v,1"'}, 304, 412),
        ({"If-Match": '"a"', "If-None-Match": '"v,1"'}, 412, 412),
        ({"If-Modified-Since": DATE}, 304, 200),
        ({"If-Modified-Since": AFTER}, 304, 200),
        ({"If-Modified-Since": BEFORE}, 200, 200),
        ({"If-Modified-Since": "yesterday"}, 200, 200),
        ({"If-Modified-Since": DATE, "If-None-Match": '"a"'}, 200, 200),
        ({"If-Modified-Since": BEFORE, "If-None-Match": '"v,1"'}, 304, 304),
        ({"If-Unmodified-Since": DATE}, 200, 200),
        ({"If-Unmodified-Since": BEFORE}, 412, 200),
        ({"If-Unmodified-Since": BEFORE, "If-Match": '"v,1"'}, 200, 412),
        ({"If-Unmodified-Since": DATE, "If-Modified-Since": DATE}, 304, 200),
    ],
    ids=str,
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_conditions_are_answered(client, method, headers, status, weak_status):
    response = await client.request("/", method, headers=headers)
    assert response.status == status
    assert response.headers["ETag"] == '"v,1"'
    assert response.headers["Last-Modified"] == DATE
    assert response.headers["Vary"] == "Accept"
    sent = client.protocol.transport.data
    assert sent.endswith(b"<p>page") is (method == "GET" and status == 200)
    assert (b"text/html" in sent) is (status == 200)
    assert (await client.request("/weak", method, headers=headers)).status == weak_status


CONDITIONS = [{}, {"If-None-Match": '"v,1"'}, {"If-Match": '"a"'}, {"If-None-Match": "*"}]


@pytest.mark.parametrize("headers", CONDITIONS, ids=str)
async def test_conditions_are_ignored_for_other_methods(client, headers):
    response = await client.post("/", headers=headers)
    assert (response.status, response.body) == (200, b"<p>page")


@pytest.mark.parametrize("headers", CONDITIONS, ids=str)
@pytest.mark.parametrize("code", [201, 301, 404, 500])
async def test_conditions_apply_to_successful_responses_only(app, client, headers, code):
    @app.route("/code")
    async def handler(request, response):
        response.etag = "v,1"
        if code >= 400:
            raise HttpError(code)
        response.status = code

    answers = {"*": 304, '"v,1"': 304, '"a"': 412}
    expected = answers.get(next(iter(headers.values()), ""), code) if code == 201 else code
    assert (await client.get("/code", headers=headers)).status == expected


async def test_tag_set_in_the_headers_enables_no_conditions(app, client):
    @app.route("/by-hand")
    async def handler(request, response):
        response.headers["ETag"] = '"v,1"'

    response = await client.get("/by-hand", headers={"If-None-Match": '"v,1"'})
    assert response.status == 200
    assert response.etag == "v,1"


async def test_a_listener_may_set_the_tag(app, client):
    @app.listen("response")
    def tag(request, response):
        response.etag = str(len(response.body))

    response = await client.get("/", headers={"If-None-Match": '"7"'})
    assert (response.status, response.headers["ETag"]) == (304, '"7"')


@pytest.mark.parametrize("kind", ["generator", "async generator", "file", "events"])
async def test_a_stream_that_is_not_sent_is_closed(app, client, kind, tmp_path):
    (tmp_path / "file").touch()
    closed = []

    class Source:
        def __iter__(self):
            return self

        def __next__(self):
            raise AssertionError

        def close(self):
            closed.append(kind)

    class AsyncSource:
        def __aiter__(self):
            return self

        async def __anext__(self):
            raise AssertionError

        async def aclose(self):
            closed.append(kind)

    @app.route("/stream")
    async def handler(request, response):
        response.etag = "a"
        if kind == "events":
            response.sse = AsyncSource()
        elif kind == "file":
            response.body = (tmp_path / "file").open("rb")
            closed.append(response.body)
        else:
            response.body = Source() if kind == "generator" else AsyncSource()

    response = await client.get("/stream", headers={"If-None-Match": '"a"'})
    assert response.status == 304
    assert closed == [kind] or closed[0].closed


async def test_validators_are_read_and_removed(app):
    response = Response(app, None)
    assert (response.etag, response.last_modified) == (None, None)
    response.headers["etag"], response.headers["LAST-modified"] = '"old"', DATE
    assert (response.etag, response.last_modified) == ("old", CHANGED.replace(microsecond=0))
    response.etag, response.last_modified = "new", CHANGED
    assert response.headers == {"ETag": '"new"', "Last-Modified": DATE}
    response.etag = response.last_modified = None
    assert response.headers == {}


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("abc", '"abc"'),
        ("", '""'),
        ("W/abc", '"W/abc"'),
        ('"abc"', '"abc"'),
        ('W/"abc"', 'W/"abc"'),
        ("a,b!~", '"a,b!~"'),
    ],
)
def test_a_tag_is_sent_in_quotes(text, field):
    response = Response(None, None)
    response.etag = text
    assert response.headers["ETag"] == field
    response.etag = response.etag
    assert response.headers["ETag"] == field


@pytest.mark.parametrize(
    "text", ["a b", 'a"b', '"', 'W/"a', 'W/"a"b"', "é", "a\n", "a\0", "\x7f", 5, b"a", True]
)
def test_invalid_tag_is_refused(text):
    with pytest.raises(ValueError, match="visible ASCII"):
        Response(None, None).etag = text


@pytest.mark.parametrize(
    ("moment", "field"),
    [
        (CHANGED, DATE),
        (CHANGED.replace(tzinfo=None), DATE),
        (CHANGED.astimezone(timezone(timedelta(hours=-5))), DATE),
        (datetime(1969, 12, 31, 23, 59, 59), "Wed, 31 Dec 1969 23:59:59 GMT"),
    ],
    ids=str,
)
def test_a_moment_is_sent_in_utc(moment, field):
    response = Response(None, None)
    response.last_modified = moment
    assert response.headers["Last-Modified"] == field


def test_a_moment_in_the_future_is_sent_as_now():
    response = Response(None, None)
    before = int(time.time())
    response.last_modified = datetime.now(UTC) + timedelta(days=1)
    assert before <= response.last_modified.timestamp() <= time.time()


@pytest.mark.parametrize("hours", [14, 1, 0, -1])
def test_moment_is_refused_if_its_year_in_utc_has_no_date(hours):
    response = Response(None, None)
    moment = datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=hours)))
    if hours > 0:
        with pytest.raises(ValueError, match="is not before the year 1 in UTC: 0001-01-01"):
            response.last_modified = moment
    else:
        response.last_modified = moment
        assert response.last_modified == moment


@pytest.mark.parametrize("moment", [0, 1.5, DATE, CHANGED.date()], ids=str)
def test_last_modified_that_is_not_a_datetime_is_refused(moment):
    with pytest.raises(ValueError, match="datetime"):
        Response(None, None).last_modified = moment


async def test_static_answers_as_any_response_does(app, client, tmp_path):
    (tmp_path / "file").write_text("page")
    static(app, root=tmp_path)
    await app.startup()
    known = await client.get("/static/file")

    @app.route("/same")
    async def same(request, response):
        response.etag, response.last_modified = known.etag, known.last_modified
        response.body = "page"

    changed = known.last_modified
    dates = [format_datetime(changed + timedelta(seconds=n), usegmt=True) for n in (-1, 0, 1)]
    tags = [known.headers["ETag"], f"W/{known.headers['ETag']}", '"a"', "*", "nonsense"]
    fields = [
        {name: value}
        for name in ("If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since")
        for value in (dates if "Since" in name else tags)
    ]
    for headers in [{}, *fields, *({**one, **other} for one in fields for other in fields)]:
        ours, static_s = [
            (await client.get(path, headers=headers)).status for path in ("/same", "/static/file")
        ]
        assert ours == static_s, headers


TAGS = st.text(st.sampled_from('!#az,~/ W"'), max_size=5)


@given(st.lists(st.tuples(st.booleans(), st.text("!#a,/W~", max_size=4))), st.text("!#a,/W~"))
def test_each_tag_of_a_list_is_compared(tags, wanted):
    field = " , ".join(f'{"W/" * weak}"{tag}"' for weak, tag in tags)
    matches = any(tag == wanted for _, tag in tags)
    assert not_modified({"IF-NONE-MATCH": field}, f'"{wanted}"', None) is matches
    strong = any(tag == wanted and not weak for weak, tag in tags)
    assert precondition_failed({"IF-MATCH": field}, f'"{wanted}"', None) is not strong


@given(TAGS)
def test_any_list_of_tags_is_read(field):
    not_modified({"IF-NONE-MATCH": field}, '"a"', None)
    precondition_failed({"IF-MATCH": field}, '"a"', None)


async def test_html_sets_body_and_type(app, client):
    @app.route("/html")
    async def handler(request, response):
        response.headers["content-type"] = "text/plain"
        response.html = "<p>é"
        assert response.html == "<p>é"

    response = await client.get("/html")
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "content-type" not in response.headers
    assert client.protocol.transport.data.endswith("<p>é".encode())


async def test_html_may_be_streamed(app, client):
    @app.route("/html")
    async def handler(request, response):
        response.html = iter(["<p>", "page"])

    assert "text/html" in (await client.get("/html")).headers["Content-Type"]
    assert b"<p>" in client.protocol.transport.data
