"""The test clients, in process and live: verbs, cookies, redirections, errors."""

import asyncio
import json
from datetime import UTC, datetime, timedelta

import pytest

from roll import HttpError, Response, Roll
from roll.testing import Client, LiveClient


@pytest.fixture(params=["client", "liveclient"])
def tester(request):
    """Either client of the application."""
    return request.getfixturevalue(request.param)


@pytest.fixture
def app(app):
    """An application that says what it was sent."""

    @app.route("/", methods=["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
    async def echo(request, response):
        response.json = {
            "method": request.method,
            "query": request.query_string,
            "type": request.content_type,
            "body": request.body.decode("latin-1"),
            "cookies": request.cookies,
            "headers": request.headers,
        }

    @app.route("/files", methods=["POST"])
    async def files(request, response):
        response.json = {name: file.filename for name, (file,) in request.files.items()}

    return app


VERBS = ["get", "delete", "options", "post", "put", "patch"]


@pytest.mark.parametrize("verb", VERBS)
async def test_each_verb_takes_all_options(tester, verb):
    response = await getattr(tester, verb)(
        "/", params={"a": 1}, json={"b": "é"}, headers={"X-C": "3"}, cookies={"d": "4"}
    )
    sent = response.json
    assert response.status == 200
    assert sent["method"] == verb.upper()
    assert sent["query"] == "a=1"
    assert json.loads(sent["body"].encode("latin-1")) == {"b": "é"}
    assert sent["type"] == "application/json; charset=utf-8"
    assert sent["headers"]["X-C"] == "3"
    assert sent["cookies"] == {"d": "4"}


@pytest.mark.parametrize("verb", ["head", "connect"])
async def test_head_and_connect_accept_params_and_cookies_too(tester, verb):
    response = await getattr(tester, verb)("/", params={"a": 1}, cookies={"d": "4"})
    assert response.status == (200 if verb == "head" else 501)


@pytest.mark.parametrize(
    ("params", "query"),
    [
        ({}, "old=1"),
        (None, "old=1"),
        ({"a": None}, "old=1"),
        ({"a": 1, "b": ["x", "y"]}, "old=1&a=1&b=x&b=y"),
        ([("a", 1), ("a", 2)], "old=1&a=1&a=2"),
        ({"a b": "é&="}, "old=1&a+b=%C3%A9%26%3D"),
    ],
    ids=repr,
)
async def test_params_are_added_to_the_query_string(tester, params, query):
    assert (await tester.get("/?old=1", params=params)).json["query"] == query
    assert (await tester.get("/", params={"a": 1})).json["query"] == "a=1"


@pytest.mark.parametrize("value", [[], {}, "", 0, False, "text", [1, 2.5, None]], ids=repr)
async def test_any_value_is_sent_as_json(tester, value):
    tester.content_type = "application/x-www-form-urlencoded"
    for response in (await tester.post("/", json=value), await tester.get("/", json=value)):
        assert json.loads(response.json["body"]) == value
        assert response.json["type"] == "application/json; charset=utf-8"


async def test_json_may_have_another_content_type(tester):
    kind = "application/merge-patch+json"
    assert (await tester.patch("/", json={}, content_type=kind)).json["type"] == kind
    assert (await tester.get("/", json={}, content_type=kind)).json["type"] == kind


async def test_json_is_encoded_by_the_codec_of_the_application(app, tester):
    class Codec:
        @staticmethod
        def dumps(value):
            return b"encoded"

        @staticmethod
        def loads(data):
            return data.decode()

    app.JSON = Codec

    @app.route("/json", methods=["POST"])
    async def as_json(request, response):
        response.body = f"got {request.json}"

    assert (await tester.post("/json", json={})).json == "got encoded"


@pytest.mark.parametrize(
    "other",
    [{"data": "x"}, {"body": b"x"}, {"files": {"f": b"x"}}],
    ids=lambda other: next(iter(other)),
)
async def test_a_request_has_one_body(tester, other):
    with pytest.raises(ValueError, match=f"`json` is the whole body.*`{next(iter(other))}`"):
        await tester.post("/", json=1, **other)
    with pytest.raises(ValueError, match="`json` is the whole body"):
        await tester.get("/", json=1, body="x")


async def test_unknown_option_is_an_error(tester):
    for verb in ("get", "post"):
        with pytest.raises(TypeError, match="param"):
            await getattr(tester, verb)("/", param={"a": 1})


async def test_data_and_files_go_over_a_socket_too(tester):
    sent = (await tester.post("/", {"a": 1})).json
    assert (sent["body"], sent["type"]) == ('{"a": 1}', tester.content_type)
    assert (await tester.post("/", "text")).json["body"] == "text"
    assert (await tester.put("/", body=b"bytes")).json["body"] == "bytes"
    response = await tester.post("/files", {"a": 1}, files={"f": (b"content", "a.txt")})
    assert response.json == {"f": "a.txt"}


async def test_default_headers_go_with_all_requests(tester):
    tester.default_headers = {"X-Token": "one", "Cookie": "a=1"}
    sent = (await tester.get("/", cookies={"b": 2})).json
    assert sent["headers"]["X-TOKEN"] == "one"
    assert sent["cookies"] == {"a": "1", "b": "2"}
    assert (await tester.request("/", "post")).json["method"] == "POST"


# Responses.


@pytest.mark.parametrize(
    ("body", "content_type", "text"),
    [
        ("é", None, "é"),
        ("é".encode(), None, "é"),
        (b"\xe9", "text/plain; charset=latin-1", "é"),
        (b"\xe9", 'text/plain; charset="ISO-8859-1"', "é"),
        (b"\xe9", "text/plain", "\ufffd"),
        ("é".encode(), "text/plain; charset=nonsense", "é"),
        (b"", None, ""),
    ],
)
async def test_text_is_decoded_by_its_charset(app, tester, body, content_type, text):
    @app.route("/text")
    async def answer(request, response):
        response.body = body
        if content_type:
            response.headers["content-type"] = content_type

    assert (await tester.get("/text")).text == text


def test_text_of_a_streamed_response_is_an_error(app):
    response = Response(app, None)
    response.body = iter(())
    with pytest.raises(TypeError, match="not decoded as text"):
        response.text  # noqa: B018 - its error is wanted
    response.body = "as it is"
    assert response.text == "as it is"


async def test_headers_are_those_that_were_sent(app, tester):
    @app.route("/headers")
    async def headers(request, response):
        response.headers["X-A"] = "1"
        response.body = "four"

    response = await tester.get("/headers")
    assert response.headers["X-A"] == "1"
    assert str(response.headers["Content-Length"]) == "4"


async def test_a_subclass_that_writes_json_only_still_does(app, tester):
    class Own(Response):
        def json(self, value):
            self.body = f"own {value}"

        json = property(None, json)

    app.Response = Own
    assert (await tester.get("/")).body.startswith(b"own")


# Cookies.


@pytest.fixture
def setting(app):
    """A route that sets, and one that deletes, a cookie."""

    @app.route("/login")
    async def login(request, response):
        response.cookies.set("user", "Ada Lovelace; é", secure=True, httponly=True)
        response.cookies.set("admin", "1", path="/admin")
        response.cookies.set("old", "1", expires=datetime.now(UTC) - timedelta(days=1))

    @app.route("/logout")
    async def logout(request, response):
        response.cookies.set("user", "", max_age=0)

    @app.route("/admin/cookies")
    async def cookies(request, response):
        response.json = request.cookies

    return app


async def test_cookies_are_not_kept_by_default(setting, tester):
    await tester.get("/login")
    assert (await tester.get("/")).json["cookies"] == {}


async def test_keep_cookies_keeps_them_as_a_browser_does(setting, tester):
    tester.keep_cookies = True
    await tester.get("/login")
    user = {"user": "Ada Lovelace; é"}
    assert (await tester.get("/")).json["cookies"] == user
    assert (await tester.get("/admin/cookies")).json == {"admin": "1", **user}
    both = (await tester.get("/", cookies={"user": "Bob", "x": 1})).json["cookies"]
    assert both == {"user": "Bob", "x": "1"}
    assert (await tester.get("/")).json["cookies"] == user
    await tester.get("/logout")
    assert (await tester.get("/")).json["cookies"] == {}
    await tester.get("/login")
    tester.cookie_jar.clear()
    assert (await tester.get("/")).json["cookies"] == {}


async def test_given_cookies_arrive_unchanged(tester):
    cookies = {"plain": "a", "odd": 'é "quoted" \\ , ; = %41', "empty": "", "number": 5}
    sent = (await tester.get("/", cookies=cookies)).json["cookies"]
    assert sent == {name: str(value) for name, value in cookies.items()}


async def test_cookies_of_another_host_are_not_sent(setting, tester):
    tester.keep_cookies = True
    await tester.get("/login", headers={"Host": "example.org"})
    assert (await tester.get("/")).json["cookies"] == {}
    answer = await tester.get("/", headers={"host": "example.org"})
    assert set(answer.json["cookies"]) == {"user"}


# Redirections.


@pytest.fixture
def redirecting(app):
    """Routes that redirect; `/to/{status}` goes where `X-To` says."""

    @app.route("/to/{status}", methods=["GET", "HEAD", "POST", "PUT"])
    async def to(request, response, status: int):
        response.redirect = request.headers.get("X-TO", "/?landed"), status

    @app.route("/loop")
    async def loop(request, response):
        response.redirect = "/loop"

    return app


async def test_redirections_are_not_followed_by_default(redirecting, tester):
    assert (await tester.get("/to/302")).status == 302


@pytest.mark.parametrize(
    ("status", "method", "arrives"),
    [
        (301, "POST", "GET"),
        (302, "POST", "GET"),
        (303, "POST", "GET"),
        (303, "PUT", "GET"),
        (301, "PUT", "PUT"),
        (302, "GET", "GET"),
        (307, "POST", "POST"),
        (308, "PUT", "PUT"),
    ],
)
async def test_follow_redirects_follows_redirections(redirecting, tester, status, method, arrives):
    tester.follow_redirects = True
    response = await tester.request(
        f"/to/{status}", method, "body", {"X-A": "1", "Content-Type": "a/b"}
    )
    sent = response.json
    assert (response.status, sent["method"], sent["query"]) == (200, arrives, "landed")
    kept = arrives == method and method != "GET"
    assert sent["body"] == ("body" if kept or (status == 302 and method == "GET") else "")
    assert ("CONTENT-TYPE" in sent["headers"]) == bool(sent["body"])
    assert sent["headers"]["X-A"] == "1"


async def test_a_head_stays_one(redirecting, tester):
    tester.follow_redirects = True
    response = await tester.head("/to/303")
    assert (response.status, response.body) == (200, b"")


@pytest.mark.parametrize(
    ("where", "query"),
    [("/?q=1%23x#fragment", "q=1%23x"), ("../?q=2", "q=2"), ("//{host}/?q=3", "q=3")],
)
async def test_a_location_is_resolved(redirecting, tester, where, query):
    tester.follow_redirects = True
    host = getattr(tester, "port", None)
    host = f"127.0.0.1:{host}" if host else "127.0.0.1"
    response = await tester.get("/to/302", headers={"X-To": where.format(host=host)})
    assert response.json["query"] == query


@pytest.mark.parametrize("where", ["http://example.org/", "//example.org/", "https://127.0.0.2/"])
async def test_redirection_to_another_server_is_not_followed(redirecting, tester, where):
    tester.follow_redirects = True
    response = await tester.get("/to/302", headers={"X-To": where})
    assert response.status == 302
    assert response.headers["Location"] == where


async def test_a_loop_ends(redirecting, tester):
    tester.follow_redirects = True
    with pytest.raises(RuntimeError, match=r"20 redirections.*/loop"):
        await tester.get("/loop")


async def test_a_status_without_a_location_is_an_answer(app, tester):
    @app.route("/odd")
    async def odd(request, response):
        response.status = 302

    tester.follow_redirects = True
    assert (await tester.get("/odd")).status == 302


async def test_cookies_set_on_the_way_are_sent_on(redirecting, tester):
    @redirecting.route("/login")
    async def login(request, response):
        response.cookies.set("user", "ada")
        response.redirect = "/"

    tester.follow_redirects = tester.keep_cookies = True
    assert (await tester.get("/login")).json["cookies"] == {"user": "ada"}


# Errors.


class Bug(Exception):
    """Nobody expects it."""


@pytest.fixture
def failing(app):
    """Routes that fail, each in its way."""

    @app.route("/bug")
    async def bug(request, response):
        raise Bug("in the handler")

    @app.route("/refused")
    async def refused(request, response):
        raise HttpError(500, "expected")

    @app.route("/stream")
    async def stream(request, response):
        async def body():
            yield "begun"
            raise Bug("in the stream")

        response.body = body()

    @app.route("/unsendable")
    async def unsendable(request, response):
        response.headers["X"] = "a\nb"

    return app


async def test_errors_are_answers_by_default(failing, tester):
    assert (await tester.get("/bug")).status == 500
    with pytest.raises((EOFError, ConnectionError)):
        await tester.get("/stream")
    assert (await tester.get("/unsendable")).status == 500


async def test_raise_errors_raises_unexpected_errors(failing, tester):
    tester.raise_errors = True
    with pytest.raises(Bug, match="in the handler") as caught:
        await tester.get("/bug")
    assert caught.traceback[-1].name == "bug"
    with pytest.raises(Bug, match="in the stream"):
        await tester.get("/stream")
    with pytest.raises(RuntimeError, match="can't be sent"):
        await tester.get("/unsendable")


async def test_what_is_expected_is_not_raised(failing, tester):
    tester.raise_errors = True
    assert (await tester.get("/refused")).body == b"expected"
    assert (await tester.get("/nowhere")).status == 404
    assert (await tester.get("/")).status == 200
    with pytest.raises(Bug):
        await tester.get("/bug")
    assert (await tester.get("/")).status == 200


@pytest.mark.parametrize("event", ["headers", "request", "response", "error"])
async def test_errors_of_listeners_are_raised(app, tester, event):
    @app.listen(event)
    def fail(request, response):
        raise Bug(event)

    app.log_errors = False
    tester.raise_errors = True
    path = "/nowhere" if event == "error" else "/"
    with pytest.raises(Bug, match=event):
        await tester.get(path)


async def test_connection_cut_for_another_reason_is_reported_as_cut(app, tester):
    @app.route("/cut")
    async def cut(request, response):
        request.protocol.abort()

    tester.raise_errors = True
    with pytest.raises((EOFError, ConnectionError)):
        await tester.get("/cut")


async def test_errors_that_other_code_logs_are_not_raised(app, tester):
    import logging

    @app.route("/log")
    async def log(request, response):
        logging.getLogger("roll_http").warning("only a warning")

    async def meanwhile():
        logging.getLogger("roll_http").error("of another request")

    tester.raise_errors = True
    asking = asyncio.ensure_future(tester.get("/log"))
    await meanwhile()
    assert (await asking).status == 200


async def test_concurrent_requests_raise_their_own_errors(app, client):
    @app.route("/{name}")
    async def fail(request, response, name):
        await asyncio.sleep(0)
        if name != "fine":
            raise Bug(name)

    client.raise_errors = True
    names = ["a", "fine", "b"]
    results = await asyncio.gather(
        *(client.get(f"/{name}") for name in names), return_exceptions=True
    )
    assert [str(result) for result in results[::2]] == ["a", "b"]
    assert results[1].status == 200


# By hand.


@pytest.mark.parametrize("kind", [Client, LiveClient])
async def test_a_client_made_by_hand_starts_and_ends_its_application(kind):
    app = Roll()
    seen = []
    app.listen("startup")(lambda: seen.append("startup"))
    app.listen("shutdown")(lambda: seen.append("shutdown"))
    async with kind(app) as client:
        assert seen == ["startup"]
        assert (await client.get("/")).status == 404
    assert seen == ["startup", "shutdown"]


async def test_attributes_of_a_subclass_are_those_of_its_clients(app):
    class Browser(Client):
        keep_cookies = True
        follow_redirects = True
        default_headers = {"X-A": "1"}  # noqa: RUF012 - as users write it

    @app.route("/login")
    async def login(request, response):
        response.cookies.set("user", "ada")
        response.redirect = "/"

    sent = (await Browser(app).get("/login")).json
    assert (sent["cookies"], sent["headers"]["X-A"]) == ({"user": "ada"}, "1")


async def test_a_request_that_is_overridden_serves_all_verbs(app):
    class Signed(Client):
        async def request(self, path, method="GET", body=b"", headers=None, content_type=None):
            headers = {**(headers or {}), "X-Signed": "yes"}
            return await super().request(path, method, body, headers, content_type)

    client = Signed(app)
    for verb in VERBS:
        sent = (await getattr(client, verb)("/", json=[1], params={"a": 1})).json
        assert (sent["headers"]["X-SIGNED"], sent["body"], sent["query"]) == ("yes", "[1]", "a=1")
