"""Sessions: the data of a user, which clients cannot forge."""

import asyncio
import hashlib
import json
import time
import tracemalloc
from http.cookies import SimpleCookie

import pytest
from hypothesis import given
from hypothesis import strategies as st
from itsdangerous import URLSafeTimedSerializer

from roll import Roll, extensions
from roll.extensions import MemoryStore, Session, sessions
from roll.extensions.sessions.session import NOTHING
from roll.extensions.sessions.signing import (
    KeySigner,
    SessionSigner,
    encode,
    packed,
    unpacked,
)

SECRET = "a secret of many characters"
OLDER = "another secret, which was used before"


def stored():
    return {"store": MemoryStore()}


@pytest.fixture(params=[dict, stored], ids=["cookie", "store"])
def options(request):
    return request.param()


def site(app, **options):
    """Add routes that use the session."""
    sessions(app, options.pop("secret", SECRET), **options)

    @app.route("/set/{key}/{value}")
    async def set_value(request, response, key, value):
        request.session[key] = value
        response.json = dict(request.session)

    @app.route("/get")
    async def get(request, response):
        response.json = dict(request.session)

    @app.route("/unused")
    async def unused(request, response):
        response.body = "no session"

    @app.route("/append/{value}")
    async def append(request, response, value):
        request.session.setdefault("list", []).append(value)

    @app.route("/clear")
    async def clear(request, response):
        request.session.clear()

    @app.route("/renew")
    async def renew(request, response):
        request.session.renew()

    @app.route("/replace")
    async def replace(request, response):
        request.session = {"only": 1}

    return app


class Browser:
    """Keeps cookies, as a browser does."""

    def __init__(self, client, cookie=None):
        self.client = client
        self.cookie = cookie
        self.line = None

    async def get(self, path):
        headers = {"Cookie": f"session={self.cookie}"} if self.cookie else {}
        response = await self.client.get(path, headers=headers)
        self.response = response
        self.line = next(iter(response.cookie_lines), None)
        if self.line:
            (morsel,) = SimpleCookie(self.line).values()
            self.cookie = morsel.value if morsel["max-age"] != "0" else None
        return json.loads(response.body) if response.body.startswith(b"{") else None


@pytest.fixture
def browser(client):
    return Browser(client)


async def test_stored_value_is_there_in_the_next_request(app, browser, options):
    site(app, **options)
    assert await browser.get("/set/user/ada") == {"user": "ada"}
    assert await browser.get("/set/theme/dark") == {"user": "ada", "theme": "dark"}
    assert await browser.get("/get") == {"user": "ada", "theme": "dark"}


async def test_cookie_is_safe_by_default(app, browser, options):
    site(app, **options)
    await browser.get("/set/a/b")
    attributes = {part.strip().lower() for part in browser.line.split(";")[1:]}
    assert attributes == {"max-age=1209600", "path=/", "secure", "httponly", "samesite=lax"}
    assert browser.response.headers["Vary"] == "Cookie"


async def test_cookie_has_the_requested_attributes(app, browser, options):
    more = {"secure": False, "samesite": "Strict", "path": "/x", "domain": "a.org", "max_age": 9}
    site(app, **options, **more)
    await browser.get("/set/a/b")
    attributes = {part.strip().lower() for part in browser.line.split(";")[1:]}
    assert attributes == {"max-age=9", "path=/x", "httponly", "samesite=strict", "domain=a.org"}


@pytest.mark.parametrize("path", ["/unused", "/get", "/clear", "/none"])
async def test_no_cookie_is_set_while_there_is_nothing_to_keep(app, browser, options, path):
    site(app, **options)
    await browser.get(path)
    assert browser.line is None


async def test_unchanged_session_is_not_sent_again(app, browser, options):
    site(app, **options)
    await browser.get("/set/a/b")
    for path in ("/get", "/set/a/b", "/unused"):
        await browser.get(path)
        assert browser.line is None


async def test_response_varies_only_where_the_session_is_used(app, browser, options):
    site(app, **options)
    await browser.get("/unused")
    assert "Vary" not in browser.response.headers
    await browser.get("/get")
    assert browser.response.headers["Vary"] == "Cookie"


async def test_change_within_a_value_is_kept(app, browser, options):
    site(app, **options)
    await browser.get("/append/1")
    await browser.get("/append/2")
    assert await browser.get("/get") == {"list": ["1", "2"]}


