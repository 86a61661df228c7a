"""Behaviour that only a real connection shows."""

import asyncio

import pytest

from roll import Roll, extensions
from roll.testing import LiveClient
from roll_http import Limits

END = b"Connection: close\r\n\r\n"


async def test_pipelined_requests_are_answered_in_order(app, talk):
    turn = asyncio.Event()

    @app.route("/slow")
    async def slow(request, response):
        await asyncio.wait_for(turn.wait(), 10)
        response.body = "slow"

    @app.route("/fast")
    async def fast(request, response):
        response.body = "fast"

    asyncio.get_running_loop().call_later(0, turn.set)
    answer = await talk(
        b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\nGET /fast HTTP/1.1\r\nHost: x\r\n" + END
    )
    assert answer.count(b"HTTP/1.1 200 OK") == 2
    assert answer.index(b"slow") < answer.index(b"fast")


async def test_a_reflected_path_is_plain_text(talk):
    answer = await talk(b"GET /%3Cb%3E HTTP/1.1\r\nHost: x\r\n" + END)
    assert b"404 Not Found" in answer
    assert b"Content-Type: text/plain; charset=utf-8\r\n" in answer
    assert answer.endswith(b"\r\n\r\n/<b>")


async def test_error_405_lists_the_allowed_methods(app, talk):
    app.route("/", methods=["POST"])(lambda request, response: None)
    answer = await talk(b"GET / HTTP/1.1\r\nHost: x\r\n" + END)
    assert b"405 Method Not Allowed" in answer
    assert b"Allow: POST\r\n" in answer


@pytest.mark.parametrize("strict", [True, False])
async def test_options_star_lists_the_allowed_methods(app, talk, strict):
    app.strict_slashes = strict
    app.route("/{rest:any}")(lambda request, response, rest: pytest.fail("no path was asked for"))
    answer = await talk(b"OPTIONS * HTTP/1.1\r\nHost: x\r\n" + END)
    assert b"HTTP/1.1 200 OK" in answer
    assert b"Allow: GET, HEAD, POST, PUT, DELETE, TRACE, OPTIONS, PATCH\r\n" in answer
    assert b"Content-Length: 0\r\n" in answer


async def test_options_star_may_be_answered_by_the_application(app, talk):
    @app.listen("request")
    def tell(request, response):
        response.body = f"{request.method} {request.path} {dict(request.route.vars)}"

    answer = await talk(b"OPTIONS * HTTP/1.1\r\nHost: x\r\n" + END)
    assert answer.endswith(b"OPTIONS * {}")


@pytest.mark.parametrize("path", [b"/*", b"/%2A", b"/nowhere"])
async def test_options_of_an_unknown_path_are_a_404(talk, path):
    answer = await talk(b"OPTIONS %b HTTP/1.1\r\nHost: x\r\n" % path + END)
    assert b"404 Not Found" in answer


async def test_head_has_the_length_of_get_and_no_body(app, talk):
    @app.route("/")
    def index(request, response):
        response.body = "12345"

    answer = await talk(b"HEAD / HTTP/1.1\r\nHost: x\r\n" + END)
    assert b"Content-Length: 5\r\n" in answer
    assert answer.endswith(b"\r\n\r\n")


@pytest.mark.parametrize("where", ["header", "redirect", "cookie"])
async def test_nothing_is_injected(app, liveclient, where):
    @app.route("/")
    def index(request, response):
        if where == "header":
            response.headers["X-Name"] = "a\r\nX-Injected: b"
        elif where == "redirect":
            response.redirect = "/a\r\nX-Injected: b", 302
        else:
            response.cookies.set("name", "value", path="/\r\nX-Injected: b")

    response = await liveclient.query("GET", "/")
    assert response.status == 500
    assert response.headers["X-Injected"] is None


async def test_a_stream_that_fails_is_never_ended_as_if_whole(app, liveclient):
    @app.route("/")
    def index(request, response):
        async def body():
            yield "begun"
            raise ValueError("no more")

        response.body = body()

    with pytest.raises((EOFError, ConnectionError)):
        await liveclient.query("GET", "/")


async def test_a_body_past_the_limit_is_a_413():
    app = Roll(limits=Limits(body=10))
    app.route("/", methods=["POST"])(lambda request, response: None)
    live = LiveClient(app)
    await live.start()
    assert (await live.query("POST", "/", body=b"x" * 10)).status == 200
    assert (await live.query("POST", "/", body=b"x" * 11)).status == 413
    assert (await live.query("POST", "/", body=[b"x" * 6, b"x" * 6])).status == 413
    await live.stop()


