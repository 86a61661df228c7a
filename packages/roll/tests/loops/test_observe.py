"""The extension `observe`: each response is reported once."""

import asyncio
from functools import partial

import pytest

from roll.extensions import observe
from roll.testing import LiveClient


@pytest.fixture
def reports(app):
    """The reports in order, with the seconds in a separate list."""
    seen = []

    def report(request, response, size, seconds):
        seen.append((request.method, request.route_path, int(response.status), size))
        times.append(seconds)
        came.set()

    times, came = [], asyncio.Event()
    observe(app, report)
    seen_with = type("Reports", (), {"seen": seen, "times": times, "came": came})
    return seen_with()


async def test_each_answer_is_reported_once_with_its_route(app, reports, liveclient, until):
    @app.route("/users/{name}")
    async def user(request, response, name):
        response.body = name

    @app.route("/ws/{room}", protocol="websocket")
    async def socket(request, ws, room):
        await ws.recv()

    await liveclient.get("/users/ada")
    await liveclient.get("/missing")
    await liveclient.put("/users/ada", body="")
    async with liveclient.websocket("/ws/1") as ws:
        await ws.send("x")
        reports.came.clear()
    await until(reports.came)
    assert reports.seen == [
        ("GET", "/users/{name}", 200, 3),
        ("GET", None, 404, 8),
        ("PUT", "/users/{name}", 405, 18),
        ("GET", "/ws/{room}", 101, 4),
    ]
    assert all(0 < seconds < 10 for seconds in reports.times)


async def test_refused_bytes_are_reported_without_a_request(app, reports, connect, until):
    reader, _ = await connect(b"NONSENSE\r\n\r\n")
    await until(reader.read())
    assert reports.seen == [(None, None, 400, 0)]


async def test_exception_of_a_report_does_not_affect_others(
    app, reports, liveclient, connect, until, caplog
):
    def fail(request, response, size, seconds):
        raise ValueError("no disk")

    observe(app, fail)
    observe(app, lambda *exchange: others.append(exchange))
    others = []
    assert (await liveclient.get("/missing")).status == 404
    assert len(reports.seen) == len(others) == 1
    assert caplog.text.count("ValueError: no disk") == 1
    reader, _ = await connect(b"NONSENSE\r\n\r\n")
    await until(reader.read())
    assert len(reports.seen) == len(others) == 2
    assert caplog.text.count("ValueError: no disk") == 2


async def a_coroutine(request, response, size, seconds):
    """Cannot be awaited."""


@pytest.mark.parametrize(
    ("report", "message"),
    [
        (None, "`report`, which is called with .* is a function, not None"),
        (5, "is a function, not 5"),
        (int, "is a function: <class 'int'> is a class whose objects nothing uses"),
        (lambda request, response: None, r"`report` is called with \(request, response, size"),
        (a_coroutine, "is never awaited"),
        (partial(a_coroutine, None), "."),
    ],
)
def test_report_that_cannot_be_called_is_refused_at_once(app, report, message):
    with pytest.raises(ValueError, match=message):
        observe(app, report)


async def hosted(scope, receive, send):
    """An application of ASGI."""
    if scope["type"] == "lifespan":
        raise NotImplementedError
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.close"})
        return
    await send({"type": "http.response.start", "status": 201, "headers": []})
    await send({"type": "http.response.body", "body": b"abc"})


async def test_a_mounted_application_is_reported_by_its_prefix(app, reports, until):
    app.mount("/admin", hosted)
    live = LiveClient(app)
    await live.start()
    for path in ("/admin", "/admin/", "/admin/a/b?q"):
        await live.get(path)
    reports.came.clear()
    async with live.websocket("/admin/ws"):
        pass
    await until(reports.came)
    await live.stop()
    route = "/admin/{mounted:path}"
    assert reports.seen == [*([("GET", route, 201, 3)] * 3), ("GET", route, 101, 4)]
