"""An ASGI application on Roll's server passes the probe as an application of Roll does."""

import random

import pytest

DRIPPED_AT_MOST = 3000
WANTED = {"test_answer_byte_by_byte": lambda case: len(case.sent) < DRIPPED_AT_MOST}

HALF = "400 > closed"
HALF_WHY = "Roll answers where roll-http alone only closes: see `bodies` in roll.toml"
CONNECT_WHY = "a mount takes no CONNECT, because ASGI has no tunnels"
TARGET_WHY = "the scope has path and query, not the form of the target (RFC 9112 3.2)"
STATUS_WHY = "the message is refused before anything is sent, so the connection goes on"
COOKIE_WHY = "a cookie is a field like any other, and a bad field ends the connection"

COOKIE_VALUE = "[%22a%22,%22b%5Cr%5CnX:%20y%22]"
COOKIE_NAME = "[%22a%5Cr%5CnX:%20y%22,%22b%22]"

DIFFERENT = {
    "chunks: end of input in the size": (HALF, HALF_WHY),
    "chunks: end of input in the data": (HALF, HALF_WHY),
    "chunks: end of input before the last chunk": (HALF, HALF_WHY),
    "chunks: end of input before the last line end": (HALF, HALF_WHY),
    "sizes: wraps to 5 in 32 bits": (HALF, HALF_WHY),
    "content-length: body before the end of input": (HALF, HALF_WHY),
    "content-length: none of its body": (HALF, HALF_WHY),
    "connect: refused, and nothing after it is run": ("501 > closed", CONNECT_WHY),
    "connect: of a path, which only tests ask for": ("501 > closed", CONNECT_WHY),
    "targets: absolute form": ("200 GET /c > kept", TARGET_WHY),
    "targets: absolute form, scheme in capitals": ("200 GET /c > kept", TARGET_WHY),
    "targets: absolute form without a path": ("200 GET / > kept", TARGET_WHY),
    "targets: absolute form, a query and no path": ("200 GET /?c > kept", TARGET_WHY),
    "targets: absolute form with a port": ("200 GET / > kept", TARGET_WHY),
    "targets: asterisk form": ("200 > kept", "Roll answers `OPTIONS *` by itself"),
    "bodies: 100 is no final answer": ("500 GET /status/100 > kept", STATUS_WHY),
    "bodies: 101 is no final answer": ("500 GET /status/101 > kept", STATUS_WHY),
    "bodies: 103 is no final answer": ("500 GET /status/103 > kept", STATUS_WHY),
    "bodies: no response at all": ("500 GET /nothing > kept", STATUS_WHY),
    "headers: CR LF in a cookie": (f"500 GET /cookie/{COOKIE_VALUE} > closed", COOKIE_WHY),
    "headers: CR LF in the name of a cookie": (
        f"500 GET /cookie/{COOKIE_NAME} > closed",
        COOKIE_WHY,
    ),
}
"""The cases that an application on Roll's server answers in another way, and why."""

ABOVE_LIMIT = {
    "expect: with a body that is too large",
    "content-length: wraps to 5 in 32 bits",
    "body: announced as larger than what is loaded",
    "body: in chunks, larger than what is loaded",
}
"""The cases with bodies above `max_body`, which `roll run` does not set for an application."""

OTHER_STATUS = "bodies: an unknown status"
UNREAD = "body: announced as larger, not read"


@pytest.fixture(scope="module", params=["native", "Python"])
def core(request):
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "Python":
            patch.setenv("ROLL_PURE", "1")
        yield request.param


@pytest.fixture(scope="module", params=["mounted", "alone"])
def way(request):
    return request.param


@pytest.fixture(scope="module")
def probe(serve, core, way):
    with serve("probe_hosted.py" if way == "mounted" else "probe_alone.py") as probe:
        yield probe


@pytest.fixture
def hosted_case(case, way):
    """A case, with the answers that an application on Roll's server gives."""
    if case.what == OTHER_STATUS:
        pytest.skip("it has a test of its own")
    if way == "alone" and case.what in ABOVE_LIMIT:
        pytest.skip("bodies have no limit here")
    if way == "mounted" and case.what == UNREAD:
        return case._replace(back="413 > closed")  # known from the head to be above `max_body`
    back, _ = DIFFERENT.get(case.what, (case.back, ""))
    return case._replace(back=back)


def test_answer(probe, hosted_case):
    probe.judge(hosted_case, probe.whole)


def test_answer_byte_by_byte(probe, hosted_case):
    probe.judge(hosted_case, probe.drip)


def test_different_cases_exist(cases):
    names = {case.what for case in cases}
    assert {*DIFFERENT, *ABOVE_LIMIT, OTHER_STATUS, UNREAD} <= names


def test_status_beyond_599_is_passed_on(probe):
    """Applications send such statuses, for example 999, and clients read them as 5xx."""
    with probe.connect() as connection:
        connection.send(b"GET /status/799 HTTP/1.1\r\nHost: a\r\n\r\n")
        assert connection.file.readline() == b"HTTP/1.1 799 \r\n"


def test_half_closed_client_learns_that_its_unfinished_request_ends_the_connection(probe):
    with probe.connect() as connection:
        connection.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhell")
        connection.end()
        answer = connection.answer()
        assert (answer.status, answer.closes) == (400, True)
        assert connection.ended()


KINDS = ["echo", "unread", "part", "early", "leak", "behind", "late", "stream", "raise"]
SIZES = [0, 1, 100, 5000]
BATCH = 16


def request_of(chance, number):
    """Return the line and the bytes of a request, with or without a body."""
    target = f"/{chance.choice(KINDS)}/n{number}"
    framing, size = chance.randrange(3), chance.choice(SIZES)
    if not framing:
        return f"GET {target}", f"GET {target} HTTP/1.1\r\nHost: a\r\n\r\n".encode()
    head = f"POST {target} HTTP/1.1\r\nHost: a\r\n"
    body = b"G" * size
    if framing == 1:
        return f"POST {target}", f"{head}Content-Length: {size}\r\n\r\n".encode() + body
    chunk = b"%x\r\n%b\r\n" % (size, body) if size else b""
    return f"POST {target}", f"{head}Transfer-Encoding: chunked\r\n\r\n".encode() + chunk + LAST


LAST = b"0\r\n\r\n"


def send_in_pieces(connection, chance, data):
    start = 0
    while start < len(data):
        size = chance.choice([1, 37, 1000, 100_000])
        connection.send(data[start : start + size])
        start += size


@pytest.mark.parametrize("seed", range(10))
def test_each_pipelined_answer_belongs_to_its_request_whatever_is_read(probe, seed):
    chance = random.Random(seed)
    batch = [request_of(chance, number) for number in range(BATCH)]
    with probe.connect() as connection:
        probe.ran(connection.port)
        send_in_pieces(connection, chance, b"".join(data for _, data in batch))
        for line, _ in batch:
            answer = connection.answer()
            if "/raise/" in line:
                assert (answer.status, answer.get("X-Ran")) == (500, None)
            else:
                assert (answer.status, answer.get("X-Ran")) == (200, line)
                assert b"leaked" not in answer.body
            assert not answer.closes
        assert connection.kept()
    assert probe.ran(connection.port) == [line for line, _ in batch]
