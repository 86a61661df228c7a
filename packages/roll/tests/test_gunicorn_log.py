"""The access log of gunicorn, written without its logger: the same lines, faster."""

import base64
import logging
import os
import re
import socket
from datetime import timedelta
from types import SimpleNamespace

import pytest
from gunicorn.config import Config
from gunicorn.glogging import Logger

from roll import Request, Response
from roll.logs.batches import AccessLog
from roll.logs.gunicorn import gunicorn_format, log_access
from roll.worker import configure, fast_log


@pytest.fixture
def log(tmp_path):
    """Make the logger of gunicorn with some settings; gives the settings, too."""
    made = []

    def log(**settings):
        cfg = Config()
        for name, value in {"accesslog": str(tmp_path / "access.log"), **settings}.items():
            cfg.set(name, value)
        log = cfg.logger_class(cfg)
        # pytest has put handlers of its own beside gunicorn's.
        handlers = log.access_log.handlers
        handlers[:] = [handler for handler in handlers if getattr(handler, "_gunicorn", False)]
        made.extend([*handlers, *log.error_log.handlers])
        return cfg, log

    yield log
    for handler in made:
        handler.close()
    for name in ("gunicorn.access", "gunicorn.error"):
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).filters.clear()


def exchange(**headers):
    request = Request(None, SimpleNamespace(peer=("10.0.0.1", 5)))
    request.method, request.url, request.version = "GET", b'/a"b?q=1&r', "1.1"
    request.path, request.query_string = '/a"b', "q=1&r"
    request.headers = {name.upper().replace("_", "-"): value for name, value in headers.items()}
    response = Response(None, None)
    response.status = 202
    response.headers["X-B"] = "b"
    return request, response


BASIC = "Basic " + base64.b64encode(b"ada:secret").decode()

FORMATS = [
    Config().access_log_format,
    "%(h)s|%(l)s|%(u)s|%(r)s|%(s)s|%(m)s|%(U)s|%(q)s|%(H)s|%(b)s|%(B)s|%(f)s|%(a)s|%(T)s|%(D)s",
    "%(M)s %(L)s %(p)s 100%% %(B)d %(T)d %({X-A}i)s %({x-none}i)s %({X-b}o)s %({none}o)s",
]
HEADERS = [
    {},
    {"x_a": "a", "referer": "http://there/", "user_agent": "curl"},
    {"referer": "", "user_agent": 'say "hi"'},
    {"authorization": BASIC},
    {"authorization": BASIC.upper()},
    {"authorization": "Basic !"},
    {"authorization": "Basic " + base64.b64encode(b"\xff:").decode()},
    {"authorization": "Bearer x"},
    {"authorization": "Basic"},
]


@pytest.mark.parametrize("headers", HEADERS)
@pytest.mark.parametrize("template", FORMATS, ids=range(len(FORMATS)))
@pytest.mark.parametrize("seconds", [0.0, 0.0123456, 61.5])
def test_lines_are_those_of_gunicorns_logger(log, tmp_path, headers, template, seconds):
    _, slow = log(access_log_format=template)
    request, response = exchange(**headers)
    log_access(slow, request, response, 12, seconds)
    form = gunicorn_format(template)
    line = form.render([form.record(request, response, 12, seconds)])
    gunicorns = (tmp_path / "access.log").read_text()
    if seconds == 0.0123456:  # it rounds to microseconds in two ways
        assert timedelta(seconds=seconds).microseconds in {12345, 12346}
    assert without_time(line) == without_time(gunicorns)


def without_time(line):
    return re.sub(r"\[\d\d/\w{3}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\]", "[now]", line)


def test_values_that_gunicorn_writes_unchanged_have_no_line_end():
    form = gunicorn_format('"%(a)s" %(U)s')
    request, response = exchange(user_agent="a\nb\x1b[31m")
    request.path = "/é\r\n"
    line = form.render([form.record(request, response, 0, 0.0)])
    assert line == '"a\\nb\\x1b[31m" /\\xe9\\r\\n\n'


