"""The extension `cors`."""

import pytest

from roll import HTTP_METHODS, HttpError
from roll.extensions import cors, options


@pytest.fixture
def headers(app, client):
    """Register two pages, and give the headers of one of them."""

    @app.route("/")
    def page(request, response):
        """Say nothing."""

    @app.route("/vary")
    def vary(request, response):
        response.headers["vary"] = "Accept"

    @app.route("/error")
    def error(request, response):
        raise HttpError(400)

    async def headers(path="/", origin=None, method="GET"):
        sent = {"Origin": origin} if origin else {}
        found = (await client.request(path, method, headers=sent)).headers
        return {name: value for name, value in found.items() if name != "Content-Length"}

    return headers


async def test_any_origin_is_the_default(app, headers):
    cors(app)
    assert await headers() == {"Access-Control-Allow-Origin": "*"}


@pytest.mark.parametrize("path", ["/error", "/nowhere"])
async def test_errors_have_the_headers_too(app, headers, path):
    cors(app, "https://example.org")
    assert (await headers(path))["Access-Control-Allow-Origin"] == "https://example.org"


async def test_all_options_together_set_their_headers(app, headers):
    cors(app, "https://a.org", ["GET", "POST"], ("X-A", "X-B"), credentials=True)
    assert await headers() == {
        "Access-Control-Allow-Origin": "https://a.org",
        "Access-Control-Allow-Methods": "GET,POST",
        "Access-Control-Allow-Headers": "X-A,X-B",
        "Access-Control-Allow-Credentials": "true",
    }


async def test_star_means_all_methods_and_text_is_sent_unchanged(app, headers):
    cors(app, methods="*", headers="X-A, X-B")
    found = await headers()
    assert found["Access-Control-Allow-Methods"] == ",".join(HTTP_METHODS)
    assert found["Access-Control-Allow-Headers"] == "X-A, X-B"


ALL = ",".join(HTTP_METHODS)


@pytest.mark.parametrize(
    ("methods", "sent"),
    [
        *((methods, ALL) for methods in ("*", " *", "*,", "GET,*", "GET,\t*\t,PUT", "*,*")),
        *((methods, ALL) for methods in (["*"], ["GET", "*"], ("*", "put"), {"*"})),
        ("PURGE, *", f"{ALL},PURGE"),
    ],
    ids=str,
)
@pytest.mark.parametrize("credentials", [False, True])
async def test_star_among_methods_means_all_methods(app, headers, methods, sent, credentials):
    """With credentials, browsers take "*" for the name of a method."""
    cors(app, "https://example.org", methods=methods, credentials=credentials)
    assert (await headers())["Access-Control-Allow-Methods"] == sent


async def test_text_of_methods_is_sent_unchanged(app, headers):
    cors(app, methods="GET, PUT")
    assert (await headers())["Access-Control-Allow-Methods"] == "GET, PUT"


@pytest.mark.parametrize(
    "origins",
    [["https://a.org", "https://b.org"], lambda origin: origin in "https://b.org"],
    ids=["list", "function"],
)
async def test_one_of_several_origins_is_echoed(app, headers, origins):
    cors(app, origins)
    found = await headers(origin="https://b.org")
    assert found == {"Access-Control-Allow-Origin": "https://b.org", "Vary": "Origin"}
    assert await headers(origin="https://c.org") == {"Vary": "Origin"}
    assert await headers() == {"Vary": "Origin"}


async def test_vary_is_added_to(app, headers):
    cors(app, ["https://a.org"])
    assert (await headers("/vary"))["vary"] == "Accept, Origin"
    cors(app, ["https://b.org"])
    assert (await headers("/vary"))["vary"] == "Accept, Origin"


async def test_the_answer_to_a_preflight_may_be_remembered(app, headers):
    cors(app, max_age=600)
    options(app)
    assert (await headers(method="OPTIONS"))["Access-Control-Max-Age"] == 600
    assert "Access-Control-Max-Age" not in await headers()


async def test_all_among_several_origins_is_all(app, headers):
    cors(app, ["*"])
    assert await headers(origin="https://b.org") == {"Access-Control-Allow-Origin": "*"}


@pytest.mark.parametrize("origin", ["*", ["*"], ["https://a.org", "*"], {"*"}])
def test_any_origin_with_credentials_is_refused(app, origin):
    with pytest.raises(ValueError, match=r"`credentials=True` needs origins: .* Write `origin=\["):
        cors(app, origin, credentials=True)
    assert app.hooks == {}


def test_credentials_alone_are_refused_as_any_origin_is_the_default(app):
    with pytest.raises(ValueError, match="`credentials=True` needs origins"):
        cors(app, credentials=True)


@pytest.mark.parametrize("headers", ["*", ["*"], ["X-A", "*"]])
def test_any_header_with_credentials_is_refused(app, headers):
    with pytest.raises(ValueError, match=r"needs the names of the headers: .* Write `headers=\["):
        cors(app, "https://a.org", headers=headers, credentials=True)


@pytest.mark.parametrize("origin", [None, 1, True])
def test_invalid_origin_is_refused(app, origin):
    with pytest.raises(ValueError, match=f"`origin` is an origin, .* not {origin}"):
        cors(app, origin)


@pytest.mark.parametrize("age", ["10m", 1.5])
def test_invalid_max_age_is_refused(app, age):
    with pytest.raises(ValueError, match="`max_age` is a number of seconds, not"):
        cors(app, max_age=age)


async def test_coroutine_returned_by_an_async_predicate_allows_no_origin(app, client):
    async def check(origin):
        return False

    async def forgot(origin):
        return check(origin)

    cors(app, origin=forgot, credentials=True)
    response = await client.get("/", headers={"Origin": "https://evil.example"})
    assert response.status == 500
    assert "Access-Control-Allow-Origin" not in response.headers
