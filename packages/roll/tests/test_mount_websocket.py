"""`app.mount`: websockets of ASGI applications on Roll's server."""

import asyncio
import contextlib

import pytest

from roll import extensions
from roll.testing import LiveClient, WebsocketRefused
from roll_http import ClientDisconnected
from roll_websocket import ConnectionClosed

HANDSHAKE = (
    b"GET /admin HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n%b\r\n"
)


class Application:
    """An application of ASGI that answers websockets by a function, and keeps its scopes."""

    def __init__(self, answer):
        self.answer = answer
        self.scopes = []

    async def __call__(self, scope, receive, send):
        if scope["type"] != "websocket":
            raise ValueError(scope["type"])
        self.scopes.append(scope)
        assert await receive() == {"type": "websocket.connect"}
        await self.answer(receive, send)


async def echo(receive, send):
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] == "websocket.receive":
        await send({**message, "type": "websocket.send"})


@pytest.fixture
def serve(app):
    """Mount an application that answers by a function, and give a client of a live server."""

    def serve(answer, **settings):
        application = Application(answer)
        app.mount("/admin", application, **settings)
        client = LiveClient(app)
        client.application = application
        return client

    return serve


async def test_messages_are_sent_and_received(serve):
    async with serve(echo) as client, client.websocket("/admin/ws") as ws:
        await ws.send("text")
        assert await ws.recv() == "text"
        await ws.send(b"bytes")
        assert await ws.recv() == b"bytes"


async def test_scope_has_the_keys_of_the_asgi_specification(serve):
    async with serve(echo) as client:
        headers = {"Sec-WebSocket-Protocol": "one, two", "X-Mine": "1"}
        async with client.websocket("/admin/w%20s?a=1", headers=headers):
            pass
        scope = client.application.scopes[0]
    assert scope["type"] == "websocket"
    assert scope["scheme"] == "ws"
    assert (scope["root_path"], scope["path"]) == ("/admin", "/admin/w s")
    assert scope["raw_path"] == b"/admin/w%20s"
    assert scope["query_string"] == b"a=1"
    assert scope["subprotocols"] == ["one", "two"]
    assert (b"x-mine", b"1") in scope["headers"]
    assert "method" not in scope
    assert "websocket.http.response" in scope["extensions"]


async def test_secure_websocket_behind_a_proxy_is_wss(app, serve):
    extensions.proxy_headers(app, trusted=["127.0.0.1"])
    async with (
        serve(echo) as client,
        client.websocket("/admin", headers={"X-Forwarded-Proto": "https"}),
    ):
        assert client.application.scopes[0]["scheme"] == "wss"


async def test_accept_has_subprotocol_and_fields(app, serve):
    async def accept(receive, send):
        headers = [(b"x-mine", b"1"), (b"set-cookie", b"a=1")]
        await send({"type": "websocket.accept", "subprotocol": "two", "headers": headers})
        await receive()

    @app.listen("headers")
    async def mark(request, response):
        response.headers["X-Outer"] = "2"

    async with serve(accept) as client:
        reader, writer = await asyncio.open_connection("127.0.0.1", client.port)
        writer.write(HANDSHAKE % b"Sec-WebSocket-Protocol: one, two\r\n")
        head = await reader.readuntil(b"\r\n\r\n")
        writer.close()
    assert head.startswith(b"HTTP/1.1 101 ")
    lines = head.split(b"\r\n")
    assert b"Sec-WebSocket-Protocol: two" in lines
    assert [
        next(line for line in lines if line.startswith(name))
        for name in (b"x-mine", b"set-cookie", b"X-Outer")
    ] == [b"x-mine: 1", b"set-cookie: a=1", b"X-Outer: 2"]


OFFERS = "Sec-WebSocket-Protocol: one, two\r\n"


async def handshake(client, fields):
    reader, writer = await asyncio.open_connection("127.0.0.1", client.port)
    writer.write(HANDSHAKE % fields.encode())
    head = await reader.readuntil(b"\r\n\r\n")
    writer.close()
    return head.decode()


@pytest.mark.parametrize("name", [b"sec-websocket-protocol", b"Sec-WebSocket-Protocol"])
async def test_subprotocol_may_be_a_field(serve, name):
    async def accept(receive, send):
        await send({"type": "websocket.accept", "headers": [(name, b"two")]})
        await receive()

    async with serve(accept) as client:
        head = await handshake(client, OFFERS)
    assert head.count("Sec-WebSocket-Protocol: two\r\n") == 1