async def test_empty_session_deletes_its_cookie(app, browser, options):
    site(app, **options)
    await browser.get("/set/a/b")
    await browser.get("/clear")
    assert browser.cookie is None
    assert "Max-Age=0" in browser.line
    assert await browser.get("/get") == {}


async def test_assigned_mapping_replaces_the_values(app, browser, options):
    site(app, **options)
    await browser.get("/set/a/b")
    await browser.get("/replace")
    assert await browser.get("/get") == {"only": 1}


FORGERIES = {
    # Not the last character: two of its bits are not used.
    "end": lambda cookie: cookie[:-2] + ("y" if cookie[-2] == "x" else "x") + cookie[-1],
    "start": lambda cookie: "x" + cookie,
    "empty": lambda cookie: "",
    "other": lambda cookie: "a.b.c",
}


@pytest.mark.parametrize("forge", FORGERIES.values(), ids=FORGERIES)
async def test_forged_cookie_is_an_empty_session(app, browser, options, forge):
    site(app, **options)
    await browser.get("/set/a/b")
    browser.cookie = forge(browser.cookie)
    assert await browser.get("/get") == {}


async def test_cookie_of_another_secret_is_an_empty_session(browser, app, options):
    other = Roll()
    site(app, **options)
    site(other, secret="some other secret, long enough", **options)
    await browser.get("/set/a/b")
    thief = Browser(type(browser.client)(other), browser.cookie)
    assert await thief.get("/get") == {}


async def test_new_secret_signs_and_the_old_one_is_still_believed(browser, app, options):
    site(app, secret=OLDER, **options)
    await browser.get("/set/a/b")
    rotated = Roll()
    site(rotated, secret=[SECRET, OLDER], **options)
    late = Browser(type(browser.client)(rotated), browser.cookie)
    assert await late.get("/set/c/d") == {"a": "b", "c": "d"}
    new = Roll()
    site(new, secret=SECRET, **options)
    last = Browser(type(browser.client)(new), late.cookie)
    assert await last.get("/get") == {"a": "b", "c": "d"}


@pytest.fixture
def clock(monkeypatch):
    """Moves the time that signatures have."""
    now = [time.time()]
    monkeypatch.setattr(time, "time", lambda: now[0])

    def move(seconds):
        now[0] += seconds

    return move


async def test_session_ends_with_its_age(app, browser, options, clock):
    site(app, max_age=100, **options)
    await browser.get("/set/a/b")
    clock(101)
    assert await browser.get("/get") == {}


async def test_session_that_is_used_in_its_second_half_lives_on(app, browser, options, clock):
    site(app, max_age=100, **options)
    await browser.get("/set/a/b")
    clock(49)
    await browser.get("/get")
    assert browser.line is None
    clock(2)
    await browser.get("/get")
    assert "Max-Age=100" in browser.line
    clock(99)
    assert await browser.get("/get") == {"a": "b"}


async def test_renewed_session_has_another_cookie(app, browser, options):
    site(app, **options)
    await browser.get("/set/a/b")
    before = browser.cookie
    await browser.get("/renew")
    assert browser.line
    if options:
        assert browser.cookie != before
        assert await Browser(browser.client, before).get("/get") == {}
        assert len(options["store"]) == 1
    assert await browser.get("/get") == {"a": "b"}


async def test_renewed_session_that_was_new_is_kept(app, browser, options):
    site(app, **options)

    @app.route("/login")
    async def login(request, response):
        request.session.renew()
        request.session["user"] = "ada"

    await browser.get("/login")
    assert await browser.get("/get") == {"user": "ada"}


async def test_store_forgets_an_emptied_session(app, browser):
    store = MemoryStore()
    site(app, store=store)
    await browser.get("/set/a/b")
    assert len(store) == 1
    await browser.get("/clear")
    assert len(store) == 0


class PlainStore(dict):
    """A store that does not wait."""

    load = dict.get

    def save(self, key, data, seconds):
        self[key] = data

    def delete(self, key):
        self.pop(key, None)


async def test_methods_of_a_store_may_be_plain_functions(app, browser):
    store = PlainStore()
    site(app, store=store)
    await browser.get("/set/a/b")
    assert await browser.get("/get") == {"a": "b"}
    assert len(store) == 1
    await browser.get("/clear")
    assert store == {}


class Plainly(PlainStore):
    """The same with the optional method."""

    def replace(self, key, data, seconds):
        if key in self:
            self.save(key, data, seconds)
        return key in self


