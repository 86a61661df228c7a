"""Limits and patience, with times short enough for a test that waits for the server to act."""

import contextlib
import time

import pytest

SHORT = 0.2
GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


def served(serve, **limits):
    with serve("probe_app.py", **limits) as probe:
        yield probe


def dripped(connection, data):
    """Return the answer to data that is sent repeatedly."""
    connection.sock.settimeout(SHORT / 20)
    for _ in range(1000):
        connection.send(data)
        with contextlib.suppress(TimeoutError):
            return connection.sock.recv(12)
    raise AssertionError("The server takes it for ever")


@pytest.fixture(scope="module")
def impatient(serve):
    """The head has to be quick, and all else may take its time."""
    yield from served(serve, head_timeout=SHORT)


@pytest.fixture(scope="module")
def restless(serve):
    """A connection may not idle."""
    yield from served(serve, keep_alive_timeout=SHORT)


@pytest.fixture(scope="module")
def hasty(serve):
    """A body may not pause."""
    yield from served(serve, body_timeout=SHORT)


@pytest.mark.parametrize(
    "begun",
    [b"G", b"GET / HTTP/1.1\r\n", GET[:-2], b"\r\n", b"\r\n\r\n"],
    ids=["a byte", "a line", "all but the end", "an empty line", "two empty lines"],
)
def test_a_head_that_takes_too_long(impatient, begun):
    with impatient.connect() as connection:
        connection.send(begun)
        answer = connection.answer()
        assert answer.status == 408
        assert answer.closes
        assert connection.ended()
    assert impatient.ran(connection.port) == []


def test_a_second_head_that_takes_too_long(impatient):
    with impatient.connect() as connection:
        connection.send(GET + b"GET /x")
        assert connection.answer().status == 200
        assert connection.answer().status == 408


def test_a_drip_does_not_reset_the_clock(impatient):
    """Fields without end, sent as long as the server listens: it stops by itself."""
    with impatient.connect() as connection:
        connection.send(b"GET / HTTP/1.1\r\n")
        assert dripped(connection, b"X: y\r\n") == b"HTTP/1.1 408"


@pytest.mark.parametrize("before", [b"", GET, GET + GET], ids=["silent", "once", "twice"])
def test_an_idle_connection_is_closed(restless, before):
    with restless.connect() as connection:
        connection.send(before)
        for _ in range(before.count(GET)):
            assert connection.answer().status == 200
        assert connection.ended()


@pytest.mark.parametrize(
    "begun",
    [b"Content-Length: 5\r\n\r\nhel", b"Transfer-Encoding: chunked\r\n\r\n5\r\nhel"],
    ids=["length", "chunked"],
)
def test_a_body_that_pauses(hasty, begun):
    with hasty.connect() as connection:
        connection.send(b"POST / HTTP/1.1\r\nHost: a\r\n" + begun)
        answer = connection.answer()
        assert answer.status == 408
        assert answer.closes
        assert connection.ended()
    assert hasty.ran(connection.port) == []


def test_an_unread_body_that_pauses(hasty):
    with hasty.connect() as connection:
        connection.send(b"POST /unread HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhel")
        assert connection.answer().status == 200
        assert connection.ended()


def test_a_body_below_the_rate(serve):
    """It never pauses for long, and would take for ever."""
    settings = {"body_rate": 10_000, "body_rate_window": SHORT}
    with serve("probe_app.py", **settings) as probe, probe.connect() as connection:
        connection.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999\r\n\r\n")
        assert dripped(connection, b"a") == b"HTTP/1.1 408"


def test_an_idle_handler_is_not_the_clients_fault(serve):
    """The clocks of heads and bodies stand while the application works."""
    with serve("probe_app.py", head_timeout=SHORT, body_timeout=SHORT) as probe:
        answer = probe.get("/asleep/0.5")
        assert answer.status == 200


def test_a_client_that_stays_after_an_error_is_left(serve):
    """It has its answer; what else it sends is dropped for a while, and then the connection."""
    settings = {"linger_timeout": SHORT, "linger": 10**9}
    with serve("probe_app.py", **settings) as probe, probe.connect() as connection:
        connection.send(b"nonsense\r\n")
        assert connection.answer().status == 400
        assert connection.ended()
        with pytest.raises(ConnectionError):
            for _ in range(1000):
                connection.sock.sendall(b"more")
                time.sleep(SHORT / 20)


def test_a_client_that_floods_after_an_error_is_left(serve):
    settings = {"linger_timeout": 600, "linger": 1000}
    with serve("probe_app.py", **settings) as probe, probe.connect() as connection:
        connection.send(b"nonsense\r\n")
        assert connection.answer().status == 400
        with pytest.raises(ConnectionError):
            for _ in range(100_000):
                connection.sock.sendall(b"more" * 1000)


def test_too_many_connections(serve):
    with serve("probe_app.py", connections=2) as probe:
        with probe.connect() as one, probe.connect() as two:
            assert one.kept()
            assert two.kept()
            with probe.connect() as three:
                answer = three.answer()
                assert answer.status == 503
                assert answer.closes
                assert three.ended()
            assert one.kept()
        with probe.connect() as again:
            assert again.kept()


def test_a_reader_that_stops_reading(serve):
    """A write without progress ends the connection, while closing too."""
    with serve("probe_app.py", write_timeout=SHORT) as probe, probe.connect() as connection:
        connection.send(b"GET /large HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        assert probe.get("/wait/large").body == b"over"


@pytest.mark.parametrize("limit", [100, 20_000])
def test_the_limit_of_a_head_is_a_setting(serve, limit):
    with serve("probe_app.py", head=limit) as probe:
        fields = b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"a" * (limit - 40)
        assert probe.ask(fields + b"\r\n\r\n").status == 200
        assert probe.ask(fields + b"a" * 50 + b"\r\n\r\n").status == 431


def test_a_body_loaded_has_the_limit_that_is_set(serve):
    with serve("probe_app.py", body=10) as probe:
        head = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: "
        assert probe.ask(head + b"10\r\n\r\n0123456789").status == 200
        assert probe.ask(head + b"11\r\n\r\n0123456789a").status == 413