@pytest.mark.parametrize("none", [{}, {"subprotocol": None}, {"subprotocol": ""}])
async def test_subprotocol_may_be_left_out(serve, none):
    async def accept(receive, send):
        await send({"type": "websocket.accept"} | none)
        await receive()

    async with serve(accept) as client:
        head = await handshake(client, OFFERS)
    assert head.startswith("HTTP/1.1 101 ")
    assert "Sec-WebSocket-Protocol" not in head


@pytest.mark.parametrize("chosen", ["three", "ONE", "one, two", b"one", "one\r\nx: 1", 1])
@pytest.mark.parametrize(("fields", "offer"), [(OFFERS, "'one', 'two'"), ("", "none")])
async def test_subprotocol_that_is_not_offered_is_a_500_that_tells_why(
    serve, caplog, chosen, fields, offer
):
    async def accept(receive, send):
        await send({"type": "websocket.accept", "subprotocol": chosen})

    async with serve(accept) as client:
        head = await handshake(client, fields)
    assert head.startswith("HTTP/1.1 500 ")
    assert (
        f"has accepted with the subprotocol {chosen!r}: the client offers {offer}" in caplog.text
    )


async def test_application_may_go_on_behind_a_subprotocol_that_is_refused(serve):
    async def accept(receive, send):
        for chosen in ("three", "two"):
            with contextlib.suppress(ValueError):
                await send({"type": "websocket.accept", "subprotocol": chosen})
        await receive()

    async with serve(accept) as client:
        head = await handshake(client, OFFERS)
    assert "Sec-WebSocket-Protocol: two\r\n" in head


async def test_application_gets_the_close_of_the_client(serve):
    got = asyncio.get_running_loop().create_future()

    async def accept(receive, send):
        await send({"type": "websocket.accept"})
        got.set_result(await receive())

    async with serve(accept) as client:
        async with client.websocket("/admin") as ws:
            await ws.close(4001, "bye")
        assert await got == {"type": "websocket.disconnect", "code": 4001, "reason": "bye"}


@pytest.mark.parametrize(("message", "code"), [({}, 1000), ({"code": 4002, "reason": "no"}, 4002)])
async def test_close_of_the_application_is_sent(serve, message, code):
    async def accept(receive, send):
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.close", **message})

    async with serve(accept) as client, client.websocket("/admin") as ws:
        with pytest.raises(ConnectionClosed) as closed:
            await ws.recv()
        assert closed.value.code == code


async def test_application_that_returns_closes_with_1000(serve):
    async def accept(receive, send):
        await send({"type": "websocket.accept"})

    async with serve(accept) as client, client.websocket("/admin") as ws:
        with pytest.raises(ConnectionClosed) as closed:
            await ws.recv()
        assert closed.value.code == 1000


async def test_application_that_raises_closes_with_1011_and_sends_the_event(app, serve, caplog):
    events = []
    app.listen("websocket_error")(lambda request, ws, error: events.append(repr(error)))

    async def accept(receive, send):
        await send({"type": "websocket.accept"})
        raise KeyError("within")

    async with serve(accept) as client, client.websocket("/admin") as ws:
        with pytest.raises(ConnectionClosed) as closed:
            await ws.recv()
        assert closed.value.code == 1011
    assert events == ["KeyError('within')"]
    assert "within" in caplog.text


async def test_send_after_the_end_raises_an_os_error(serve):
    got = asyncio.get_running_loop().create_future()

    async def accept(receive, send):
        await send({"type": "websocket.accept"})
        await receive()
        try:
            await send({"type": "websocket.send", "text": "late"})
        except OSError as error:
            got.set_result(str(error))

    async with serve(accept) as client:
        async with client.websocket("/admin"):
            pass
        assert await got == "The client has gone"


async def test_events_fire_as_for_a_route(app, serve):
    fired = []
    over = asyncio.Event()
    for name in ("headers", "request", "websocket_connect", "websocket_disconnect"):

        @app.listen(name)
        async def note(request, other, name=name):
            fired.append(name)
            if name == "websocket_disconnect":
                over.set()

    async with serve(echo) as client:
        async with client.websocket("/admin"):
            pass
        await over.wait()
    assert fired == ["headers", "request", "websocket_connect", "websocket_disconnect"]


