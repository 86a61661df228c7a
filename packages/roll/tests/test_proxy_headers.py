"""The extension `proxy_headers`: trusted proxies, and the fields that they send."""

import ipaddress
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roll import Roll, extensions
from roll.command import main
from roll.command.options import parser
from roll.command.preparing import load_application
from roll.extensions.forwarded import ALL_FIELDS, Origin, Trusted, origin_of, read_forwarded
from roll.extensions.proxy_headers import ProxyHeaders

PROXY = ("10.0.0.1", 4000)
TRUSTED = Trusted(["10.0.0.0/8", "unix"])


def read(peer=PROXY, trusted=TRUSTED, fields=ALL_FIELDS, **headers):
    named = {name.upper().replace("_", "-"): value for name, value in headers.items()}
    return origin_of(named, peer, trusted, fields)


def x(peer=PROXY, **values):
    return read(peer, **{f"x_forwarded_{name}": value for name, value in values.items()})


def client(origin):
    return origin.client


@pytest.mark.parametrize(
    ("field", "found"),
    [
        ("192.0.2.1", ("192.0.2.1", 0)),
        ("192.0.2.1:80", ("192.0.2.1", 80)),
        ("192.0.2.1:_port", ("192.0.2.1", 0)),
        ("[2001:db8::1]:_p", ("2001:db8::1", 0)),
        ("192.0.2.1:65535", ("192.0.2.1", 65535)),
        ("2001:db8::1", ("2001:db8::1", 0)),
        ("[2001:db8::1]:80", ("2001:db8::1", 80)),
        ("[2001:db8::1]", ("2001:db8::1", 0)),
        ("spoofed, 192.0.2.1", ("192.0.2.1", 0)),
        ("192.0.2.9, 192.0.2.1", ("192.0.2.1", 0)),
        ("192.0.2.1, 10.1.1.1", ("192.0.2.1", 0)),
        ("192.0.2.1 ,\t10.1.1.1, 10.1.1.2", ("192.0.2.1", 0)),
        ("10.2.2.2, 10.1.1.1", ("10.2.2.2", 0)),
        ("::ffff:192.0.2.1", ("192.0.2.1", 0)),
        ("192.0.2.1, ::ffff:10.1.1.1", ("192.0.2.1", 0)),
        ("192.0.2.1, unknown", None),
        ("_hidden", None),
        ("made up, unix:", None),
        (", 192.0.2.1, ,", ("192.0.2.1", 0)),
    ],
)
def test_client_is_the_last_address_that_is_not_a_trusted_proxy(field, found):
    assert x(**{"for": field}).client == found


@pytest.mark.parametrize("peer", [("192.0.2.7", 1), ("not an address", 1), ("2001:db8::1", 1)])
def test_fields_of_an_untrusted_client_are_ignored(peer):
    assert x(peer, **{"for": "192.0.2.1", "proto": "nonsense", "host": "evil"}) is None


def test_proxy_of_a_unix_socket_is_trusted_by_name():
    assert x(None, proto="https").scheme == "https"
    assert origin_of({"X-FORWARDED-PROTO": "https"}, None, Trusted(["::1"]), ALL_FIELDS) is None


def test_star_trusts_every_client():
    found = read(("192.0.2.7", 1), Trusted(["*"]), x_forwarded_for="192.0.2.1, 192.0.2.2")
    assert found.client == ("192.0.2.1", 0)


@pytest.mark.parametrize("count", [1, 99, 100])
def test_client_behind_many_proxies_is_found(count):
    many = ", ".join(["192.0.2.9"] * 5 + ["192.0.2.1"] + ["10.1.1.1"] * (count - 1))
    assert x(**{"for": many}).client == ("192.0.2.1", 0)
    pairs = many.replace(" ", "").replace(",", ",for=")
    assert read(forwarded=f"for={pairs}").client == ("192.0.2.1", 0)
    trusted = ", ".join(["10.1.1.2"] + ["10.1.1.1"] * (count - 1))
    assert x(**{"for": trusted}).client == ("10.1.1.2", 0)