@pytest.mark.parametrize(
    "text",
    [
        "a\r\nb",
        "\x1b[31m",
        "\x00",
        "\x7f",
        "\x85",
        "\u2028\u2029",
        "\t",
        "\udc80",
        "a\\nb",
        '"\n"',
    ],
)
def test_nothing_that_clients_send_ends_a_line_of_gunicorns_logger(log, tmp_path, text):
    fields = ["%(U)s", "%(q)s", "%(u)s", "%(f)s", "%(a)s", "%({x-a}i)s", "%({http_x_a}e)s"]
    _, slow = log(access_log_format=" ".join([*fields, "%({x-b}o)s"]))
    named = text.encode("utf-8", "surrogateescape")
    request, response = exchange(
        x_a=text,
        referer=text,
        user_agent=text,
        authorization="Basic " + base64.b64encode(named + b":secret").decode(),
    )
    request.path = request.query_string = response.headers["X-B"] = text
    log_access(slow, request, response, 0, 0.0)
    line = (tmp_path / "access.log").read_text()
    assert line.removesuffix("\n").isprintable()
    shown = text.encode("unicode_escape").decode().replace('"', '\\"')
    named = "-" if text == "\udc80" else shown  # no UTF-8
    assert line.split(" ") == [shown, shown, named, *[shown] * 4, f"{shown}\n"]


def test_password_of_basic_credentials_is_not_escaped():
    seen = []
    log = SimpleNamespace(access=lambda answer, asked, environ, duration: seen.append(environ))
    given = base64.b64encode(b"a\nda:se\xffcret").decode()
    log_access(log, *exchange(authorization=f"Basic {given}"), 0, 0.0)
    kept = base64.b64decode(seen[0]["HTTP_AUTHORIZATION"].partition(" ")[2])
    assert kept == b"a\\nda:se\xffcret"


@pytest.mark.parametrize("template", ["%({remote_addr}e)s", "%(x)s", "%(h)d", "nothing"])
def test_a_format_that_only_gunicorn_can_fill_in_is_left_to_it(log, template):
    assert gunicorn_format(template) is None
    assert fast_log(*log(access_log_format=template)) is None


class Own(Logger):
    """A logger of another package."""


def test_the_logger_of_gunicorn_takes_the_fast_way(log):
    assert isinstance(fast_log(*log()), AccessLog)
    assert isinstance(fast_log(*log(accesslog="-")), AccessLog)


@pytest.mark.parametrize(
    "change",
    [
        lambda log: log.access_log.addHandler(logging.NullHandler()),
        lambda log: log.access_log.handlers.clear(),
        lambda log: log.access_log.addFilter(lambda record: True),
        lambda log: log.access_log.handlers[0].addFilter(lambda record: True),
        lambda log: log.access_log.handlers[0].setFormatter(logging.Formatter("%(name)s")),
        lambda log: log.access_log.handlers[0].setFormatter(None),
        lambda log: log.access_log.handlers[0].setLevel(logging.ERROR),
        lambda log: log.access_log.setLevel(logging.ERROR),
        lambda log: setattr(log.access_log, "propagate", True),
        lambda log: setattr(log, "__class__", Own),
        lambda log: log.access_log.handlers.__setitem__(0, type("H", (logging.Handler,), {})()),
    ],
    ids=range(11),
)
def test_a_logger_that_would_do_something_else_is_left_to_do_it(log, change):
    cfg, made = log()
    change(made)
    try:
        assert fast_log(cfg, made) is None
    finally:
        made.access_log.propagate = False


def test_a_syslog_is_left_to_gunicorn(log):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as syslog:
        syslog.bind(("127.0.0.1", 0))
        port = syslog.getsockname()[1]
        cfg, made = log(syslog=True, syslog_addr=f"udp://127.0.0.1:{port}")
        made.access_log.handlers[:] = logging.getLogger("gunicorn.access").handlers
        assert fast_log(cfg, made) is None


async def test_an_application_writes_to_the_file_that_gunicorn_has_open(
    app, client, log, tmp_path
):
    path = tmp_path / "access.log"
    cfg, made = log(access_log_format="%(s)s")
    configure(app, cfg, made)
    await client.get("/")
    path.rename(tmp_path / "moved")
    made.reopen_files()
    await app.hook("reopen_logs")
    await client.get("/")
    await app.shutdown()
    assert (tmp_path / "moved").read_text() == "404\n"
    assert path.read_text() == "404\n"


async def test_without_an_access_log_nothing_is_reported(app, client):
    cfg = Config()
    configure(app, cfg, cfg.logger_class(cfg))
    await client.get("/")
    assert client.protocol.on_answered.__qualname__.startswith("Client")


async def test_standard_output_is_written_to(app, capfd, log):
    cfg, made = log(accesslog="-", access_log_format="%(s)s")
    handler = made.access_log.handlers[0]
    handler.setStream(os.fdopen(os.dup(1), "w"))
    configure(app, cfg, made)
    from roll.testing import Client

    async with Client(app) as client:
        await client.get("/")
    handler.stream.close()
    assert capfd.readouterr().out == "404\n"