async def test_listener_of_connect_that_raises_ends_the_application(app, serve):
    cancelled = asyncio.Event()

    @app.listen("websocket_connect")
    async def fail(request, ws):
        raise KeyError("no")

    async def accept(receive, send):
        try:
            await send({"type": "websocket.accept"})
        except asyncio.CancelledError:
            cancelled.set()
            raise

    async with serve(accept) as client, client.websocket("/admin") as ws:
        with pytest.raises(ConnectionClosed):
            await ws.recv()
        await cancelled.wait()


# Refusals.


async def refusal(client, **options):
    with pytest.raises(WebsocketRefused) as refused:
        async with client.websocket("/admin", **options):
            pass
    return refused.value


async def test_messages_of_tasks_that_do_not_wait_for_the_handshake_follow_it_in_order(app, serve):
    """Before, each of them was an AttributeError."""

    @app.listen("websocket_connect")
    async def wait(request, ws):
        await asyncio.sleep(0.01)

    async def at_once(receive, send):
        async def accept():
            await send({"type": "websocket.accept"})
            await send({"type": "websocket.send", "text": "4"})

        messages = [{"type": "websocket.send", "text": str(number)} for number in range(4)]
        tasks = [asyncio.ensure_future(accept())]
        tasks += [asyncio.ensure_future(send(message)) for message in messages]
        await asyncio.gather(*tasks)
        await send({"type": "websocket.close", "code": 4001})

    async with serve(at_once) as client, client.websocket("/admin") as ws:
        assert [await ws.recv() for _ in range(5)] == ["0", "1", "2", "3", "4"]
        with pytest.raises(ConnectionClosed) as closed:
            await ws.recv()
        assert closed.value.code == 4001


async def test_messages_to_a_client_that_left_before_the_handshake_are_os_errors(serve):
    asked, found = asyncio.Event(), []

    async def late(receive, send):
        asked.set()
        assert (await receive())["type"] == "websocket.disconnect"
        messages = [{"type": "websocket.accept"}, {"type": "websocket.send", "text": "a"}]
        for message in messages:
            with pytest.raises(OSError, match="The client has gone"):
                await send(message)
            found.append(message)

    async with serve(late) as client:
        _, writer = await asyncio.open_connection("127.0.0.1", client.port)
        writer.write(HANDSHAKE % b"")
        await asked.wait()
        writer.transport.abort()
        while len(found) < 2:
            await asyncio.sleep(0)


async def sends_until_the_end(receive, send):
    await send({"type": "websocket.accept"})
    while True:
        await send({"type": "websocket.send", "text": "more"})
        await asyncio.sleep(0)


async def groups_its_error(receive, send):
    try:
        await sends_until_the_end(receive, send)
    except OSError as error:
        raise ExceptionGroup("of tasks", [error]) from None


@pytest.mark.parametrize("answer", [echo, sends_until_the_end, groups_its_error])
@pytest.mark.parametrize("waits", [False, True], ids=["at once", "listener"])
@pytest.mark.parametrize("end", ["close", "reset", "frame"])
async def test_client_that_leaves_early_is_no_error(app, serve, caplog, answer, waits, end):
    """Before, one that left while a listener of `websocket_connect` waited was, by the log."""
    connected, gone, over, errors = asyncio.Event(), asyncio.Event(), asyncio.Event(), []

    @app.listen("websocket_connect")
    async def wait(request, ws):
        request.protocol.on_gone, lose = lambda: (lose(), gone.set()), request.protocol.on_gone
        connected.set()
        if waits:
            await gone.wait()

    @app.listen("websocket_error")
    def note(request, ws, error):
        errors.append(error)

    @app.listen("websocket_disconnect")
    def end_of_it(request, ws):
        over.set()

    async with serve(answer) as client:
        reader, writer = await asyncio.open_connection("127.0.0.1", client.port)
        writer.write(HANDSHAKE % b"")
        await reader.readuntil(b"\r\n\r\n")
        await connected.wait()
        if end == "reset":
            writer.transport.abort()
        elif end == "frame":
            writer.write(b"\x88\x82\0\0\0\0\x03\xe8")
        writer.close()
        await over.wait()
    assert (errors, caplog.records) == ([], [])


async def returns_without_an_answer(receive, send):
    assert (await receive())["type"] == "websocket.disconnect"