@pytest.mark.parametrize("count", [101, 102, 10_000])
def test_more_proxies_are_an_error(count):
    with pytest.raises(ValueError, match="has passed more than 100 proxies"):
        x(**{"for": "10.1.1.1," * count})
    with pytest.raises(ValueError, match="has passed more than 100 proxies"):
        read(forwarded="for=10.1.1.1," * count)


def test_values_of_other_lists_belong_to_their_proxy_among_many():
    clients = "10.1.1.1," * 400 + "192.0.2.1," + "10.1.1.1," * 50
    schemes = "ftp," * 400 + "https," + "http," * 50
    found = x(**{"for": clients, "proto": schemes, "host": "a," * 400 + "b," + "c," * 50})
    assert (found.client, found.scheme, found.host) == (("192.0.2.1", 0), "https", "b")


@given(
    st.lists(
        st.one_of(
            st.ip_addresses(v=4, network="10.0.0.0/28"), st.ip_addresses(network="fd00::/124")
        )
    ),
    st.lists(
        st.tuples(
            st.sampled_from(["10.0.0.0", "10.0.0.8", "fd00::", "fd00::8", "::ffff:10.0.0.4"]),
            st.integers(0, 5),
        )
    ),
)
def test_address_is_trusted_if_a_network_has_it(addresses, networks):
    named = [
        ipaddress.ip_network((address, (128 if ":" in address else 32) - bits), strict=False)
        for address, bits in networks
    ]
    trusted = Trusted(list(map(str, named)))
    for address in addresses:
        both = {address}
        if address.version == 4:
            both.add(ipaddress.ip_address(f"::ffff:{address}"))
        known = any(one in network for one in both for network in named)
        assert trusted.has(str(address)) is known


def test_request_without_fields_has_no_origin():
    assert read() is None
    assert x(proto="") is None
    assert read(forwarded="") is None


def test_scheme_and_host_are_those_of_the_proxy_nearest_to_the_client():
    found = x(**{"for": "9.9.9.9, 192.0.2.1, 10.1.1.1", "proto": "ftp, https, http"})
    assert (found.client, found.scheme) == (("192.0.2.1", 0), "https")
    # A proxy that replaces one list, and appends to the other.
    found = x(**{"for": "9.9.9.9, 192.0.2.1, 10.1.1.1", "proto": "https", "host": "example.org"})
    assert (found.scheme, found.host) == ("https", "example.org")


def test_client_is_the_proxy_if_it_sends_only_the_scheme():
    assert x(proto="https") == Origin(PROXY, "https", None, None)
    assert read(forwarded="proto=https") == Origin(PROXY, "https", None, None)


@pytest.mark.parametrize(
    ("values", "host"),
    [
        ({"host": "example.org", "port": "8443"}, "example.org:8443"),
        ({"host": "example.org", "port": "443", "proto": "https"}, "example.org"),
        ({"host": "example.org", "port": "80"}, "example.org"),
        ({"host": "example.org:1", "port": "8443"}, "example.org:1"),
        ({"host": "[2001:db8::1]", "port": "8443"}, "[2001:db8::1]:8443"),
        ({"port": "8443"}, None),
    ],
)
def test_port_is_added_to_a_host_without_one(values, host):
    assert x(**values).host == host