class Slow:
    """A request that waits in its handler, after it has used the session."""

    def __init__(self, app, client):
        self.client = client
        self.inside, self.may_end = asyncio.Event(), asyncio.Event()

        @app.route("/slow/{use}")
        async def slow(request, response, use):
            uses[use](request.session)
            self.inside.set()
            await self.may_end.wait()

    async def begin(self, path, cookie):
        visitor = Browser(self.client, cookie)
        self.task = asyncio.ensure_future(visitor.get(path))
        await self.inside.wait()
        return visitor

    async def end(self):
        self.may_end.set()
        await self.task


uses = {
    "read": lambda session: session.get("user"),
    "change": lambda session: session.update(theme="dark"),
}


@pytest.mark.parametrize("store", [MemoryStore, Plainly])
@pytest.mark.parametrize("end", ["/clear", "/renew"])
@pytest.mark.parametrize("use", ["read", "change"])
async def test_session_that_another_request_has_ended_does_not_come_back(
    app, client, store, end, use, clock
):
    """Even if the request reads only: in the second half of its life, a session is saved again."""
    kept = store()
    site(app, store=kept, max_age=100)
    slow = Slow(app, client)
    user = Browser(client)
    await user.get("/set/user/ann")
    stolen = user.cookie
    clock(60)
    visitor = await slow.begin(f"/slow/{use}", stolen)
    await user.get(end)
    await slow.end()
    assert (visitor.response.status, visitor.line) == (200, None)
    assert await Browser(client, stolen).get("/get") == {}
    assert await user.get("/get") == ({} if end == "/clear" else {"user": "ann"})
    assert len(kept) == (0 if end == "/clear" else 1)


@pytest.mark.parametrize("store", [MemoryStore, PlainStore, Plainly])
async def test_last_one_of_two_changes_wins(app, client, store):
    site(app, store=store())
    slow = Slow(app, client)
    user = Browser(client)
    await user.get("/set/user/ann")
    visitor = await slow.begin("/slow/change", user.cookie)
    await user.get("/set/user/bob")
    await slow.end()
    assert visitor.line
    assert await user.get("/get") == {"user": "ann", "theme": "dark"}


async def test_renewed_session_whose_save_fails_is_not_lost(app, client, caplog):
    class Flaky(MemoryStore):
        away = False

        async def save(self, key, data, seconds):
            if self.away:
                raise ConnectionError("the store is away")
            await super().save(key, data, seconds)

    store = Flaky()
    site(app, store=store)
    browser = Browser(client)
    await browser.get("/set/cart/full")
    store.away = True
    await browser.get("/renew")
    assert (browser.response.status, browser.line) == (500, None)
    store.away = False
    assert await browser.get("/get") == {"cart": "full"}


async def test_session_that_the_store_has_lost_is_empty(app, browser):
    store = MemoryStore()
    site(app, store=store)
    await browser.get("/set/a/b")
    store._kept.clear()
    assert await browser.get("/get") == {}
    await browser.get("/clear")
    assert browser.cookie is None


@pytest.mark.parametrize(("name", "first"), [("cookie", "a"), ("path", "/"), ("domain", "a")])
@pytest.mark.parametrize("length", [1025, 4097, 10**6])
def test_text_that_is_too_long_for_a_cookie_is_an_error(app, options, name, first, length):
    with pytest.raises(ValueError, match=f"`{name}` has at most 1024 characters, not {length}: b"):
        sessions(app, SECRET, **{name: first * length}, **options)
    assert app.hooks == {}


async def test_longest_name_leaves_room_for_a_session(app, browser, options):
    site(app, cookie="a" * 1024, path="/" * 1024, domain="a" * 1024, **options)
    await browser.get("/set/a/" + "b" * 2000)
    assert browser.response.status == 200
    assert len(browser.line.split(";")[0]) <= 4096


async def test_session_too_large_for_a_cookie_is_an_error(app, browser, caplog):
    site(app)

    @app.route("/large")
    async def large(request, response):
        request.session["large"] = [f"{number:x}" for number in range(9000, 13000)]

    await browser.get("/large")
    assert browser.response.status == 500
    assert "is too large for a cookie, which has 4096: give `sessions` a `store`" in caplog.text


VALUES = [[], {}, 1.5, "", None, "x" * 100, [[]], {"a": []}]