async def raises_the_disconnect(receive, send):
    await receive()
    raise ClientDisconnected


async def groups_the_disconnect(receive, send):
    await receive()
    raise ExceptionGroup("tasks", [ClientDisconnected()])


@pytest.mark.parametrize(
    "answer", [returns_without_an_answer, raises_the_disconnect, groups_the_disconnect]
)
@pytest.mark.parametrize("end", ["close", "reset", "half-close"])
async def test_client_that_leaves_before_the_accept_is_no_error(app, serve, caplog, answer, end):
    """Before, the application had "returned without an answer", by the log and the events."""
    entered, answered, errors = asyncio.Event(), asyncio.Event(), []

    async def wait(receive, send):
        entered.set()
        await answer(receive, send)

    @app.listen("error")
    def note(request, response, error):
        errors.append(error)

    app.listen("answered")(lambda request, response: answered.set())
    async with asyncio.timeout(10), serve(wait) as client:
        reader, writer = await asyncio.open_connection("127.0.0.1", client.port)
        writer.write(HANDSHAKE % b"")
        await entered.wait()
        if end == "reset":
            writer.transport.abort()
        elif end == "close":
            writer.close()
        else:
            writer.write_eof()
            with pytest.raises(ConnectionResetError):
                await reader.read()
        await answered.wait()
        writer.close()
    assert (errors, caplog.records) == ([], [])


@pytest.mark.parametrize("accepted", [False, True])
async def test_other_errors_of_a_task_group_are_errors_though_the_client_left(
    app, serve, caplog, accepted
):
    entered, answered = asyncio.Event(), asyncio.Event()

    async def fail(receive, send):
        if accepted:
            await send({"type": "websocket.accept"})
        entered.set()
        await receive()
        raise ExceptionGroup("tasks", [ClientDisconnected(), KeyError("boom")])

    app.listen("answered")(lambda request, response: answered.set())
    async with asyncio.timeout(10), serve(fail) as client:
        _, writer = await asyncio.open_connection("127.0.0.1", client.port)
        writer.write(HANDSHAKE % b"")
        await entered.wait()
        writer.transport.abort()
        await answered.wait()
    assert "boom" in caplog.text


async def test_close_before_accept_is_a_403(serve):
    async def refuse(receive, send):
        await send({"type": "websocket.close", "code": 4000})
        with pytest.raises(RuntimeError, match="after its refusal"):
            await send({"type": "websocket.accept"})

    async with serve(refuse) as client:
        assert (await refusal(client)).response.status == 403


async def test_application_may_continue_after_its_refusal(serve, caplog):
    go, ended = asyncio.Event(), asyncio.Event()

    async def refuse(receive, send):
        await send({"type": "websocket.close"})
        await go.wait()
        ended.set()
        raise KeyError("behind")

    async with serve(refuse) as client:
        await refusal(client)
        go.set()
        await ended.wait()
    assert "behind" in caplog.text


async def test_response_before_accept_is_sent(serve):
    async def refuse(receive, send):
        start = {"type": "websocket.http.response.start", "status": 429}
        await send({**start, "headers": [(b"retry-after", b"5")]})
        await send({"type": "websocket.http.response.body", "body": b"too ", "more_body": True})
        await send({"type": "websocket.http.response.body", "body": b"many"})

    async with serve(refuse) as client:
        response = (await refusal(client)).response
    assert (response.status, response.body) == (429, b"too many")
    assert response.headers["Retry-After"] == "5"


async def nothing(receive, send):
    pass


async def early(receive, send):
    await send({"type": "websocket.send", "text": "x"})


async def body_alone(receive, send):
    await send({"type": "websocket.http.response.body", "body": b"x"})


async def late_accept(receive, send):
    await send({"type": "websocket.http.response.start", "status": 403, "headers": []})
    await send({"type": "websocket.accept"})


async def boom(receive, send):
    raise KeyError("boom")


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (nothing, "returned without an answer to a websocket"),
        (early, "has sent 'websocket.send' before 'websocket.accept'"),
        (body_alone, "'websocket.http.response.body' before 'websocket.accept'"),
        (late_accept, "has sent 'websocket.accept' within its refusal"),
        (boom, "boom"),
    ],
)
async def test_mistake_before_accept_is_a_500(serve, caplog, answer, text):
    async with serve(answer) as client:
        assert (await refusal(client)).response.status == 500
    assert text in caplog.text


