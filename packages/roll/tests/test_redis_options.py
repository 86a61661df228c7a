"""URLs of Redis: what is wrong in them is an error where they are given."""

import asyncio
import ssl
from functools import partial

import pytest
from redis.exceptions import RedisError

from roll import Roll
from roll.extensions import RedisStore, rooms, sessions
from roll.extensions.rooms import redis_bus
from roll.extensions.sessions import stores

PASSWORD = "s3cretpw"
HOST = f"ada:{PASSWORD}@127.0.0.1"

USES = {"store": RedisStore, "rooms": partial(rooms, Roll())}


@pytest.fixture(params=USES.values(), ids=list(USES))
def use(request):
    """What takes the URL of a Redis."""
    return request.param


def refusal(use, url):
    """The text of the error that a URL raises."""
    with pytest.raises(ValueError, match="url") as caught:
        use(url)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None or caught.value.__suppress_context__
    return str(caught.value)


UNKNOWN = {
    *("foo=bar", "socket_timout=1", "Db=1", "=1", "foo", "db%20=1", "é=1", "max_connection=1"),
    # Objects of Python, and what changes the text that Roll reads.
    *("connection_class=a", "parser_class=x", "retry=1", "redis_connect_func=1", "queue_class=x"),
    *("encoding=foo", "encoding=utf-16", "encoding_errors=ignore", "decode_responses=false"),
    *("encoder_class=x", "credential_provider=x", "retry_on_error=x", "event_dispatcher=x"),
    *("socket_keepalive_options=x", "socket_type=1", "maint_notifications_config=x"),
}


@pytest.mark.parametrize("query", sorted(UNKNOWN))
def test_unknown_option_is_refused(use, query):
    text = refusal(use, f"redis://{HOST}?db=1&{query}")
    assert text.startswith("`url` has no option '")
    assert query.partition("=")[0].replace("%20", " ") in text
    assert "socket_timeout, " in text
    assert PASSWORD not in text


WRONG = {
    **dict.fromkeys(("db", "max_connections", "health_check_interval"), ("-1", "x", "1.5", "٣")),
    **dict.fromkeys(
        ("timeout", "socket_timeout", "socket_connect_timeout"),
        ("-1", "0", "nan", "inf", "1e400", "x", "-0.0"),
    ),
    **dict.fromkeys(("socket_keepalive", "retry_on_timeout"), ("2", "maybe", "None", "-1")),
    "socket_read_size": ("0", "-1", "x", "1e3"),
    "protocol": ("9", "1", "-2", "x", "2.0"),
    "port": ("65536", "-1", "x"),
    "ssl_check_hostname": ("x",),
    "ssl_min_version": ("1", "TLSv1_2", "-1"),
    "ssl_include_verify_flags": ("X", "[VERIFY_X509_STRICT,X]"),
}


@pytest.mark.parametrize(
    ("name", "value"),
    [(name, value) for name, values in WRONG.items() for value in (*values, "", "1" * 5000)],
)
def test_invalid_value_of_an_option_is_refused(use, name, value):
    text = refusal(use, f"rediss://{HOST}/2?{name}={value}")
    assert text.startswith(f"The option '{name}' of `url` is ")
    assert PASSWORD not in text
    assert len(text) < 300


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("redis://{}?path=/run/redis", "path"),
        ("unix://ada:s3cretpw@/run/redis?host=a&db=1", "host"),
        ("unix://ada:s3cretpw@/run/redis?socket_keepalive=1", "socket_keepalive"),
        ("rediss://{}?ssl_cert_reqs=perhaps", "ssl_cert_reqs"),
    ],
)
def test_option_of_another_server_is_refused(use, url, name):
    text = refusal(use, url.format(HOST))
    assert text.startswith(f"The option '{name}' of `url` cannot be used with this server")
    assert PASSWORD not in text


@pytest.mark.parametrize("name", ["", "a%20b", "%0a", "%C3%A9", "a%00"])
def test_name_that_redis_does_not_take_is_refused(use, name):
    text = refusal(use, f"redis://{HOST}?client_name={name}")
    assert text.startswith("The option 'client_name' of `url` is a name of ASCII characters")


@pytest.mark.parametrize("option", ["ssl_ca_certs=a", "ssl_check_hostname=no"])
def test_option_of_tls_needs_its_scheme(use, option):
    name = option.partition("=")[0]
    text = refusal(use, f"redis://{HOST}?db=1&{option}")
    assert text == f"The option '{name}' of `url` is for TLS: write `rediss://`"


@pytest.mark.parametrize("path", ["/-1", "/x", "/1.5", "/1/2", "/%2d1", "/0x1", f"/{'1' * 5000}"])
def test_path_that_is_not_a_database_is_refused(use, path):
    text = refusal(use, f"redis://{HOST}{path}")
    assert text.startswith("The path of `url` is a database, a number of at most 9 digits, ")
    assert PASSWORD not in text


def test_option_that_is_given_twice_is_refused(use):
    assert refusal(use, f"redis://{HOST}?db=1&db=2") == "`url` has the option 'db' twice"