@pytest.mark.parametrize("body", [bytes(2**24), [bytes(2**16)] * 2**8], ids=["whole", "chunks"])
async def test_early_response_to_an_upload_is_read(app, liveclient, body):
    app.limits = Limits(linger_timeout=0.01)  # for which the server's end would wait
    app.route("/", methods=["POST"], max_body=1000)(pytest.fail)
    assert (await liveclient.query("POST", "/", body=body)).status == 413


async def test_a_body_that_fails_is_the_callers_error(app, liveclient):
    app.route("/", methods=["POST"])(pytest.fail)
    with pytest.raises(ZeroDivisionError):
        await liveclient.query("POST", "/", body=(b"x" * (1 // number) for number in (1, 0)))


async def test_form_is_read_while_it_arrives(app, liveclient):
    seen = []

    @app.route("/", methods=["POST"], lazy_body=True)
    async def upload(request, response):
        await request.load_form()
        seen.append(request.files.get("f"))
        response.body = str(sum(map(len, seen[0])))

    head = b'--x\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\n'
    chunks = [head, *[b"x" * 2**16] * 32, b"\r\n--x--\r\n"]
    response = await liveclient.query(
        "POST", "/", {"Content-Type": "multipart/form-data; boundary=x"}, chunks
    )
    assert response.body == str(2**21).encode()
    assert seen[0].closed


async def test_client_that_leaves_within_its_body_is_not_logged(app, liveclient, caplog):
    ended = asyncio.Event()

    @app.listen("response")
    def on_response(response):
        ended.set()

    app.route("/", methods=["POST"])(pytest.fail)
    _, writer = await asyncio.open_connection("127.0.0.1", liveclient.port)
    writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n12345")
    await writer.drain()
    writer.close()
    await asyncio.wait_for(ended.wait(), 10)
    await liveclient.stop()
    assert caplog.records == []


async def test_cancel_on_disconnect_cancels_the_handler(app, liveclient):
    begun, ended = asyncio.Event(), asyncio.Event()

    @app.route("/", cancel_on_disconnect=True)
    async def handler(request, response):
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    _, writer = await asyncio.open_connection("127.0.0.1", liveclient.port)
    writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    await begun.wait()
    writer.close()
    await asyncio.wait_for(ended.wait(), 10)


ITEMS = 5_000


class Items:
    """Items of one size that never wait, made in several ways."""

    def __init__(self, size):
        self.item, self.made = "x" * size, 0

    def __iter__(self):
        for self.made in range(1, ITEMS + 1):
            yield self.item

    async def later(self):
        for item in self:
            yield item

    async def __call__(self, scope, receive, send):
        fields = [(b"content-type", b"text/plain")]
        await send({"type": "http.response.start", "status": 200, "headers": fields})
        for item in self:
            await send({"type": "http.response.body", "body": item.encode(), "more_body": True})
        await send({"type": "http.response.body"})

    async def longest_run(self):
        """Return the largest number of items that were made between two turns of the loop."""
        longest = seen = 0
        while self.made < ITEMS:
            await asyncio.sleep(0)
            longest, seen = max(longest, self.made - seen), self.made
        return longest


@pytest.fixture(params=["async", "plain", "events", "mounted"])
def serve_items(request, app, monkeypatch):
    def serve(items):
        if request.param == "mounted":
            monkeypatch.setattr(app._lifespans, "_entered", None)  # the fixtures have started it
            app.mount("/", items)
        else:
            app.route("/")(stream(items))

    def stream(items):
        def handler(_, response):
            response.headers["Content-Type"] = "text/plain"
            if request.param == "events":
                response.sse = items.later()
            else:
                response.body = items.later() if request.param == "async" else iter(items)

        return handler

    return serve


@pytest.mark.parametrize("compressed", [False, True], ids=["plain", "compressed"])
@pytest.mark.parametrize("size", [0, 1, 10_000])
async def test_items_that_never_wait_leave_turns_to_others(
    liveclient, app, serve_items, size, compressed
):
    if compressed:
        extensions.compress(app, min_size=1)
    items = Items(size)
    serve_items(items)
    watching = asyncio.ensure_future(items.longest_run())
    answer = await liveclient.get("/", headers={"Accept-Encoding": "gzip"})
    assert answer.status == 200
    assert await watching <= 260
