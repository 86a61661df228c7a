"""Cookies that are set are sent back by clients; those that browsers would drop are refused."""

from __future__ import annotations

import asyncio
import decimal
import enum
import json
import re
import urllib.request
import uuid
from datetime import UTC, date, datetime, timedelta, timezone
from email.message import Message
from http.cookiejar import CookieJar, DefaultCookiePolicy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roll_http import Cookies, parse_cookies

TEXTS = [
    *("", " ", "a b", " a ", "a,b", "a;b", "a=b", 'a"b', '"', '"a"', "a\\b", "\\073", "\\", "a:b"),
    *("%", "100%", "%41", "%2541", "%4", "%zz", "%%41", "%C3%A9", "%2%341", '"%41"', "%\\101"),
    *("é", "€", "😀", "\u2028", "\x00\r\n\t\x7f", "\x80\x85\xa0", '{"a": [1, "é%41"]}'),
    "".join(map(chr, range(0x200))),
]


class Answer:
    """The interface of a response that a cookie jar needs."""

    def __init__(self, lines: list[str]) -> None:
        self.fields = Message()
        for line in lines:
            self.fields["Set-Cookie"] = line

    def info(self) -> Message:
        return self.fields


def through_jar(lines: list[str]) -> str:
    """Return the `Cookie` field that a client sends which was given these cookies."""
    jar = CookieJar()
    request = urllib.request.Request("http://example.org/")
    jar.extract_cookies(Answer(lines), request)
    jar.add_cookie_header(request)
    return request.get_header("Cookie") or ""


def lines(**arguments: object) -> list[str]:
    cookies = Cookies()
    cookies.set(**arguments)
    return list(cookies.output())


@given(st.text(alphabet=st.one_of(st.characters(codec="utf-8"), st.sampled_from('%4fG";\\, \t'))))
def test_any_text_comes_back_from_a_client_as_it_was_set(value):
    found = lines(name="a", value=value)
    assert found[0].isascii()
    assert found[0].isprintable()
    assert parse_cookies(through_jar(found)) == {"a": value}


@given(st.dictionaries(st.sampled_from(["a", "b", "__c", "D%41"]), st.text('%41é;" ')))
def test_several_cookies_come_back_from_a_client(values):
    cookies = Cookies()
    for name, value in values.items():
        cookies.set(name, value)
    assert parse_cookies(through_jar(list(cookies.output()))) == values


@pytest.fixture
async def echo(serve):
    """The URL of a server that sets the requested cookies, and returns those that it received."""

    async def handler(request, response):
        if request.method == "POST":
            for name, value in json.loads(await request.read()).items():
                response.cookies.set(name, value)
        response.json = dict(request.cookies)

    host, port = (await serve(handler)).address
    return f"http://{host}:{port}/"


VALUES = {f"c{number}": text for number, text in enumerate(TEXTS)}


async def test_any_text_comes_back_through_the_client_of_the_standard_library(echo):
    def talk() -> object:
        policy = DefaultCookiePolicy(strict_ns_domain=DefaultCookiePolicy.DomainLiberal)
        jar = urllib.request.HTTPCookieProcessor(CookieJar(policy))
        client = urllib.request.build_opener(urllib.request.ProxyHandler({}), jar)
        client.open(echo, json.dumps(VALUES).encode()).close()
        with client.open(echo) as answer:
            return json.load(answer)

    assert await asyncio.to_thread(talk) == VALUES


async def test_any_text_comes_back_through_httpx(echo):
    httpx = pytest.importorskip("httpx")
    async with httpx.AsyncClient(trust_env=False) as client:
        await client.post(echo, json=VALUES)
        assert (await client.get(echo)).json() == VALUES


class Colour(enum.StrEnum):
    RED = "red"


class Old(str, enum.Enum):  # noqa: UP042 - this is what is tested
    BLUE = "blue"


ID = uuid.UUID(int=5)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        *((5, "5"), (1.5, "1.5"), (True, "True"), (decimal.Decimal("1.50"), "1.50")),
        *(
            (ID, str(ID)),
            (Colour.RED, "red"),
            (Old.BLUE, "blue"),
            (date(2026, 1, 2), "2026-01-02"),
        ),
    ],
)
def test_value_with_a_text_is_accepted(value, text):
    assert parse_cookies(lines(name="a", value=value, path=None)[0]) == {"a": text}


async def work():
    """A coroutine function whose result is never awaited."""


