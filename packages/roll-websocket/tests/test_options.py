"""Invalid options are errors where they are given, and the errors say what is valid."""

import math
import re
import sys
from decimal import Decimal
from fractions import Fraction
from types import SimpleNamespace
from typing import Any

import pytest

from roll_websocket import Listener, WSProtocol, check_options

REQUEST: Any = SimpleNamespace(
    method="GET",
    version="1.1",
    headers={
        "HOST": "localhost",
        "CONNECTION": "upgrade",
        "UPGRADE": "websocket",
        "SEC-WEBSOCKET-VERSION": "13",
        "SEC-WEBSOCKET-KEY": "dGhlIHNhbXBsZSBub25jZQ==",
        "SEC-WEBSOCKET-EXTENSIONS": "permessage-deflate",
    },
)

NO_TIMES = [
    -1,
    0,
    0.0,
    -0.0,
    1e-9,
    1e300,
    10**400,
    -(10**400),
    sys.maxsize,
    math.nan,
    math.inf,
    -math.inf,
    True,
    False,
    "20",
    b"20",
    Decimal(20),
    Fraction(20),
    [20],
    object(),
]
NO_SIZES = [0, -1, True, False, 1.0, 1e6, math.nan, math.inf, "1024", b"1", Decimal(1), [1]]
NO_FLAGS = [None, 0, 1, "", "no", "deflate", b"", [], "True"]
NO_ORIGINS = [
    "*",
    "",
    "example.com",
    "https://*.example.com",
    "https://example.com/",
    "https://example.com/path",
    "https://Example.com",
    "HTTPS://example.com",
    "https://example.com:443",
    "http://example.com:80",
    "https://example.com:https",
    "https://exämple.com",
    " https://example.com",
    "https://example.com ",
    "https://example.com\n",
    "https://a.example,https://b.example",
    "https://user@example.com",
    "https://",
    "//example.com",
    "wss://example.com",
    "ws://example.com",
    b"https://example.com",
    None,
    1,
    re.compile(b"https://.*"),
]
NO_SUBPROTOCOLS = ["", "a b", "a,b", "chat\n", "é", b"chat", None, 1, "a/b", "a;q"]
NO_LISTS = [1, True, object(), b"chat", {"a": "b"}, iter(["chat"]), (x for x in ["chat"])]

NO_FIELDS = [
    ("A", "b\r\nC: d"),
    ("A", "b\nc"),
    ("A", "b\0c"),
    ("A", "\u20ac"),
    ("A", None),
    ("A", b"b"),
    ("A", ["b"]),
    ("", "b"),
    ("A B", "b"),
    ("A:", "b"),
    ("A\r\nB", "c"),
    ("\u00e9", "b"),
    (b"A", "b"),
    (1, "b"),
    (None, "b"),
]
NO_HEADERS = [None, 1, True, "A: b", b"A: b", object(), [1], ["ab"], [("A",)], [("A", "b", "c")]]

WRONG = [
    *(("headers", [field]) for field in NO_FIELDS),
    *(("headers", dict([field])) for field in NO_FIELDS),
    *(("headers", value) for value in NO_HEADERS),
    *(("ping_interval", value) for value in NO_TIMES),
    *(("ping_timeout", value) for value in NO_TIMES),
    *(("max_size", value) for value in NO_SIZES),
    *(("compression", value) for value in NO_FLAGS),
    *(("origins", [value]) for value in NO_ORIGINS),
    *(("origins", value) for value in NO_ORIGINS if isinstance(value, str)),
    *(("origins", ["https://example.com", value]) for value in NO_ORIGINS),
    *(("origins", value) for value in NO_LISTS),
    *(("subprotocols", [value]) for value in NO_SUBPROTOCOLS),
    *(("subprotocols", value) for value in NO_SUBPROTOCOLS if isinstance(value, str)),
    *(("subprotocols", value) for value in NO_LISTS),
    ("subprotocols", None),
]
RIGHT = [
    ("headers", ()),
    ("headers", {}),
    ("headers", [("A", "b"), ("A", "\u00e9"), ["B", 3]]),
    ("headers", {"A": "b", "Connection": "close"}),
    ("headers", {"A": "b"}.items()),
    *((name, value) for name in ("ping_interval", "ping_timeout") for value in (1, 0.01, 3600)),
    ("ping_interval", None),
    ("ping_timeout", None),
    ("max_size", None),
    ("max_size", 1),
    ("max_size", sys.maxsize),
    ("compression", True),
    ("compression", False),
    ("origins", None),
    ("origins", []),
    ("origins", "null"),
    ("origins", "https://example.com"),
    ("origins", ("http://localhost:3579", "https://[::1]:8443", "file://")),
    ("origins", {"chrome-extension://abcdefghijklmnop", "https://my_host.example"}),
    ("origins", [re.compile(r"https://.*\.example")]),
    ("subprotocols", ()),
    ("subprotocols", "chat"),
    ("subprotocols", ["chat", "mqtt.v5", "graphql-ws"]),
    ("subprotocols", {"chat"}),
]