@pytest.mark.parametrize(
    ("prefix", "found"), [("/shop", "/shop"), ("/a/b/", "/a/b"), ("/", None), ("/x, /y", "/y")]
)
def test_prefix_is_a_path_without_its_last_slash(prefix, found):
    assert x(prefix=prefix).prefix == found


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"for": "somebody"}, "A forwarded address is invalid: 'somebody'"),
        ({"for": "1.2.3.4.5"}, "A forwarded address is invalid"),
        ({"for": "192.0.2.1:"}, "A forwarded address is invalid: '192.0.2.1:'"),
        ({"for": "192.0.2.1:port"}, "A forwarded address is invalid"),
        ({"for": "192.0.2.1:-1"}, "A forwarded address is invalid"),
        ({"for": "192.0.2.1:65536"}, "A forwarded address is invalid"),
        ({"for": "192.0.2.1:\u0663"}, "A forwarded address is invalid"),
        ({"for": f"192.0.2.1:{'9' * 5000}"}, "A forwarded address is invalid"),
        ({"for": "[192.0.2.1]"}, "A forwarded address is invalid"),
        ({"for": "[192.0.2.1]:80"}, "A forwarded address is invalid"),
        ({"for": "[2001:db8::1"}, "A forwarded address is invalid"),
        ({"for": "2001:db8::1]"}, "A forwarded address is invalid"),
        ({"for": "[2001:db8::1]:"}, "A forwarded address is invalid"),
        ({"for": "[2001:db8::1]80"}, "A forwarded address is invalid"),
        ({"for": "[[2001:db8::1]]"}, "A forwarded address is invalid"),
        ({"host": "a:65536"}, "The forwarded host is invalid: 'a:65536'"),
        ({"port": "no"}, "X-Forwarded-Port is not a port: 'no'"),
        ({"proto": "ftp"}, "neither http nor https: 'ftp'"),
        ({"host": "a/b"}, "The forwarded host is invalid: 'a/b'"),
        ({"host": "a@b"}, "The forwarded host is invalid"),
        ({"host": "ex\u00e4mple"}, "The forwarded host is invalid"),
        ({"host": "a", "port": "99999"}, "X-Forwarded-Port is not a port: '99999'"),
        ({"host": "a", "port": "\u0663"}, "X-Forwarded-Port is not a port"),
        ({"prefix": "shop"}, "X-Forwarded-Prefix is not a path: 'shop'"),
        ({"prefix": "//evil.example"}, "X-Forwarded-Prefix is not a path"),
        ({"prefix": "/a b"}, "X-Forwarded-Prefix is not a path"),
    ],
)
def test_malformed_field_of_a_trusted_proxy_is_refused(values, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        x(**values)


@pytest.mark.parametrize(
    ("field", "found"),
    [
        ("for=192.0.2.1", Origin(("192.0.2.1", 0), None, None, None)),
        (
            'For="[2001:db8::1]:4711";Proto=HTTPS ; host="example.org:8443";by=203.0.113.43',
            Origin(("2001:db8::1", 4711), "https", "example.org:8443", None),
        ),
        ("for=9.9.9.9;proto=ftp, for=192.0.2.1", Origin(("192.0.2.1", 0), None, None, None)),
        (
            "for=192.0.2.1;proto=https;host=a, for=10.1.1.1;proto=http;host=b",
            Origin(("192.0.2.1", 0), "https", "a", None),
        ),
        ('for="192.0.2.1:\\80"', Origin(("192.0.2.1", 80), None, None, None)),
        ("for=unknown;host=a", Origin(None, None, "a", None)),
        ("for=_x", Origin(None, None, None, None)),
        (", ,for=192.0.2.1,", Origin(("192.0.2.1", 0), None, None, None)),
        ('for=192.0.2.1;secret="a, for=10.9.9.9"', Origin(("192.0.2.1", 0), None, None, None)),
    ],
)
def test_forwarded_is_read_as_rfc_7239_says(field, found):
    assert read(forwarded=field) == found


@pytest.mark.parametrize(
    "field",
    [
        "for",
        "for=",
        "for=[::1]",
        'for="192.0.2.1',
        "for=1.1.1.1;for=2.2.2.2",
        "=a",
        "for=a b",
        "\u00e9",
    ],
)
def test_malformed_forwarded_is_refused(field):
    with pytest.raises(ValueError, match=r"Forwarded (is malformed|has for twice)"):
        read(forwarded=field)


def test_both_kinds_of_fields_are_refused():
    with pytest.raises(ValueError, match="the proxy has to remove one"):
        read(forwarded="for=192.0.2.1", x_forwarded_proto="https")


def test_fields_that_the_proxy_passes_on_are_left_out():
    fields = ("for", "proto")
    found = read(
        fields=fields,
        forwarded="for=6.6.6.6",
        x_forwarded_for="192.0.2.1",
        x_forwarded_host="evil",
    )
    assert found == Origin(("192.0.2.1", 0), None, None, None)


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text):
    for headers in ({"FORWARDED": text}, {"X-FORWARDED-FOR": text}, {"X-FORWARDED-HOST": text}):
        try:
            origin = origin_of(headers, PROXY, TRUSTED, ALL_FIELDS)
        except ValueError:
            continue
        assert origin is None or isinstance(origin, Origin)