@pytest.mark.filterwarnings("ignore:coroutine 'work' was never awaited")
@pytest.mark.parametrize(
    "value",
    [None, b"a", bytearray(b"a"), memoryview(b"a"), [1], {"a": 1}, {1}, (1,), object(), work],
)
def test_value_without_a_text_is_refused(value):
    with pytest.raises(TypeError, match=r"^Cookie value is of type \w+: it takes text"):
        lines(name="a", value=value)


class Later:
    """An awaitable that is not a coroutine, such as a future."""

    def __await__(self):
        yield


@pytest.mark.parametrize("value", [Later, work], ids=["awaitable", "coroutine"])
def test_value_without_its_await_is_refused(value):
    with pytest.raises(TypeError, match=r"of type \w+: it takes text: `await` it first$"):
        lines(name="a", value=value())


@pytest.mark.parametrize("value", ["\ud800", "a\udfff%", "\udc41\ud841"])
def test_lone_surrogate_in_a_value_is_refused(value):
    with pytest.raises(ValueError, match="half of a surrogate pair, at index"):
        lines(name="a", value=value)


SECURE = {"secure": True}

WRONG = [
    ({"name": b"a"}, TypeError, "name is of type bytes: it takes text"),
    ({"name": None}, TypeError, "name is of type NoneType"),
    ({"name": ["a"]}, TypeError, "name is of type list"),
    ({"name": "é"}, ValueError, "name 'é' is not a token"),
    ({"name": "a\n"}, ValueError, "is not a token"),
    ({"secure": "no"}, TypeError, "secure is of type str: it takes True or False"),
    ({"secure": None}, TypeError, "secure is of type NoneType"),
    ({"secure": 1}, TypeError, "secure is of type int"),
    ({"httponly": "false"}, TypeError, "httponly is of type str"),
    ({"httponly": 0}, TypeError, "httponly is of type int"),
    ({"max_age": "10"}, TypeError, "max_age is of type str: it takes a whole number of seconds"),
    ({"max_age": 1.5}, TypeError, "max_age is of type float"),
    ({"max_age": True}, TypeError, "max_age is of type bool"),
    ({"max_age": timedelta(days=1)}, TypeError, "max_age is of type timedelta"),
    ({"max_age": 2**32}, ValueError, "max_age is more than 4294967295 seconds"),
    ({"max_age": 10**5000}, ValueError, "max_age is more than"),
    ({"expires": 60}, TypeError, "expires is of type int: it takes a datetime; for seconds"),
    ({"expires": "Wed, 02 Jan 2030 03:04:05 GMT"}, TypeError, "expires is of type str"),
    ({"expires": date(2030, 1, 1)}, TypeError, "expires is of type date"),
    ({"expires": datetime.min}, ValueError, "before 1601.*max_age=0"),
    ({"expires": datetime(1600, 12, 31)}, ValueError, "before 1601"),
    (
        {"expires": datetime.min.replace(tzinfo=timezone(timedelta(hours=9)))},
        ValueError,
        "no date in UTC",
    ),
    (
        {"expires": datetime.max.replace(tzinfo=timezone(-timedelta(hours=9)))},
        ValueError,
        "no date in UTC",
    ),
    ({"path": b"/"}, TypeError, "path is of type bytes"),
    ({"path": 10**5000}, TypeError, "path is of type int"),
    ({"path": "a"}, ValueError, "path 'a' is not the path of a URL: it must begin with /"),
    ({"path": "../a"}, ValueError, "is not the path"),
    ({"path": "/é"}, ValueError, "percent-encoded"),
    ({"path": "/a b"}, ValueError, "is not the path"),
    ({"path": "/a;b"}, ValueError, "is not the path"),
    ({"path": "/a\n"}, ValueError, "is not the path"),
    ({"domain": b"a.org"}, TypeError, "domain is of type bytes"),
    ({"domain": ["a.org"]}, TypeError, "domain is of type list"),
    (
        {"domain": "a.org:8000"},
        ValueError,
        "domain 'a.org:8000' is not a host name.*without a port",
    ),
    ({"domain": "http://a.org"}, ValueError, "is not a host name"),
    ({"domain": "é.org"}, ValueError, "punycode"),
    ({"domain": "a..org"}, ValueError, "is not a host name"),
    ({"domain": "a.org."}, ValueError, "is not a host name"),
    ({"domain": ".."}, ValueError, "is not a host name"),
    ({"domain": "a.org\n"}, ValueError, "is not a host name"),
    ({"domain": "a b"}, ValueError, "is not a host name"),
    ({"samesite": True}, TypeError, "samesite is of type bool: it takes 'Strict', 'Lax'"),
    ({"samesite": b"Lax"}, TypeError, "samesite is of type bytes"),
    ({"samesite": ""}, ValueError, "samesite must be .* not ''$"),
    ({"samesite": "Laxx"}, ValueError, "samesite must be 'Strict', 'Lax' or 'None', not 'Laxx'"),
    ({"samesite": "Lax; Secure"}, ValueError, "must be 'Strict'"),
    ({"samesite": "None"}, ValueError, "samesite 'None' needs secure=True"),
    ({"samesite": "none", "max_age": 0}, ValueError, "needs secure=True"),
    ({"name": "__Secure-a"}, ValueError, "'__Secure-a' needs secure=True"),
    ({"name": "__Host-a"}, ValueError, "'__Host-a' needs secure=True"),
    ({"name": "__host-a"}, ValueError, "'__host-a' needs secure=True"),
    ({"name": "__SECURE-"}, ValueError, "'__SECURE-' needs secure=True"),
    (SECURE | {"name": "__Host-a", "path": "/a"}, ValueError, "takes no domain, and the path '/'"),
    (SECURE | {"name": "__Host-a", "path": None}, ValueError, "takes no domain, and the path '/'"),
    (SECURE | {"name": "__HOST-a", "domain": "a.org"}, ValueError, "takes no domain"),
]


