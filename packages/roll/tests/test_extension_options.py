"""Options of extensions: an invalid one is an error where it is given, with advice."""

import logging
import re
import reprlib
import warnings
from functools import partial
from pathlib import Path

import pytest

from roll import Limits, Roll, RollWarning
from roll.extensions import access_log, cors, logger, simple_server, static

FIELDS = "`access_format` is text with fields of %(peer)s, %(method)s, %(url)s, %(version)s, "


class Later(logging.Handler):
    """A handler and a stream whose methods nothing awaits."""

    async def emit(self, record): ...

    async def write(self, data): ...


MISTAKES = [
    (cors, {"methods": 5}, "`methods` is a list of names, or text, and cannot have 5"),
    (cors, {"methods": [5]}, "`methods` is a list of names, or text, and cannot have 5"),
    (cors, {"methods": ["GTE"]}, "`methods` has no method 'GTE': those of HTTP are GET, HEAD, "),
    (cors, {"methods": b"GET"}, "`methods` is a list of names, or text, and cannot have b'GET'"),
    (
        cors,
        {"methods": {"GET": 1}},
        "`methods` is a list of names, or text, and cannot have {",
    ),
    (cors, {"headers": 5}, "`headers` is a list of names, or text, and cannot have 5"),
    (cors, {"headers": ["X A"]}, "`headers` is a list of names, or text, and cannot have 'X A'"),
    (cors, {"headers": ["a\r\nb"]}, "`headers` is a list of names, or text, and cannot have 'a"),
    (
        cors,
        {"methods": "GET\r\nX: y"},
        "is a list of names, or text, and cannot have 'GET\\r\\nX:",
    ),
    (cors, {"methods": "GET POST"}, "is a list of names, or text, and cannot have 'GET POST'"),
    (cors, {"methods": "GET,\ud800"}, "`methods` is a list of names, or text, and cannot have "),
    (cors, {"headers": "X-A\0"}, "`headers` is a list of names, or text, and cannot have 'X-A"),
    (cors, {"headers": "X-A; X-B"}, "`headers` is a list of names, or text, and cannot have 'X-"),
    (cors, {"headers": "X-\xe9"}, "`headers` is a list of names, or text, and cannot have 'X-é'"),
    *(
        (cors, {"origin": word}, f"or the usual port: it cannot have {word!r}")
        for word in (
            *("", "a b", "a\r\nX: y", "https://a\r\nX: y", "\xe9", "\ud800", "a\0", "a\x7f"),
            *("example.org", "localhost:3579", "x", "/tmp", "*.example.org", "//example.org"),
            *("HTTPS://example.org", "https://Example.org", "https:example.org", "NULL", "**"),
            *("http://127.1", "https://[0::1]", "https://example.org/a", "https://example.org?"),
        )
    ),
    (cors, {"origin": Path}, "`origin` cannot be the class <class 'pathlib"),
    (cors, {"origin": partial(Path, "a")}, "`origin` cannot be the class functools.part"),
    (
        cors,
        {"origin": lambda: True},
        "The function that checks an origin is called with (origin",
    ),
    (cors, {"origin": lambda a, b: True}, "takes (a, b): missing a required argument: 'b'"),
    (cors, {"origin": lambda *, origin: 1}, "takes (*, origin): too many positional arguments"),
    (cors, {"origin": partial(lambda a, b, c: 1, 1)}, "takes (b, c): missing a required argument"),
    (
        cors,
        {"credentials": "no", "origin": "https://a.org"},
        "`credentials` is True or False",
    ),
    (cors, {"max_age": 2**31 + 1}, "`max_age` is a number of seconds, not 2147483649"),
    (cors, {"max_age": 10**400}, "`max_age` is a number of seconds, not <an int of 1329 bits>"),
    (cors, {"max_age": -2}, "`max_age` is a number of seconds, not -2"),
    (cors, {"max_age": True}, "`max_age` is a number of seconds, not True"),
    *(
        (
            cors,
            {"origin": "https://a.org", "credentials": True, "headers": names},
            "`credentials=True` needs the names of the headers",
        )
        for names in ("*", " * ", "X, *", "X,\t*\t", ["X", "*"])
    ),
    (static, {"max_age": 10**4000}, "`max_age` is a number of seconds, such as 3600, not <an int"),
    *(
        (static, {"default_index": value}, "`default_index` is text, such as 'index.html', not ")
        for value in (0, False, [], {}, b"")
    ),
    *(
        (access_log, {"format": f"%({name})c"}, "`format` cannot be filled in: ")
        for name in ("peer", "bytes", "duration", "{A}i")
    ),
    (logger, {"access_format": "%(bytes)c"}, "`access_format` is text with fields of"),
    (logger, {"access_format": "%(peer)c"}, "`access_format` is text with fields of"),
    (cors, {"max_age": "600"}, "`max_age` is a number of seconds, not '600'"),
    (cors, {"origin": b"*"}, "`origin` is an origin, several, or a function, not b'*'"),
    (cors, {"origin": [5]}, "`origin` has origins as browsers send them, such as 'https://ex"),
    (
        cors,
        {"origin": ["a.org"]},
        "in lower case, without a path or the usual port: it cannot have 'a.org'",
    ),
    (cors, {"origin": "https://a.org/"}, "it cannot have 'https://a.org/'"),
    (cors, {"origin": "https://a.org,https://b.org"}, "it cannot have 'https://a.org,https://b"),
    (
        cors,
        {"origin": ["https://a.org:443"]},
        "usual port: it cannot have 'https://a.org:443'",
    ),
    (logger, {"level": "LOUD"}, "`level` is a level of logging, a number or one of CRITICAL, "),
    (logger, {"level": 1.5}, "WARN, WARNING, INFO, DEBUG, NOTSET, not 1.5"),
    (logger, {"level": None}, "not None"),
    (logger, {"level": []}, "not []"),
    (logger, {"handler": "stderr"}, "`handler` is a `logging.Handler`, such as `StreamHandler()`"),
    (logger, {"handler": Later()}, "`handler.emit` is never awaited"),
    (access_log, {"target": Later()}, "`target.write` is never awaited"),
    (logger, {"handler": logging.StreamHandler}, "not <class 'logging.StreamHandler'>"),
    (logger, {"access_format": "%(stat)d"}, "not '%(stat)d': KeyError('stat')"),
    (logger, {"access_format": "%(status)"}, f"{FIELDS}%(status)s, %(bytes)s, %(duration)s, not"),
    (logger, {"access_format": "%(method)d"}, "not '%(method)d': TypeError("),
    (logger, {"access_format": "{status}"}, "not '{status}'"),
    (logger, {"access_format": 5}, "not 5"),
    *(
        (logger, {"access_format": form}, "`access_format` has widths and precisions up to 1024")
        for form in ("%(status)9999999d", "%(url)1025s", "%(duration).9999999f", "%(bytes)*d")
    ),
    *(
        (access_log, {"format": form}, "`format` has widths and precisions up to 1024, not '")
        for form in (
            *("%(status)9999999d", "%(status)-01025d", "%(url)+10000.5s", "%(agent).1025s"),
            *("%(duration)1.9999999f", "%(status)" + "9" * 9000 + "d", "%%%({A}i)2000s"),
            *("%(bytes)% %(status)*d", "%(url)s %2000s", "%(url)1.*s"),
        )
    ),
    (static, {"root": None}, "`root` is the path of a folder, such as 'public', not None"),
    (static, {"root": 5}, "`root` is the path of a folder, such as 'public', not 5"),
    (static, {"root": b"public"}, "`root` is the path of a folder, such as 'public', not b'pub"),
    (static, {"prefix": 5}, "`prefix` is text, such as '/static/', not 5"),
    (static, {"prefix": None}, "`prefix` is text, such as '/static/', not None"),
    (static, {"prefix": "static"}, "The path 'static' does not begin with a '/': write '/static'"),
    (static, {"prefix": "/<int:a>/"}, "has a placeholder in '<>': write '/{a:int}'"),
    *(
        (
            static,
            {"prefix": prefix},
            f"The prefix of `static` has no placeholders: {prefix!r} cannot be used",
        )
        for prefix in (
            *("/a/{x}", "/{path}", "/{path}/", "/a{x}b/", "/{x:int}/y", "{x}", "{x:any}"),
            *("/{", "/}", "/a{/", "}", "/{}", "/{{x}}"),
        )
    ),
    *(
        (static, {"prefix": prefix}, "`prefix` begins with a '/', as '/static/' does, not '*")
        for prefix in ("*", "*/", "*//", "*x")
    ),
    (static, {"default_index": 5}, "`default_index` is text, such as 'index.html', not 5"),
    (static, {"default_index": Path("a")}, "`default_index` is text, such as 'index.html', not "),
    *(
        (
            static,
            {"default_index": name},
            f"`default_index` is the name of a file, such as 'index.html', not {name!r}",
        )
        for name in ("../x", "..", ".", "/etc/passwd", "a/../b", "a//b", "a/", "x\0", "\ud800")
    ),
    (static, {"default_index": ".x"}, "`default_index` '.x' is a dotfile: write `dotfiles=True`"),
    (static, {"default_index": ".git/x"}, "`default_index` '.git/x' is a dotfile: write "),
    (static, {"protocol": "websocket"}, "`protocol` is 'http' for files, not 'websocket'"),
    (static, {"methods": ["POST"]}, "`methods` has 'GET' for files, such as ['GET'], not ['POST"),
    (static, {"methods": "head"}, "`methods` has 'GET' for files, such as ['GET'], not 'head'"),
    (static, {"methods": ("PUT", "HEAD")}, "`methods` has 'GET' for files, such as ['GET'], not"),
    (static, {"name": None}, "`name` is text, such as 'static', not None"),
    (static, {"name": ""}, "`name` is text, such as 'static', not ''"),
    (static, {"dotfiles": "no"}, "`dotfiles` is True or False, not 'no'"),
    (static, {"max_body": "3"}, "`max_body` is a number of bytes, or None for no limit, not '3'"),
    (static, {"accepts": 5}, "`accepts` is a list of media types, such as ['text/html', "),
    (simple_server, {"port": 80000}, "`port` is a number from 0 to 65535, not 80000"),
    (simple_server, {"host": None}, "`host` is a name or an address, not None"),
    (simple_server, {"host": 127}, "`host` is a name or an address, not 127"),
    (simple_server, {"quiet": "yes"}, "`quiet` is True or False, not 'yes'"),
    (simple_server, {"limits": 5}, "`limits` cannot be 5: write `Roll(limits=Limits(...))`"),
]


