"""Aids for development: the page of an exception, blocked loops, missing awaits."""

import asyncio
import gc
import logging
import math
import re
import time
import warnings

import pytest

from roll import HttpError
from roll.debug import error_pages, log_unawaited, report, watch_loop
from roll.debug.frames import chain_of, safe_repr
from roll.debug.watchdog import Watchdog
from roll.extensions import proxy_headers
from roll.local_hosts import is_local

LOCAL = {"Host": "127.0.0.1:3579"}
BROWSER = {**LOCAL, "Accept": "text/html,*/*;q=0.8"}


@pytest.fixture
def broken(app):
    """An application whose handler raises, with pages for exceptions."""
    app.log_errors = False
    error_pages(app)

    @app.route("/raise/{name}")
    async def fail(request, response, name):
        secret = "<script>alert(1)</script>"  # noqa: F841 - shown on the page
        try:
            {}[name]
        except KeyError as error:
            raise ValueError(f"no {name}") from error

    @app.route("/refuse")
    async def refuse(request, response):
        raise HttpError(500, "meant")

    return app


async def test_browser_gets_a_page_with_source_variables_and_request(broken, client):
    response = await client.get("/raise/x?a=b", headers=BROWSER)
    assert response.status == 500
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    page = response.body.decode()
    assert "<h1>ValueError: no x</h1>" in page
    assert "KeyError: &#x27;x&#x27;" in page
    assert "It was the direct cause of this exception:" in page
    assert "raise ValueError(f&quot;no {name}&quot;) from error</mark>" in page
    assert "<td>query string<td>&#x27;a=b&#x27;" in page
    assert "<td>secret<td>" in page


async def test_nothing_on_the_page_is_markup_of_others(broken, client):
    headers = {**BROWSER, "Cookie": "<script>2</script>"}
    response = await client.get("/raise/<script>3<script>?<script>4", headers=headers)
    assert b"<script" not in response.body
    assert b"&lt;script&gt;2" in response.body


async def test_other_clients_get_plain_text(broken, client):
    response = await client.get("/raise/x", headers=LOCAL)
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert response.body.startswith(b"Traceback (most recent call last):")
    assert response.body.endswith(b"ValueError: no x\n")


async def test_name_that_a_site_rebinds_gets_no_page(broken, client):
    response = await client.get("/raise/x", headers={**BROWSER, "Host": "rebound.example"})
    assert response.body == b"Internal Server Error"


@pytest.mark.parametrize(
    "field", [{"X-Forwarded-Host": "localhost"}, {"Forwarded": "host=localhost"}]
)
async def test_scripts_of_a_rebound_name_get_no_page_by_the_fields_of_proxies(
    broken, client, field
):
    proxy_headers(broken)
    headers = {**BROWSER, "Host": "rebound.example", **field}
    response = await client.get("/raise/x", headers=headers)
    assert response.body == b"Internal Server Error"
    response = await client.get("/raise/x", headers={**headers, "Host": "localhost"})
    assert b"<h1>ValueError" in response.body


async def test_error_that_was_raised_on_purpose_keeps_its_message(broken, client):
    response = await client.get("/refuse", headers=BROWSER)
    assert response.body == b"meant"


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("localhost", True),
        ("LOCALHOST:80", True),
        ("127.0.0.1:80", True),
        ("127.9.9.9", True),
        ("[::1]:80", True),
        ("[::1]", True),
        ("", False),
        ("example.org", False),
        ("localhost.example.org:80", False),
        ("0.0.0.0", False),
        ("10.0.0.1:80", False),
    ],
)
def test_host_of_this_machine_is_recognised(host, local):
    assert is_local(host) is local


def raised(call):
    try:
        call()
    except (ValueError, KeyError, TypeError, RecursionError, ZeroDivisionError) as error:
        return error


def test_exception_raised_while_another_was_handled_is_shown_after_it():
    def fail():
        try:
            {}["first"]
        except KeyError:
            raise TypeError("second")  # noqa: B904 - that is the case

    first, second = chain_of(raised(fail))
    assert first.title == "KeyError: 'first'"
    assert first.relation == "While it was handled, this exception was raised:"
    assert second.title == "TypeError: second"
    assert second.relation == ""


def test_suppressed_exception_is_not_shown():
    def fail():
        try:
            {}["first"]
        except KeyError:
            raise TypeError("second") from None

    assert [shown.title for shown in chain_of(raised(fail))] == ["TypeError: second"]


def test_circle_of_causes_ends():
    one, two = ValueError("one"), ValueError("two")
    one.__cause__, two.__cause__ = two, one
    assert [shown.title for shown in chain_of(one)] == ["ValueError: two", "ValueError: one"]


def test_long_chain_shows_its_last_exceptions():
    error = ValueError("first")
    for number in range(1_000):
        error, cause = ValueError(number), error
        error.__cause__ = cause
    titles = [shown.title for shown in chain_of(error)]
    assert titles == [f"ValueError: {number}" for number in range(980, 1_000)]


def test_long_text_of_an_exception_is_cut():
    (shown,) = chain_of(ValueError("x" * 10_000_000))
    assert len(shown.title) < 5_000
    assert shown.title.endswith(" more characters")