@pytest.mark.parametrize("value", VALUES, ids=repr)
async def test_session_that_is_large_before_it_is_compressed_is_an_error(
    app, browser, value, caplog
):
    site(app)
    size = len(encode([value])) - 1

    @app.route("/many/{count:int}")
    async def many(request, response, count: int):
        request.session["many"] = [value] * count

    for length in (17_000, 1_000_000):
        await browser.get(f"/many/{length // size}")
        assert (browser.response.status, browser.line) == (500, None)
    assert "is too large for a cookie, which has 4096: give `sessions` a `store`" in caplog.text
    await browser.get(f"/many/{15_000 // size}")
    assert (browser.response.status, browser.cookie is not None) == (200, True)
    assert len((await browser.get("/get"))["many"]) == 15_000 // size


@pytest.mark.parametrize("unit", ["[],", "{},", "1.5,", "x"])
async def test_signed_cookie_never_inflates_to_megabytes(app, browser, unit):
    site(app)
    bomb = '{"a":[' + unit * 700_000 + "0]}"
    signer = SessionSigner(SECRET, 1000)
    tracemalloc.start()
    browser.cookie = signer.write(bomb)
    assert len(browser.cookie) < 4096
    tracemalloc.reset_peak()
    before = tracemalloc.get_traced_memory()[0]
    assert await browser.get("/get") == {}
    peak = tracemalloc.get_traced_memory()[1] - before
    tracemalloc.stop()
    assert peak < 500_000


def test_tokens_of_itsdangerous_are_those_of_earlier_versions():
    earlier = URLSafeTimedSerializer(
        SECRET,
        salt="roll.session",
        signer_kwargs={"key_derivation": "hmac", "digest_method": hashlib.sha256},
    )
    signer = SessionSigner(SECRET, 1000)
    for data in ({"a": 1}, {"user": "ada", "é": "x" * 5000}, {"list": [{}] * 100}):
        assert signer.read(earlier.dumps(data)).data == data
        assert earlier.loads(signer.write(encode(data))) == data


@given(st.binary(max_size=50) | st.text(max_size=50).map(str.encode))
def test_any_signed_payload_of_text_is_read_or_an_empty_session(text):
    signer = SessionSigner(SECRET, 1000)
    assert unpacked(packed(b'"' + text.hex().encode() + b'"')) == f'"{text.hex()}"'
    assert signer.read(text.decode("latin-1")) is NOTHING


@pytest.mark.parametrize("value", [float("nan"), object(), {1}])
async def test_value_that_json_has_nothing_for_is_a_500(app, browser, options, value, caplog):
    site(app, **options)

    @app.route("/wrong")
    async def wrong(request, response):
        request.session["x"] = value

    await browser.get("/wrong")
    assert browser.response.status == 500
    assert browser.line is None


def nested(depth):
    value = []
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize("depth", range(920, 1000, 3))
async def test_session_that_was_written_is_read_or_empty(app, browser, options, depth):
    """Python 3.11 needs a deeper stack to read lists than to write them."""
    site(app, **options)

    @app.route("/nest")
    async def nest(request, response):
        request.session["x"] = nested(depth)

    @app.route("/count")
    async def count(request, response):
        response.body = str(len(request.session))

    await browser.get("/nest")
    assert browser.response.status == (200 if browser.line else 500)
    await browser.get("/count")
    assert browser.response.text in {"0", "1"}
    await browser.get("/clear")
    assert await browser.get("/set/a/b") == {"a": "b"}


UNREADABLE = {"deep": "[" * 200_000 + "]" * 200_000, "a long number": "1" * 5000}


@pytest.mark.parametrize("value", UNREADABLE.values(), ids=list(UNREADABLE))
async def test_session_that_cannot_be_read_is_empty(app, browser, options, value, caplog):
    site(app, **options)
    await browser.get("/set/a/b")
    text = f'{{"x":{value}}}'
    if store := options.get("store"):
        key, _ = KeySigner(SECRET, 1000).read(browser.cookie)
        await store.save(key, text, 1000)
    elif len(text) < 16_384:
        browser.cookie = SessionSigner(SECRET, 1000).write(text)
    else:
        pytest.skip("a cookie cannot have it")
    assert await browser.get("/get") == {}
    assert "A session cannot be read, so it counts as empty: " in caplog.text
    assert value[:50] not in caplog.text
    assert await browser.get("/set/c/d") == {"c": "d"}
    assert await browser.get("/get") == {"c": "d"}


async def test_key_that_is_not_text_is_an_error(app, browser, caplog):
    site(app)

    @app.route("/wrong")
    async def wrong(request, response):
        request.session[1] = "x"

    await browser.get("/wrong")
    assert "The keys of a session are text, as those of JSON, not 1" in caplog.text