@pytest.mark.parametrize(
    ("extension", "options", "text"),
    MISTAKES,
    ids=[f"{function.__name__} {reprlib.repr(options)}" for function, options, _ in MISTAKES],
)
def test_invalid_option_is_an_error_where_it_is_given(app, extension, options, text):
    level = logging.getLogger("roll").level
    with pytest.raises(ValueError, match=re.escape(text)):
        extension(app, **options)
    assert app.hooks == {}
    assert logging.getLogger("roll").level == level


@pytest.mark.parametrize(
    ("extension", "options"),
    [
        (cors, {"origin": "https://mydomain.org"}),
        (cors, {"origin": "*"}),
        (access_log, {"format": "%(status)+01024d %(url).5s %(duration)-9.3f 9999999 %%2000s"}),
        (logger, {"access_format": "%(status)5d 99999 %(duration).6f"}),
        (cors, {"origin": "null"}),
        (cors, {"origin": []}),
        (cors, {"origin": lambda *args: True}),
        (cors, {"origin": lambda origin, more=1: True}),
        (cors, {"origin": {"https://a.org"}.__contains__}),
        (cors, {"methods": "GET, POST,\tput,", "headers": "X-A,X-B"}),
        (cors, {"methods": "", "headers": "*"}),
        (cors, {"origin": {"https://a.org": 1}}),
        (cors, {"methods": {"get", "PUT"}, "headers": (), "max_age": -1}),
        (static, {"prefix": "", "default_index": None, "root": "."}),
        (static, {"prefix": "/", "shelf": 1}),
        (static, {"methods": ["get", "POST"], "default_index": "pages/index.html"}),
        (static, {"methods": "GET", "protocol": "http", "default_index": ".well-known/index"}),
        (static, {"methods": iter(["GET"]), "default_index": ".x", "dotfiles": True}),
    ],
    ids=map(str, range(18)),
)
async def test_valid_option_is_accepted(app, extension, options):
    extension(app, **options)
    await app.startup()
    await app.shutdown()


