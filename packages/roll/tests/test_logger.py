"""The extension `logger`."""

import logging
import re

import pytest

from roll.extensions import logger
from roll.testing import Client


@pytest.fixture
def log():
    """The logger of the application."""
    return logging.getLogger("roll")


class Lines(logging.Handler):
    def __init__(self):
        super().__init__()
        self.lines = []

    def emit(self, record):
        self.lines.append(record.getMessage())


@pytest.fixture
def lines(app, log):
    """The records that a custom handler gets."""
    handler = Lines()
    logger(app, handler=handler)
    app.route("/a")(lambda request, response: None)
    return handler.lines


async def test_each_request_is_a_line(lines, client):
    await client.get("/a?b=%C3%A9")
    await client.post("/nowhere")
    assert lines == ["GET /a?b=%C3%A9", "POST /nowhere"]


async def test_the_handler_is_there_from_startup_to_shutdown(app, log):
    handler = Lines()
    logger(app, logging.WARNING, handler)
    assert handler not in log.handlers
    await app.startup()
    assert handler in log.handlers
    assert log.level == logging.WARNING
    await app.shutdown()
    await app.shutdown()
    assert handler not in log.handlers


async def test_by_default_lines_are_on_stderr(app, client, log, capsys):
    logger(app)
    await app.startup()
    await client.get("/")
    await app.shutdown()
    assert capsys.readouterr().err == "GET /\n"


async def test_an_access_log_has_figures(app, log, liveclient):
    handler = Lines()
    access = '%(peer)s "%(method)s %(url)s %(version)s" %(status)d %(bytes)d %(duration).6f'
    logger(app, access_format=access, handler=handler)
    log.addHandler(handler)

    @app.route("/")
    def handler_(request, response):
        response.status, response.body = 201, "12345"

    await liveclient.query("GET", "/")
    await liveclient.query("GET", "/nowhere")
    log.removeHandler(handler)
    first, second = (line for line in handler.lines if "1.1" in line)
    assert re.fullmatch(r'127\.0\.0\.1 "GET / 1\.1" 201 5 0\.[0-9]{6}', first)
    assert re.fullmatch(r'127\.0\.0\.1 "GET /nowhere 1\.1" 404 8 0\.[0-9]{6}', second)


async def test_a_request_that_failed_at_once_is_logged_too(app, log, client):
    handler = Lines()
    logger(app, access_format="%(status)d %(duration).1f", handler=handler)
    app.lookup = None
    log.addHandler(handler)
    await client.get("/")
    log.removeHandler(handler)
    assert "500 0.0" in handler.lines


async def test_two_loggers_get_each_exchange(app, log, client):
    handler = Lines()
    for word in ("one", "two"):
        logger(app, access_format=f"{word} %(status)d", handler=handler)
    log.addHandler(handler)
    await client.get("/")
    log.removeHandler(handler)
    assert {"one 404", "two 404"} <= set(handler.lines)


async def test_a_listener_that_was_there_before_can_not_hide_a_request(app, client, log):
    @app.listen("headers")
    def answer(response):
        return True

    handler = Lines()
    logger(app, handler=handler)
    await app.startup()
    await client.get("/a")
    await app.shutdown()
    assert handler.lines == ["GET /a"]


async def test_request_created_by_hand_is_not_logged(app, log):
    logger(app, access_format="%(status)d")
    request, response = app.Request(app, None), app.Response(app, None)
    request.method, request.path = "GET", "/nowhere"
    assert (await app(request, response)).status == 404


# Each line once.


async def test_two_applications_write_each_line_once(app, log, capsys):
    other = type(app)()
    for one in (app, other):
        logger(one)
        logger(one)
        await one.startup()
    await Client(app).get("/a")
    await Client(other).get("/b")
    await app.shutdown()
    await Client(other).get("/c")
    await other.shutdown()
    await Client(other).get("/d")
    assert capsys.readouterr().err == "GET /a\nGET /b\nGET /c\n"


async def test_two_applications_may_share_a_handler(app, log):
    handler, other = Lines(), type(app)()
    for one in (app, other):
        logger(one, handler=handler)
        await one.startup()
    await app.shutdown()
    await Client(other).get("/b")
    await other.shutdown()
    assert (handler.lines, handler in log.handlers) == (["GET /b"], False)


@pytest.mark.parametrize("early", [True, False], ids=["before", "behind"])
async def test_each_line_is_written_once_with_another_terminal_handler(app, log, capsys, early):
    own = logging.StreamHandler()  # what `logging.basicConfig` gives the root logger
    root = logging.getLogger()
    logger(app)
    if early:
        root.addHandler(own)
    await app.startup()
    if not early:
        root.addHandler(own)
    await Client(app).get("/a")
    await app.shutdown()
    root.removeHandler(own)
    assert capsys.readouterr().err == "GET /a\n"


async def test_a_logger_that_does_not_propagate_has_the_terminal_for_itself(app, log, capsys):
    own = logging.StreamHandler()
    root = logging.getLogger()
    root.addHandler(own)
    log.propagate = False
    logger(app)
    await app.startup()
    await Client(app).get("/a")
    await app.shutdown()
    log.propagate = True
    root.removeHandler(own)
    assert capsys.readouterr().err == "GET /a\n"