def test_session_is_a_mapping_that_shows_no_values():
    session = Session(lambda: NOTHING)
    assert repr(session) == "<Session: not read>"
    session["token"] = "secret"
    assert repr(session) == "<Session: 1 keys>"
    assert list(session) == ["token"]
    del session["token"]
    assert not session


async def test_session_that_nothing_has_read_shows_no_values(app, browser, options):
    site(app, **options)

    @app.route("/shown")
    async def shown(request, response):
        response.body = repr(request.kwargs["session"])

    await browser.get("/shown")
    assert browser.response.text == "<Session: not read>"


async def test_session_without_the_extension_is_an_error(app, browser, caplog):
    @app.route("/")
    async def index(request, response):
        request.session["x"] = 1

    await browser.get("/")
    assert browser.response.status == 500
    assert (
        "`request.session` needs an extension: `extensions.sessions(app, SECRET)`" in caplog.text
    )


async def test_custom_session_of_an_application_is_kept(app, browser):
    @app.route("/")
    async def index(request, response):
        request.session = {"own": 1}
        response.json = request.session

    assert await browser.get("/") == {"own": 1}


async def test_other_listeners_may_use_the_session(app, browser, options):
    seen = []
    app.listen("headers")(lambda request: seen.append(request.session.get("a")))
    site(app, **options)
    await browser.get("/set/a/b")
    await browser.get("/get")
    assert seen == [None, "b"]


class Failing(MemoryStore):
    async def load(self, key):
        raise ConnectionError("the store is away")


async def test_store_that_is_away_is_a_500_and_the_session_is_kept(app, browser, caplog):
    store = Failing()
    site(app, store=store)
    await browser.get("/set/a/b")
    await browser.get("/get")
    assert browser.response.status == 500
    assert browser.line is None
    assert len(store) == 1


async def test_memory_store_forgets_the_oldest_and_the_expired():
    now = [0.0]
    store = MemoryStore(2, clock=lambda: now[0])
    await store.save("a", "1", 10)
    await store.save("b", "2", 20)
    await store.save("a", "3", 10)
    await store.save("c", "4", 20)
    assert [await store.load(key) for key in "abc"] == ["3", None, "4"]
    now[0] = 10
    assert [await store.load(key) for key in "ac"] == [None, "4"]
    assert len(store) == 1
    await store.delete("none")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"secret": ""}, "A secret has 16 characters or more"),
        ({"secret": "short"}, "A secret has 16 characters or more"),
        ({"secret": [SECRET, b"short"]}, "A secret has 16 characters or more"),
        ({"secret": []}, "`secret` is text or bytes, or a list of these"),
        ({"secret": [5]}, "`secret` is text or bytes, or a list of these"),
        ({"secret": 5}, "`secret` is text or bytes, or a list of these"),
        ({"max_age": 0}, "`max_age` is a number of seconds, at least 1, not 0"),
        ({"max_age": "5"}, "`max_age` is a number of seconds"),
        ({"max_age": True}, "`max_age` is a number of seconds"),
        ({"samesite": "lax;"}, "samesite"),
        ({"secure": "no"}, "secure"),
        ({"secure": False, "samesite": "None"}, "samesite 'None' needs secure=True"),
        ({"cookie": "a b"}, "name"),
        ({"cookie": 5}, "name"),
        ({"path": "x"}, "path"),
        ({"store": MemoryStore}, r"`store` is an object with `load`, `save` and `delete`"),
        ({"store": {}}, r"`store` is an object with `load`, `save` and `delete`"),
    ],
)
def test_wrong_option_is_refused_at_once(app, options, message):
    with pytest.raises(ValueError, match=message):
        sessions(app, **{"secret": SECRET, **options})


class WrongStore:
    """A store with methods that may be replaced."""

    async def load(self, key):
        """Return nothing."""

    async def save(self, key, data, seconds):
        """Keep nothing."""

    async def delete(self, key):
        """Delete nothing."""

    async def replace(self, key, data, seconds):
        """Keep nothing."""


async def generates(*arguments):
    yield


def generates_at_once(*arguments):
    yield