def test_recursion_shows_the_last_frames():
    def recurse():
        recurse()

    (shown,) = chain_of(raised(recurse))
    assert len(shown.frames) == 60


def test_source_ends_with_the_file(tmp_path):
    file = tmp_path / "short.py"
    file.write_text("1 / 0\n")
    (shown,) = chain_of(raised(lambda: exec(compile("1 / 0", str(file), "exec"))))
    assert shown.frames[-1].source == [(1, "1 / 0")]


@pytest.mark.parametrize("error", [RuntimeError, KeyError, RecursionError, SystemExit])
def test_value_with_a_broken_repr_is_shown(error):
    class Broken:
        def __repr__(self):
            raise error

    assert "Broken" in safe_repr(Broken())
    assert safe_repr([Broken()])


def test_router_that_cannot_be_listed_is_reported(app):
    app.routes = object()
    assert list(report(app)) == [
        "Extensions: none",
        "Limits: the defaults",
        "Routes:",
        "  The router, of type object, cannot be listed: it is not iterable",
    ]


def test_long_values_are_cut():
    assert len(safe_repr("x" * 10**6)) < 400
    assert len(safe_repr(list(range(10**6)))) < 400


@pytest.fixture
async def watched(app):
    watch_loop(app, 0.02)
    await app.startup()
    yield
    await app.shutdown()


def block(until):
    """Block the loop until a condition holds."""
    while not until():
        time.sleep(0.001)


async def test_call_that_blocks_the_loop_is_named_with_its_stack(watched, caplog):
    await asyncio.sleep(0)
    block(lambda: caplog.records)
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert "blocked for more than 20 ms" in record.message
    assert "in block" in record.message
    assert "test_call_that_blocks_the_loop" in record.message
    assert "asyncio" not in record.message


async def test_blocked_loop_is_logged_once(watched, caplog):
    block(lambda: caplog.records)
    end = time.monotonic() + 0.1
    block(lambda: time.monotonic() > end)
    assert len(caplog.records) == 1
    await asyncio.sleep(0.03)  # the loop turns again
    block(lambda: len(caplog.records) == 2)


async def test_loop_that_waits_is_not_blocked(app, caplog):
    waiting = asyncio.sleep(0)  # code of asyncio on top, as while a loop waits
    Watchdog(0.02)._tell(waiting.cr_frame)
    await waiting
    assert caplog.records == []


async def test_watchdog_ends_with_the_application(app):
    import threading

    watch_loop(app)
    await app.startup()
    (thread,) = [one for one in threading.enumerate() if one.name == "roll watchdog"]
    await app.shutdown()
    thread.join(5)
    assert not thread.is_alive()


@pytest.mark.parametrize("seconds", ["1", None, True, 0, -1, math.nan, math.inf, [], print])
def test_invalid_time_for_the_watchdog_is_refused_at_once(app, seconds):
    with pytest.raises(ValueError, match="`seconds` is a number above 0, not"):
        watch_loop(app, seconds)


@pytest.mark.parametrize("anywhere", ["no", 1, None, print])
def test_pages_for_other_machines_need_a_flag(app, anywhere):
    with pytest.raises(ValueError, match="`anywhere` is True or False, not"):
        error_pages(app, anywhere=anywhere)
    assert app.hooks == {}


async def test_shutdown_without_startup_does_nothing(app):
    watch_loop(app)
    await app.shutdown()


@pytest.fixture
def unawaited():
    """Log coroutines that are never awaited, for one test."""
    import sys

    depth = sys.get_coroutine_origin_tracking_depth()
    with warnings.catch_warnings():
        log_unawaited()
        yield
        gc.collect()
    sys.set_coroutine_origin_tracking_depth(depth)


async def nothing(): ...


def forget():
    nothing()
    gc.collect()


def test_missing_await_is_an_error_in_the_log_with_its_line(unawaited, caplog):
    forget()
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert "An await is missing: coroutine 'nothing' was never awaited" in record.message
    line = forget.__code__.co_firstlineno + 1
    assert re.search(rf'test_debug.py", line {line}, in forget', record.message)


def test_other_warnings_are_shown_as_before(unawaited, caplog, recwarn):
    with warnings.catch_warnings(record=True) as shown:
        log_unawaited()
        warnings.warn("something else", RuntimeWarning, stacklevel=1)
        warnings.warn("another", UserWarning, stacklevel=1)
    assert caplog.records == []
    assert [str(one.message) for one in shown] == ["something else", "another"]


async def listener(): ...


def forget_hook(app):
    app.hook("mine")
    gc.collect()


def test_missing_await_of_an_event_is_reported_at_the_users_line(app, unawaited, caplog):
    app.listen("mine")(listener)
    forget_hook(app)
    text = "\n".join(record.message for record in caplog.records)
    line = forget_hook.__code__.co_firstlineno + 1
    assert "coroutine 'Roll.hook' was never awaited" in text
    assert re.search(rf'test_debug.py", line {line}, in forget_hook', text)
    assert "events.py" not in text