QUOTED = st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), max_size=20)


@given(st.lists(QUOTED, min_size=1, max_size=5))
def test_quoted_values_come_back(values):
    field = ",".join('host="' + re.sub(r'(["\\])', r"\\\1", value) + '"' for value in values)
    assert [hop.host for hop in read_forwarded(field)] == values


@pytest.mark.parametrize(
    "filler", ["=", '"', "\\", ";", ",", " ", "a=b;", 'a="', "for=1,", "[", ":"]
)
def test_reading_is_linear_in_time(filler, steps):
    def work(n):
        field = filler * n
        for name in ("FORWARDED", "X-FORWARDED-FOR", "X-FORWARDED-HOST", "X-FORWARDED-PREFIX"):
            try:
                origin_of({name: field}, PROXY, TRUSTED, ALL_FIELDS)
            except ValueError:
                continue

    assert steps(work, 16_000) < 8 * steps(work, 4_000)


@pytest.fixture
def steps():
    """The CPU seconds of a call, the least of some."""
    from time import process_time

    def steps(work, n):
        times = []
        for _ in range(5):
            begin = process_time()
            work(n)
            times.append(process_time() - begin)
        return max(min(times), 1e-4)

    return steps


@pytest.mark.parametrize(
    ("trusted", "message"),
    [
        ("10.0.0.1", "`trusted` is a list of addresses or networks, not '10.0.0.1'"),
        (5, "`trusted` is a list of addresses or networks, not 5"),
        (bytearray(b"x"), "`trusted` is a list of addresses or networks, not bytearray"),
        (["proxy"], "'unix' or '*', not 'proxy'"),
        (["10.0.0.1/8"], "has host bits set"),
        ([None], "not None"),
        ([5], "'unix' or '*', not 5"),
        ([True], "'unix' or '*', not True"),
        ([b"\x0a\0\0\1"], "'unix' or '*', not b'"),
        ([[]], "'unix' or '*', not []"),
        ([{}], "'unix' or '*', not {}"),
        (["0.0.0.0"], "no proxy has '0.0.0.0': write '*' for all, or"),
        (["127.0.0.1", "::"], "no proxy has '::': write '*' for all, or"),
        (iter(["10.0.0.1"]), "`trusted` is a list of addresses or networks, not <"),
        (True, "`trusted` is a list of addresses or networks, not True"),
        (b"10.0.0.1", "`trusted` is a list of addresses or networks, not b'10.0.0.1'"),
    ],
)
def test_wrong_list_is_refused_at_once(app, trusted, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        extensions.proxy_headers(app, trusted)


@pytest.mark.parametrize(
    ("network", "inside", "outside"),
    [
        ("::ffff:10.0.0.0/104", "10.255.0.1", "11.0.0.1"),
        ("::ffff:10.0.0.1", "10.0.0.1", "10.0.0.2"),
        ("::ffff:0:0/96", "192.0.2.1", "2001:db8::1"),
        ("::/0", "2001:db8::1", None),
        ("2001:db8::/32", "2001:db8::1", "10.0.0.1"),
        ("fe80::1", "fe80::1%eth0", "fe80::2"),
        (ipaddress.ip_network("10.0.0.0/8"), "::ffff:10.0.0.1", "::ffff:11.0.0.1"),
    ],
)
def test_a_mapped_network_is_that_of_ipv4(network, inside, outside):
    trusted = Trusted([network])
    assert trusted.has(inside)
    assert not trusted.has(outside)


@pytest.mark.parametrize("fields", ["for", ["For"], ["for", "by"], 5, None, [5]])
def test_wrong_fields_are_refused_at_once(app, fields):
    with pytest.raises(ValueError, match="`fields` has some of forwarded, for, proto"):
        extensions.proxy_headers(app, fields=fields)


@pytest.fixture
def told(app):
    """The origin of the client, as a handler sees it."""

    @app.route("/")
    async def index(request, response):
        client = request.client and request.client[0]
        response.json = [client, request.scheme, request.host, request.base_url]

    return app


FIELDS = {
    "X-Forwarded-For": "192.0.2.1",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "example.org",
    "X-Forwarded-Prefix": "/shop",
}


async def ask(liveclient, headers):
    response = await liveclient.query("GET", "/", headers={"Host": "here", **headers})
    return response.status, response.body


async def test_nothing_is_believed_by_default(told, liveclient):
    _, body = await ask(liveclient, FIELDS)
    assert body == b'["127.0.0.1","http","here","http://here"]'


async def test_origin_is_that_of_the_client_behind_a_trusted_proxy(told, liveclient):
    extensions.proxy_headers(told)
    _, body = await ask(liveclient, FIELDS)
    assert body == b'["192.0.2.1","https","example.org","https://example.org/shop"]'
    _, body = await ask(liveclient, {})
    assert body == b'["127.0.0.1","http","here","http://here"]'


async def test_host_of_the_client_is_kept_if_the_proxy_sends_none(told, liveclient):
    extensions.proxy_headers(told)
    _, body = await ask(liveclient, {"X-Forwarded-Proto": "https"})
    assert body == b'["127.0.0.1","https","here","https://here"]'


async def test_malformed_field_is_a_400(told, liveclient):
    extensions.proxy_headers(told, ["127.0.0.1"])
    status, body = await ask(liveclient, {"X-Forwarded-For": "me"})
    assert status == 400
    assert body == b"A forwarded address is invalid: 'me'"


async def test_other_listeners_see_the_origin(told, liveclient):
    seen = []
    told.listen("headers")(lambda request: seen.append(request.client))
    extensions.proxy_headers(told)
    await ask(liveclient, FIELDS)
    assert seen == [("192.0.2.1", 0)]


def test_list_of_the_server_replaces_only_the_default():
    by_default, named = ProxyHeaders(None, ALL_FIELDS), ProxyHeaders(["10.0.0.1"], ALL_FIELDS)
    for listener in (by_default, named):
        listener.trust(["192.0.2.1"])
    assert by_default.trusted.has("192.0.2.1")
    assert not named.trusted.has("192.0.2.1")
    assert named.trusted.has("10.0.0.1")


def test_request_made_by_hand_has_a_base_url():
    from roll import Request

    request = Request(Roll(), None)
    request.headers["HOST"] = "example.org"
    assert request.base_url == "http://example.org"


def test_command_line_names_the_proxies(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    text = "from roll import Roll, extensions\napp = Roll()\nother = Roll()\n"
    tmp_path.joinpath("proxied.py").write_text(text + "extensions.proxy_headers(other)\n")
    for name in ("app", "other"):
        command = ["run", f"proxied:{name}", "--forwarded-allow-ips", "192.0.2.1,unix"]
        loaded = load_application(parser().parse_args(command))
        (listener,) = loaded.hooks["headers"]
        assert listener.trusted.has("192.0.2.1")
        assert not listener.trusted.has("127.0.0.1")


def test_wrong_list_on_the_command_line_is_an_error(capsys):
    assert main(["run", "--forwarded-allow-ips", "proxy"]) == 2
    assert "`trusted` has addresses, networks" in capsys.readouterr().err