@pytest.mark.parametrize(
    ("name", "value"), WRONG, ids=[f"{number}-{name}" for number, (name, _) in enumerate(WRONG)]
)
def test_invalid_option_is_an_error_wherever_it_is_given(wire: Any, name: str, value: Any) -> None:
    for give in (
        lambda: check_options({name: value}),
        lambda: Listener(wire.echo, **{name: value}),
        lambda: WSProtocol(REQUEST).handshake(**{name: value}),
    ):
        with pytest.raises(ValueError, match=f"^`{name}`") as caught:
            give()
        text = str(caught.value)
        shown = value[-1] if name in LISTS and type(value) is list else value
        for part in each_shown(name, shown):
            assert repr(part) in text


LISTS = {"origins", "subprotocols", "headers"}


def each_shown(name: str, value: Any) -> list[Any]:
    """The parts that a message must show: the name and the value of a field."""
    if name == "headers" and isinstance(value, dict):
        return list(*value.items())
    return list(value) if name == "headers" and isinstance(value, tuple) else [value]


def test_iterator_of_fields_for_all_connections_is_refused(wire: Any) -> None:
    for headers in (iter([("A", "b")]), (pair for pair in [("A", "b")])):
        with pytest.raises(ValueError, match=r"^`headers` .* not the iterator"):
            Listener(wire.echo, headers=headers)
        assert b"\r\nA: b\r\n" in WSProtocol(REQUEST).handshake(headers)


@pytest.mark.parametrize("options", [None, 1, "max_size", [("max_size", 1)]])
def test_options_are_a_mapping(options: Any) -> None:
    with pytest.raises(TypeError, match="mapping of names"):
        check_options(options)


@pytest.mark.parametrize(
    ("name", "value"), RIGHT, ids=[f"{number}-{name}" for number, (name, _) in enumerate(RIGHT)]
)
def test_valid_options_are_accepted(wire: Any, name: str, value: Any) -> None:
    check_options({name: value})
    Listener(wire.echo, **{name: value})
    assert WSProtocol(REQUEST).handshake(**{name: value})


def test_check_options_ignores_unknown_names() -> None:
    check_options({"name": "chat", "ping_interval": 20})


def test_protocol_class_may_have_its_own_options(wire: Any) -> None:
    class Own(WSProtocol):
        def handshake(self, *args: Any, room: str = "", **options: Any) -> bytes:
            return super().handshake(*args, **options)

    assert Listener(wire.echo, protocol=Own, room="lobby").options == {"room": "lobby"}
    with pytest.raises(ValueError, match="ping_interval"):
        Listener(wire.echo, protocol=Own, room="lobby", ping_interval=-1)


@pytest.mark.parametrize(
    "origin",
    [
        *("https://a:99999", "https://a:080", "https://a:0", "https://.", "https://[::1]:65536"),
        *(
            "https://[0:0:0:0:0:0:0:1]",
            "https://[:::]",
            "http://[::ffff:1.2.3.4]",
            "http://[::01]",
        ),
        *("http://127.1", "http://127.0.0.01", "http://256.1.1.1", "http://1.2.3.4.5:8080"),
        *("http://0x7f.0.0.1", "http://a.1", "http://127.0.0.1.", "http://2130706433"),
    ],
)
def test_an_origin_that_no_browser_has_is_refused(origin: str) -> None:
    with pytest.raises(ValueError, match="origins"):
        check_options({"origins": [origin]})


@pytest.mark.parametrize(
    "origin",
    [
        *("https://a:65535", "http://a-b.c:8080", "https://[::1]:8443", "https://[2001:db8::1]"),
        *("http://127.0.0.1:3579", "https://[::ffff:102:304]", "http://1a.b2", "http://0xg"),
        *("chrome-extension://0123", "https://a.org."),
    ],
)
def test_origin_with_a_port_is_accepted(origin: str) -> None:
    check_options({"origins": [origin]})