@pytest.mark.parametrize(
    "url",
    [
        *(f"redis://ada:1{sign}{PASSWORD}@127.0.0.1" for sign in ("/", "?", "#", "/1?", "?db=")),
        *(f"redis://ada:{PASSWORD}{sign}1@127.0.0.1" for sign in ("/", "?", "#", "[", "]")),
        *(f"redis://:{PASSWORD}\u2100@127.0.0.1", f"redis://{PASSWORD}@127.0.0.1:port"),
        *(f"redis://{HOST}:99999", f"redis://{HOST}?client_name=a@b", f"redis://{HOST}#db"),
        f"unix://ada:1?{PASSWORD}@/run/redis",
    ],
)
def test_password_that_is_not_encoded_is_refused_and_not_shown(use, url):
    text = refusal(use, url)
    assert text.startswith("`url` has no valid host and port. In its user, password and query, ")
    assert PASSWORD not in text


OPTIONS = {
    "db=3": {"db": 3},
    "socket_timeout=1.5&socket_connect_timeout=2": {
        "socket_timeout": 1.5,
        "socket_connect_timeout": 2.0,
    },
    "health_check_interval=0": {"health_check_interval": 0},
    "socket_read_size=1000": {"socket_read_size": 1000},
    "socket_keepalive=Yes&retry_on_timeout=F": {
        "socket_keepalive": True,
        "retry_on_timeout": False,
    },
    "client_name=a%40b%2525": {"client_name": "a@b%25"},
    "username=bob&password=p%2Fw": {"username": "bob", "password": "p/w"},
}


@pytest.mark.parametrize(("query", "expected"), OPTIONS.items(), ids=list(OPTIONS))
def test_options_of_the_url_replace_the_defaults(query, expected):
    url = f"redis://127.0.0.1?{query}"
    for pool in (
        RedisStore(url)._redis.connection_pool,
        redis_bus.pool_of(url),
    ):
        got = {name: pool.connection_kwargs[name] for name in expected}
        assert repr(got) == repr(expected)  # 1 and True are equal


def test_options_of_the_pool_are_numbers():
    pool = RedisStore("redis://127.0.0.1?timeout=2&max_connections=7")._redis.connection_pool
    assert (pool.timeout, pool.max_connections) == (2.0, 7)


@pytest.mark.parametrize(
    "query",
    [
        "?ssl_cert_reqs=none&ssl_check_hostname=false",
        "?ssl_ca_certs=/etc/ca.pem&ssl_keyfile=a&ssl_certfile=b",
        "?protocol=3",
    ],
)
def test_options_of_tls_are_accepted(use, query):
    use(f"rediss://{HOST}:6380/1{query}")


def test_options_of_tls_have_their_types():
    query = "ssl_min_version=771&ssl_include_verify_flags=[VERIFY_X509_STRICT]"
    pytest.importorskip("redis", "7.0")
    got = RedisStore(f"rediss://{HOST}?{query}")._redis.connection_pool.connection_kwargs
    assert got["ssl_min_version"] is ssl.TLSVersion.TLSv1_2
    assert got["ssl_include_verify_flags"] == [ssl.VerifyFlags.VERIFY_X509_STRICT]


@pytest.mark.parametrize(
    "url", ["redis://", "redis://:6380", "redis://h/", "redis://h/1/", "unix:///a@b/c?db=1"]
)
def test_other_urls_are_accepted(use, url):
    use(url)


def test_what_rooms_need_is_not_replaced():
    """One task reads the messages of rooms, also while there are none."""
    url = "redis://127.0.0.1?socket_timeout=1&health_check_interval=1&protocol=3"
    got = redis_bus.pool_of(url, waits=True).connection_kwargs
    assert (got["socket_timeout"], got["health_check_interval"], got["protocol"]) == (None, 0, 2)
    assert redis_bus.pool_of(url).connection_kwargs["socket_timeout"] == 1


# A Redis that does not answer.


def test_each_wait_ends_whatever_the_defaults_of_redis_are():
    pools = RedisStore("redis://127.0.0.1")._redis.connection_pool, redis_bus.pool_of("redis://")
    for pool in pools:
        given = pool.connection_kwargs
        assert given["socket_timeout"] == given["socket_connect_timeout"] == stores.PATIENCE
        assert stores.PATIENCE < pool.timeout < 2 * stores.PATIENCE


@pytest.fixture
async def silent(monkeypatch):
    """The URL of a server that accepts connections, and answers nothing."""
    monkeypatch.setattr(stores, "PATIENCE", 0.05)

    async def serve(reader, writer):
        await reader.read()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    yield f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    server.close()


async def test_request_with_a_session_is_a_500_if_redis_is_silent(app, liveclient, silent):
    sessions(app, "a secret of many characters", store=RedisStore(silent))

    @app.route("/")
    async def index(request, response):
        request.session["a"] = 1

    async with asyncio.timeout(20):
        responses = await asyncio.gather(*(liveclient.get("/") for _ in range(60)))
        assert {response.status for response in responses} == {500}
        await liveclient.stop()


async def test_options_of_the_url_may_be_shorter(silent):
    store = RedisStore(f"{silent}?socket_timeout=0.01")
    async with asyncio.timeout(20):
        with pytest.raises(RedisError):
            await store.load("a")
        await store.close()