async def test_unknown_message_is_an_error(serve, caplog):
    async def accept(receive, send):
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.nonsense"})

    async with serve(accept) as client, client.websocket("/admin") as ws:
        with pytest.raises(ConnectionClosed) as closed:
            await ws.recv()
        assert closed.value.code == 1011
    assert "has sent 'websocket.nonsense' after 'websocket.accept'" in caplog.text


@pytest.mark.parametrize("wrong", [{"text": b"x"}, {"bytes": "x"}, {"text": 5}, {}])
async def test_content_of_another_type_is_an_error(serve, caplog, wrong):
    async def accept(receive, send):
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.send", **wrong})

    async with serve(accept) as client, client.websocket("/admin") as ws:
        with pytest.raises(ConnectionClosed) as closed:
            await ws.recv()
        assert closed.value.code == 1011
    assert "A 'websocket.send' has a str as `text` or bytes as `bytes`, not" in caplog.text


async def test_origin_that_is_not_allowed_is_refused_before_the_application_is_called(serve):
    async with serve(echo, origins=["https://right.example"]) as client:
        refused = await refusal(client, headers={"Origin": "https://wrong.example"})
        assert refused.response.status == 403
        assert client.application.scopes == []


async def test_max_size_of_the_mount_holds(serve):
    async with serve(echo, max_size=10) as client, client.websocket("/admin") as ws:
        await ws.send("x" * 11)
        with pytest.raises(ConnectionClosed) as closed:
            await ws.recv()
        assert closed.value.code == 1009


async def test_application_may_ask_for_messages_before_it_accepts(serve):
    async def accept(receive, send):
        waiting = asyncio.ensure_future(receive())
        await asyncio.sleep(0)
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.send", "text": (await waiting)["text"]})

    async with serve(accept) as client, client.websocket("/admin") as ws:
        await ws.send("early")
        assert await ws.recv() == "early"


async def test_application_gets_the_disconnect_before_its_answer(app, serve):
    entered = asyncio.Event()
    got = asyncio.get_running_loop().create_future()

    async def wait(receive, send):
        entered.set()
        got.set_result(await receive())
        await send({"type": "websocket.accept"})

    async with serve(wait) as client:
        _, writer = await asyncio.open_connection("127.0.0.1", client.port)
        writer.write(HANDSHAKE % b"")
        await entered.wait()
        writer.transport.abort()
        assert (await got)["type"] == "websocket.disconnect"


async def test_stop_of_the_server_ends_the_application(serve):
    ended = asyncio.get_running_loop().create_future()

    async def accept(receive, send):
        await send({"type": "websocket.accept"})
        ended.set_result(await receive())

    async with serve(accept) as client, client.websocket("/admin") as ws:
        stopping = asyncio.ensure_future(client.stop())
        with pytest.raises(ConnectionClosed):
            await ws.recv()
        await stopping
        assert (await ended)["type"] == "websocket.disconnect"


async def test_server_that_waits_no_longer_cancels_the_application(app, serve):
    cancelled = asyncio.Event()

    async def accept(receive, send):
        await send({"type": "websocket.accept"})
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise

    async with serve(accept) as client, client.websocket("/admin"):
        (server,) = app.running_servers
        await server.stop_now()
        await cancelled.wait()


async def test_client_that_leaves_ends_an_application_that_has_not_answered(app, serve):
    entered, cancelled = asyncio.Event(), asyncio.Event()

    async def wait(receive, send):
        entered.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise

    async with serve(wait) as client:
        _, writer = await asyncio.open_connection("127.0.0.1", client.port)
        writer.write(HANDSHAKE % b"")
        await entered.wait()
        (server,) = app.running_servers
        await server.stop_now()
        await cancelled.wait()
        writer.close()


async def test_send_after_its_own_close_is_an_error_of_the_application(app, serve, caplog):
    errors = asyncio.get_running_loop().create_future()

    async def closes(receive, send):
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.close"})
        await send({"type": "websocket.send", "text": "late"})

    @app.listen("websocket_error")
    def note(request, ws, error):
        errors.set_result(str(error))

    async with serve(closes) as client, client.websocket("/admin"):
        assert "has sent 'websocket.send' after 'websocket.close'" in await errors
    assert "after 'websocket.close'" in caplog.text