async def test_methods_are_sent_in_upper_case(app, client):
    cors(app, methods=["get", "put"])
    assert (await client.get("/")).headers["Access-Control-Allow-Methods"] == "GET,PUT"


def test_a_level_may_be_a_name_and_a_handler_of_any_class(app):
    class Handler:
        level = 0

        def handle(self, record): ...

    logger(app, "INFO", Handler())
    assert logging.getLogger("roll").level == logging.INFO


async def test_misspelt_extra_of_static_causes_one_warning_at_its_line(app, tmp_path):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        static(app, root=tmp_path, dotfile=True, lazybody=True)
        line = test_misspelt_extra_of_static_causes_one_warning_at_its_line.__code__
        await app.startup()
    assert [(each.category, each.filename) for each in caught] == [(RollWarning, __file__)] * 2
    assert {each.lineno for each in caught} == {line.co_firstlineno + 3}
    assert [str(each.message).partition(": ")[2] for each in caught] == [
        "write `dotfiles=`",
        "write `lazy_body=`",
    ]


@pytest.mark.parametrize("value", ["no", 1, None])
def test_strict_slashes_are_a_flag(value):
    with pytest.raises(
        ValueError, match=re.escape(f"`strict_slashes` is True or False, not {value!r}")
    ):
        Roll(strict_slashes=value)


@pytest.mark.parametrize("limits", [5, {}, "x", Limits, True], ids=repr)
async def test_limits_set_later_are_checked_at_startup(app, limits):
    app.limits = limits
    with pytest.raises(ValueError, match=re.escape(f"`limits` cannot be {limits!r}: write")):
        await app.startup()


def test_limits_of_a_server_are_those_of_the_application(app, monkeypatch):
    monkeypatch.setattr("roll.extensions.server.run", lambda *args: None)
    limits = Limits(body=3)
    simple_server(app, limits=limits)
    assert app.limits is limits