@pytest.mark.parametrize("name", ["load", "save", "delete", "replace"])
@pytest.mark.parametrize(
    ("method", "message"),
    [
        (5, "is a method, not 5"),
        (None, "is a method, not None"),
        (generates, "is a generator, which never runs"),
        (generates_at_once, "is a generator, which never runs"),
        (lambda: None, r"is called with \(key.*, but .* takes \(\)"),
        (lambda a, b, c, d: None, r"is called with \(key.*missing"),
    ],
)
def test_store_whose_method_cannot_be_called_is_refused_at_once(app, name, method, message):
    store = WrongStore()
    sessions(Roll(), SECRET, store=store)
    setattr(store, name, method)
    with pytest.raises(ValueError, match=f"`store.{name}` {message}"):
        sessions(app, SECRET, store=store)


@pytest.mark.parametrize("most", [0, True, "5", None])
def test_wrong_size_of_a_store_is_refused_at_once(most):
    with pytest.raises(ValueError, match="`most` is a number of sessions, at least 1"):
        MemoryStore(most)


@pytest.mark.parametrize("clock", [5, None, "monotonic", asyncio.sleep])
def test_clock_of_a_store_is_a_function(clock):
    with pytest.raises(ValueError, match="`clock` is a function that returns seconds"):
        MemoryStore(clock=clock)


@pytest.mark.parametrize(
    "clock", [lambda zone: 0, lambda *, zone: 0, "x".join], ids=["one", "named", "builtin"]
)
def test_clock_of_a_store_takes_no_argument(clock):
    with pytest.raises(ValueError, match="`clock` is called with"):
        MemoryStore(clock=clock)


@pytest.mark.parametrize(
    "clock",
    [time.monotonic, time.time, lambda: 0, lambda zone=None: 0],
    ids=["monotonic", "time", "none", "optional"],
)
def test_clock_of_a_store_may_be_any_function_without_arguments(clock):
    MemoryStore(clock=clock)


def test_secret_may_be_bytes(app):
    sessions(app, SECRET.encode())


def test_missing_extra_names_itself(app, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "itsdangerous", None)
    message = r'sessions needs itsdangerous: `pip install "roll\[sessions\]"`'
    with pytest.raises(ImportError, match=message):
        extensions.sessions(app, SECRET)


async def test_store_is_closed_at_shutdown(app):
    class Closing(MemoryStore):
        closed = False

        async def close(self):
            self.closed = True

    store = Closing()
    sessions(app, SECRET, store=store)
    await app.startup()
    await app.shutdown()
    assert store.closed


@pytest.mark.parametrize("first", [{}, {"store": MemoryStore()}])
@pytest.mark.parametrize("second", [{}, {"store": MemoryStore()}, {"cookie": "other"}])
def test_second_call_is_refused(app, first, second):
    """Before, each call took the cookie of the other one for its own, and nothing was kept."""
    sessions(app, SECRET, **first)
    with pytest.raises(ValueError, match="call it once, with all its options"):
        sessions(app, SECRET, **second)
    sessions(Roll(), SECRET)


def test_attribute_of_a_session_is_an_error():
    """Before, `session.user = ...` in place of `session["user"] = ...` was not kept."""
    session = Session(lambda: NOTHING)
    with pytest.raises(AttributeError, match="user"):
        session.user = "ada"


async def test_store_that_overrides_save_alone_saves_all_of_its_data(app, client):
    """Before, the inherited `replace` wrote past a `save` that encrypts."""

    class Sealed(MemoryStore):
        async def load(self, key):
            data = await super().load(key)
            return None if data is None else data[::-1]

        async def save(self, key, data, seconds):
            await super().save(key, data[::-1], seconds)

    class Written(MemoryStore):
        def __init__(self):
            super().__init__()
            self.saved = []

        async def replace(self, key, data, seconds):
            self._kept[key] = (float("inf"), data)
            return True

    class Both(Written):
        async def save(self, key, data, seconds):
            self.saved.append(data)
            await super().save(key, data, seconds)

    store = Both()
    sessions(app, SECRET, store=store)
    client.keep_cookies = True

    @app.route("/")
    async def count(request, response):
        request.session["n"] = request.session.get("n", 0) + 1
        response.json = request.session["n"]

    assert [(await client.get("/")).body for _ in range(3)] == [b"1", b"2", b"3"]
    assert store.saved == ['{"n":1}', '{"n":2}', '{"n":3}']
    sealed = Roll()
    sessions(sealed, SECRET, store=Sealed())
    sealed.route("/")(count)
    other = type(client)(sealed)
    other.keep_cookies = True
    assert [(await other.get("/")).body for _ in range(3)] == [b"1", b"2", b"3"]
