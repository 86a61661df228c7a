"""Listening, and ending without losing a request."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import socket
import threading
from functools import partial

import pytest

from roll_http import HTTPProtocol, Limits, Server, serve_until_signalled, throttle_accept_errors
from roll_http.connection.registry import ConnectionRegistry
from roll_http.limits import NEVER

GET = b"GET / HTTP/1.1\r\nHost: here\r\n\r\n"


@pytest.fixture
def held():
    """A handler that answers when it is released."""
    release = asyncio.Event()
    running = asyncio.Event()

    async def handler(request, response):
        running.set()
        await release.wait()
        response.body = "done"

    handler.release, handler.running = release, running
    return handler


async def test_stopping_closes_idle_connections_at_once(serve):
    peer = await serve()
    silent, kept = await peer.connect(), await peer.connect()
    kept.send(GET)
    await kept.head()
    await peer.server.stop()
    assert await silent.rest() == b""
    assert await kept.rest() == b"hello"
    with pytest.raises(OSError, match=r"Connect call failed|refused"):
        await peer.connect()


async def test_a_draining_server_answers_each_connection_once_more(serve):
    peer = await serve()
    kept = await peer.connect()
    kept.send(GET)
    assert "Connection: close" not in await kept.head()
    draining = asyncio.ensure_future(peer.server.drain(3600))
    await asyncio.sleep(0)
    fresh = await peer.connect()
    for connection in (kept, fresh):
        connection.send(GET)
        assert b"Connection: close" in await connection.rest()
    assert not draining.done()
    draining.cancel()


@pytest.mark.parametrize("secure", [False, True])
async def test_connection_that_is_being_made_at_the_drain_is_answered_once_more(
    serve, tls, secure, monkeypatch
):
    """Before, it was left out: kept alive, then closed under its next request."""
    context, client = tls
    peer = await serve(tls=context if secure else None)
    make, draining = peer.server._factory, []

    def drain_meanwhile():
        draining.append(asyncio.ensure_future(peer.server.drain(3600)))
        return make()

    monkeypatch.setattr(peer.server, "_factory", drain_meanwhile)
    options = {"ssl": client, "server_hostname": "localhost"} if secure else {}
    connection = await peer.connect(**options)
    connection.send(GET)
    assert b"Connection: close" in await connection.rest()
    for task in draining:
        task.cancel()


async def test_the_last_connection_of_a_drained_server_is_answered(serve, monkeypatch):
    monkeypatch.setattr("roll_http.server.FIRST_REQUESTS", 3600)
    peer = await serve()
    await peer.server.drain(0)
    last = await peer.connect()
    stopping = asyncio.ensure_future(peer.server.stop())
    while peer.server.sockets:
        await asyncio.sleep(0)
    last.send(GET)
    assert b"Connection: close" in await last.rest()
    await stopping


async def test_connection_accepted_since_the_drain_has_its_time_for_a_request(serve):
    """It had 0.05 s: a browser that connects ahead, or a distant client, lost its request."""
    peer = await serve()
    old = await peer.connect()
    while not any(peer.server.connections):
        await asyncio.sleep(0)
    draining = asyncio.ensure_future(peer.server.drain(1))
    await asyncio.sleep(0)
    late = await peer.connect()
    await draining
    stopping = asyncio.ensure_future(peer.server.stop())
    done, _ = await asyncio.wait({stopping}, timeout=0.3)
    assert not done
    late.send(GET)
    assert b"Connection: close" in await late.rest()
    await stopping  # with the last of the late connections, not a second later
    assert await old.rest() == b""


async def lines(release):
    yield b"first"
    await release.wait()
    yield b"last"


async def begun(serve, **options):
    """Return a server, and a connection whose streamed response has begun: it says keep-alive."""
    release = asyncio.Event()

    async def handler(request, response):
        response.body = "again" if request.path == "/again" else lines(release)

    peer = await serve(handler, **options)
    connection = await peer.connect()
    connection.send(GET)
    assert "Connection: close" not in await connection.head()
    await connection.exactly(len(b"5\r\nfirst\r\n"))
    return peer, connection, release


async def told(peer):
    """Wait until the server has notified its connections of the end."""
    while not all(connection.must_close for connection in peer.server.connections):
        await asyncio.sleep(0)


AGAIN = GET.replace(b"/ ", b"/again ")


@pytest.mark.parametrize("end", ["drain", "stop"])
async def test_request_after_a_response_that_promised_keep_alive_is_answered(serve, end):
    peer, connection, release = await begun(serve)
    ending = asyncio.ensure_future(getattr(peer.server, end)(3600))
    await told(peer)
    release.set()
    await connection.exactly(len(b"4\r\nlast\r\n0\r\n\r\n"))
    connection.send(AGAIN)
    answer = await connection.rest()
    assert b"Connection: close" in answer
    assert answer.endswith(b"again")
    ending.cancel()


async def test_stop_waits_a_short_time_for_a_request_that_was_promised(serve):
    peer, connection, release = await begun(serve, linger_timeout=0.05)
    stopping = asyncio.ensure_future(peer.server.stop(3600))
    await told(peer)
    release.set()
    assert await connection.rest() == b"4\r\nlast\r\n0\r\n\r\n"
    await stopping


async def idle_behind(serve, body, **options):
    """Return a server that has answered a client which reads nothing, and waits for requests."""

    async def handler(request, response):
        response.body = "again" if request.path == "/again" else body

    peer = await serve(handler, **options)
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.connect(peer.address)
    client.setblocking(False)
    while not (connections := [*peer.server.connections]):
        await asyncio.sleep(0)
    await asyncio.get_running_loop().sock_sendall(client, GET)
    while connections[0].request is not None or not connections[0].writer.unsent:
        await asyncio.sleep(0)
    return peer, client


async def received(client, size=None):
    """Return what a client receives: so many bytes, or all."""
    loop, parts = asyncio.get_running_loop(), []
    while size is None or sum(map(len, parts)) < size:
        parts.append(await loop.sock_recv(client, 65536))
        if not parts[-1]:
            break
    return b"".join(parts)


async def test_a_client_that_still_reads_is_answered_once_more_while_the_server_stops(serve):
    body = b"x" * 100_000
    peer, client = await idle_behind(serve, body)
    await peer.connect()  # whose end has the server look at all others again
    stopping = asyncio.ensure_future(peer.server.stop(3600))
    await told(peer)
    first = await received(client, len(body))
    first += await received(client, len(body) + first.index(b"\r\n\r\n") + 4 - len(first))
    await asyncio.get_running_loop().sock_sendall(client, AGAIN)
    answer = await received(client)
    assert b"Connection: close" in answer
    assert answer.endswith(b"again")
    await stopping
    client.close()


async def test_a_client_that_reads_too_long_is_not_waited_for(serve):
    peer, client = await idle_behind(serve, b"x" * 100_000, linger_timeout=0.05)
    await peer.server.stop(3600)
    assert (await received(client)).endswith(b"x")
    client.close()


async def test_without_a_connection_a_server_drains_at_once(serve):
    async with asyncio.timeout(10):
        await (await serve()).server.drain(3600)


async def test_stopping_waits_for_the_running_request_and_says_it_was_the_last(serve, held):
    peer = await serve(held)
    connection = await peer.connect()
    connection.send(GET)
    await held.running.wait()
    stopping = asyncio.ensure_future(peer.server.stop())
    await asyncio.sleep(0)
    held.release.set()
    answer = await connection.rest()
    assert b"Connection: close" in answer
    assert answer.endswith(b"done")
    await stopping


async def test_a_request_sent_before_the_stop_is_answered(serve):
    peer = await serve()
    kept = await peer.connect()
    kept.send(GET)
    await kept.until(b"hello")
    waiting = socket.create_connection(peer.address)
    waiting.sendall(GET)
    kept.send(GET)
    await peer.server.stop()
    assert b"200 OK" in await kept.rest()
    with waiting:
        waiting.settimeout(10)
        assert b"200 OK" in waiting.recv(1000)


async def test_an_incomplete_request_at_the_stop_gets_a_short_time(serve):
    peer = await serve(linger_timeout=0.05)
    connection = await peer.connect()
    connection.send(GET + b"GET / HT")
    await connection.until(b"hello")
    await peer.server.stop()
    assert b"408" in await connection.rest()


async def test_a_request_that_runs_after_the_graceful_timeout_is_cancelled(serve, held):
    peer = await serve(held)
    connection = await peer.connect()
    connection.send(GET)
    await held.running.wait()
    await peer.server.stop(0.01)
    with pytest.raises(ConnectionError):
        await connection.rest()
    assert not any(peer.server.connections)


async def test_stopping_one_server_leaves_the_others_connections(serve):
    first, second = await serve(), await serve()
    connection = await second.connect()
    connection.send(GET)
    await connection.until(b"hello")
    await first.server.stop()
    connection.send(GET)
    assert "200 OK" in await connection.head()


async def test_bound_sockets_are_served_unix_ones_too(serve, tmp_path):
    peer = await serve()
    server = Server(lambda: HTTPProtocol(peer.app))
    with socket.socket() as inet, socket.socket(socket.AF_UNIX) as unix:
        inet.bind(("127.0.0.1", 0))
        unix.bind(str(tmp_path / "s"))
        await server.serve([inet, unix])
        reader, writer = await asyncio.open_unix_connection(str(tmp_path / "s"))
        writer.write(GET)
        assert b"200 OK" in await reader.readuntil(b"\r\n\r\n")
        writer.close()
        reader, writer = await asyncio.open_connection(*inet.getsockname())
        writer.write(GET)
        assert b"200 OK" in await reader.readuntil(b"\r\n\r\n")
        writer.close()
        await server.stop()


async def test_a_port_in_use_is_an_os_error(serve):
    peer = await serve()
    with pytest.raises(OSError, match="in use"):
        await Server(lambda: HTTPProtocol(peer.app)).listen(*peer.address)


@pytest.mark.parametrize("first", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("second", [signal.SIGQUIT, signal.SIGINT])
async def test_sigquit_or_a_second_sigint_cancels_running_requests(serve, held, first, second):
    peer = await serve(held)
    connection = await peer.connect()
    connection.send(GET)
    await held.running.wait()
    serving = asyncio.ensure_future(serve_until_signalled(peer.server))
    await asyncio.sleep(0)
    os.kill(os.getpid(), first)
    while peer.server.sockets:
        await asyncio.sleep(0)
    os.kill(os.getpid(), second)
    with pytest.raises(ConnectionError):
        await connection.rest()
    await serving


async def test_sigquit_alone_stops_at_once(serve, held):
    peer = await serve(held)
    connection = await peer.connect()
    connection.send(GET)
    await held.running.wait()
    serving = asyncio.ensure_future(serve_until_signalled(peer.server))
    await asyncio.sleep(0)
    os.kill(os.getpid(), signal.SIGQUIT)
    with pytest.raises(ConnectionError):
        await connection.rest()
    await serving


@pytest.fixture
def signals_seen(monkeypatch):
    """Count the signals that a loop hands on."""
    seen = []
    original = asyncio.Queue.put_nowait

    def put_nowait(queue, item):
        seen.append(item)
        original(queue, item)

    monkeypatch.setattr(asyncio.Queue, "put_nowait", put_nowait)
    return seen


@pytest.mark.parametrize("first", [signal.SIGTERM, signal.SIGINT])
async def test_repeated_sigterms_change_nothing(serve, held, first, signals_seen):
    peer = await serve(held)
    connection = await peer.connect()
    connection.send(GET)
    await held.running.wait()
    serving = asyncio.ensure_future(serve_until_signalled(peer.server))
    await asyncio.sleep(0)
    for number in (first, signal.SIGTERM, signal.SIGTERM):
        os.kill(os.getpid(), number)
        before = len(signals_seen)
        while len(signals_seen) == before:
            await asyncio.sleep(0)
    held.release.set()
    assert (await connection.rest()).endswith(b"done")
    await serving
    os.kill(os.getpid(), signal.SIGTERM)  # while an application shuts down
    for _ in range(10):
        await asyncio.sleep(0)


@pytest.mark.parametrize(
    "numbers", [(signal.SIGINT, signal.SIGTERM), (signal.SIGTERM, signal.SIGINT)]
)
async def test_sigint_and_sigterm_that_arrive_together_let_requests_end(serve, held, numbers):
    peer = await serve(held)
    connection = await peer.connect()
    connection.send(GET)
    await held.running.wait()
    serving = asyncio.ensure_future(serve_until_signalled(peer.server))
    await asyncio.sleep(0)
    for number in numbers:  # before the loop looks: the system may change the order
        os.kill(os.getpid(), number)
    while peer.server.sockets:
        await asyncio.sleep(0)
    for _ in range(50):
        await asyncio.sleep(0)
    held.release.set()
    assert (await connection.rest()).endswith(b"done")
    await serving


async def test_one_signal_is_enough_when_nothing_runs(serve):
    peer = await serve()
    serving = asyncio.ensure_future(serve_until_signalled(peer.server))
    await asyncio.sleep(0)
    os.kill(os.getpid(), signal.SIGINT)
    await asyncio.wait_for(serving, 10)


async def test_used_up_descriptors_are_reported_once_a_second():
    loop = asyncio.get_running_loop()
    reported = []
    loop.set_exception_handler(lambda _, context: reported.append(context["message"]))
    throttle_accept_errors(loop)
    for message in ["socket.accept() out of system resource"] * 100 + ["other"] * 2:
        loop.call_exception_handler({"message": message})
    assert reported == ["socket.accept() out of system resource", "other", "other"]


async def test_other_errors_are_reported_as_asyncio_does(caplog):
    loop = asyncio.get_running_loop()
    throttle_accept_errors(loop)
    loop.call_exception_handler({"message": "something else"})
    assert "something else" in caplog.text


class Healthy:
    """A connection that counts how often it is looked at."""

    app = None
    read_deadline = write_deadline = 0.0
    reads = writes = failures = 0

    def read_expired(self):
        self.reads += 1

    def write_expired(self):
        self.writes += 1


class Broken(Healthy):
    def read_expired(self):
        super().read_expired()
        raise RuntimeError("fault")

    def fail(self):
        self.failures += 1


class Hopeless(Broken):
    def fail(self):
        super().fail()
        raise ValueError("no end")


async def test_the_clock_checks_each_connection_even_if_another_raises():
    loop = asyncio.get_running_loop()
    faults = []
    loop.set_exception_handler(lambda _, context: faults.append(context["exception"]))
    connections = ConnectionRegistry()
    members = [kind() for kind in (Healthy, Broken, Hopeless) * 5]
    for member in members:
        connections.add(member, 0.04, loop)
    while members[0].reads < 3:
        await asyncio.sleep(0.01)
    assert set(connections) == set(members)
    for member in members:
        connections.discard(member)
    assert {member.reads for member in members} == {members[0].reads}
    assert [m.writes for m in members] == [m.reads - m.failures for m in members]
    assert len(faults) == sum(m.failures for m in members if isinstance(m, Hopeless))


async def test_the_clock_stops_without_connections():
    connections = ConnectionRegistry()
    member = Healthy()
    connections.add(member, 0.04, asyncio.get_running_loop())
    connections.discard(member)
    while connections._ticking:
        await asyncio.sleep(0.01)


async def test_input_in_time_counts_even_if_it_is_read_after_the_deadline():
    class Blocked:
        app = None
        read_deadline = 0.0
        write_deadline = NEVER

        def read_expired(self):
            raise AssertionError("not reached")

    faults = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: faults.append(context["exception"]))
    connections = ConnectionRegistry()
    blocked = Blocked()
    connections.add(blocked, 0.04, loop)
    blocked.read_deadline = NEVER  # as when the loop reads its socket
    first = connections.now
    while connections.now == first:
        await asyncio.sleep(0.01)
    connections.discard(blocked)
    assert not faults


async def test_a_protocol_that_can_not_be_made_is_logged_and_its_connection_ended(caplog):
    def factory():
        raise RuntimeError("broken factory")

    server = Server(factory)
    await server.listen("127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    assert await reader.read() == b""
    writer.close()
    await server.stop()
    assert "broken factory" in caplog.text


@pytest.mark.parametrize("limits", [5, {}, "x", [], True, False, 0, Limits], ids=repr)
def test_limits_of_another_type_are_refused_at_once(limits):
    with pytest.raises(ValueError, match=re.escape(f"`limits` cannot be {limits!r}: write")):
        Server(lambda: None, limits)


async def later(): ...


class Later:
    async def __call__(self): ...


def one_by_one():
    yield


@pytest.mark.parametrize(
    "factory",
    [None, 5, "x", later, partial(later), Later(), one_by_one],
    ids=["None", "5", "text", "async", "partial", "object", "generator"],
)
def test_a_factory_that_makes_no_protocol_is_refused_at_once(factory):
    with pytest.raises(ValueError, match="The factory of protocols is a plain function, not"):
        Server(factory)


@pytest.mark.parametrize("made", [None, 5, object()], ids=["None", "5", "object"])
async def test_factory_result_that_is_not_a_protocol_is_logged_and_its_connection_closed(
    made, caplog
):
    server = Server(lambda: made)
    await server.listen("127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    assert await reader.read() == b""
    writer.close()
    await server.stop()
    assert "No protocol could be made for a connection" in caplog.text


def test_server_in_another_thread_serves_until_it_is_cancelled(hello):
    answers = []

    async def main():
        server = Server(lambda: HTTPProtocol(hello))
        await server.listen("127.0.0.1", 0)
        serving = asyncio.ensure_future(serve_until_signalled(server))
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write(GET)
        answers.append(await reader.readline())
        writer.close()
        serving.cancel()
        await asyncio.wait([serving])
        await server.stop()

    thread = threading.Thread(target=asyncio.run, args=[main()])
    thread.start()
    thread.join()
    assert answers == [b"HTTP/1.1 200 OK\r\n"]


def test_the_clock_stops_while_a_handler_blocks_the_loop():
    class Loop:
        """An event loop whose time the test sets."""

        now = 100.0

        def time(self):
            return self.now

        def call_later(self, delay, callback, *args):
            self.booked.append((callback, args))

        def run(self, seconds):
            self.now += seconds
            for _ in range(2):  # the timer, and the look after it
                due, self.booked = self.booked, []
                for callback, args in due:
                    callback(*args)

    class Idle:
        app = None
        read_deadline = 102.0
        write_deadline = NEVER
        expired = False

        def read_expired(self):
            self.expired = True

    loop, idle, connections = Loop(), Idle(), ConnectionRegistry()
    loop.booked = []
    connections.add(idle, 30, loop)
    loop.run(0.5)
    loop.run(28)
    loop.run(0.5)
    assert not idle.expired
    loop.run(0.5)
    assert idle.expired


@pytest.mark.parametrize("forgets", [False, True])
async def test_endless_stream_is_notified_of_the_stop_and_is_the_last_response(serve, forgets):
    """Before, one that took its function back at its end held the stop up for its whole time."""
    told, answered = asyncio.Event(), []

    async def handler(request, response):
        answered.append(request.path)
        connection = request.protocol
        assert not connection.stopping
        connection.on_shutdown = told.set

        async def endless():
            yield b"begun"
            await told.wait()
            assert connection.stopping
            if forgets:
                connection.on_shutdown = None

        response.body = endless()

    peer = await serve(handler)
    client = await peer.connect()
    client.send(GET)
    assert "Connection: close" not in await client.head()
    stop = asyncio.create_task(peer.server.stop())
    await client.until(b"begun\r\n0\r\n\r\n")
    client.send(b"GET /next HTTP/1.1\r\nHost: a\r\n\r\n")
    with contextlib.suppress(ConnectionError):  # a reset: nobody reads the request
        assert await client.rest() == b""
    await stop
    assert answered == ["/"]


class LoopOfWindows(asyncio.SelectorEventLoop):
    """An event loop without signal handlers."""

    add_signal_handler = asyncio.AbstractEventLoop.add_signal_handler
    remove_signal_handler = asyncio.AbstractEventLoop.remove_signal_handler


@pytest.fixture
def former_handlers():
    """Put back what handles signals."""
    former = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGQUIT)}
    yield former
    for number, handler in former.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGQUIT])
def test_signals_end_a_server_on_a_loop_without_handlers(former_handlers, number):
    async def serve():
        serving = asyncio.ensure_future(serve_until_signalled(Server(lambda: HTTPProtocol(None))))
        await asyncio.sleep(0)
        os.kill(os.getpid(), number)
        await serving
        os.kill(os.getpid(), signal.SIGTERM if number is signal.SIGTERM else 0)  # ignored
        assert signal.getsignal(signal.SIGQUIT) == former_handlers[signal.SIGQUIT]

    with asyncio.Runner(loop_factory=LoopOfWindows) as runner:
        runner.run(serve())