@pytest.mark.parametrize(("arguments", "kind", "message"), WRONG)
def test_cookie_that_browsers_would_drop_is_refused(arguments, kind, message):
    cookies = Cookies({"a": "kept"})
    with pytest.raises(kind, match=message) as caught:
        cookies.set(**{"name": "a", "value": "v"} | arguments)
    assert type(caught.value) is kind
    assert str(caught.value).startswith("Cookie ")
    assert cookies == {"a": "kept"}


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ({"samesite": "lax"}, "a=v; Path=/; SameSite=Lax"),
        ({"samesite": "STRICT"}, "a=v; Path=/; SameSite=Strict"),
        (SECURE | {"samesite": "none"}, "a=v; Path=/; Secure; SameSite=None"),
        (SECURE | {"name": "__Host-a"}, "__Host-a=v; Path=/; Secure"),
        (SECURE | {"name": "__Host-a", "max_age": 0}, "__Host-a=v; Max-Age=0; Path=/; Secure"),
        (
            SECURE | {"name": "__Secure-a", "path": "/b", "domain": "c.org"},
            "__Secure-a=v; Domain=c.org; Path=/b; Secure",
        ),
        ({"name": "__Hosta"}, "__Hosta=v; Path=/"),
        ({"name": "_"}, "_=v; Path=/"),
        ({"path": ""}, "a=v"),
        ({"path": "/a/%C3%A9,b=c"}, "a=v; Path=/a/%C3%A9,b=c"),
        ({"domain": ""}, "a=v; Path=/"),
        ({"domain": ".a-b.example.org"}, "a=v; Domain=.a-b.example.org; Path=/"),
        ({"domain": "localhost"}, "a=v; Domain=localhost; Path=/"),
        ({"domain": "127.0.0.1"}, "a=v; Domain=127.0.0.1; Path=/"),
        ({"max_age": 2**32 - 1}, "a=v; Max-Age=4294967295; Path=/"),
        ({"max_age": -(10**5000)}, "a=v; Max-Age=0; Path=/"),
        (
            {"expires": datetime(1601, 1, 1, tzinfo=UTC)},
            "a=v; Expires=Mon, 01 Jan 1601 00:00:00 GMT; Path=/",
        ),
        ({"expires": datetime.max}, "a=v; Expires=Fri, 31 Dec 9999 23:59:59 GMT; Path=/"),
        ({"value": "é"}, "a=%C3%A9; Path=/"),
        ({"value": "a%20b"}, "a=a%2520b; Path=/"),
        ({"value": "é b"}, 'a="%C3%A9 b"; Path=/'),
    ],
)
def test_cookie_that_browsers_accept_is_sent(arguments, line):
    assert lines(**{"name": "a", "value": "v"} | arguments) == [line]


@pytest.mark.parametrize("value", [None, b"v", "\ud800"])
async def test_a_value_of_another_kind_is_logged_and_a_500(serve, value, caplog):
    async def handler(request, response):
        response.cookies["a"] = value

    answer = await (await serve(handler)).exchange(
        b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    )
    assert answer.startswith("HTTP/1.1 500 ")
    assert len(re.findall("can't be sent", caplog.text)) == 1
