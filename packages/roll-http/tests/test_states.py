"""The table of states: each transition happens, and no other transition does."""

from __future__ import annotations

import asyncio
import contextlib
import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from roll_http import HTTPProtocol, Limits, Request, Response
from roll_http.cookies import Cookies
from roll_http.h1.state import (
    ANSWERING,
    CLOSED,
    CLOSING,
    HEAD,
    IDLE,
    LINGERING,
    NAMES,
    NEXT,
    SKIPPING_BODY,
    SWITCHED,
    IllegalTransition,
    check,
)

GET = b"GET / HTTP/1.1\r\nHost: here\r\n\r\n"
CLOSE = b"GET / HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n"
HALF = b"GET / HTTP/1.1\r\nHo"
REST = b"st: here\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 9\r\n\r\nhalf"
LARGE = b"POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 999999\r\n\r\nhalf"
CHUNKED = b"POST / HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n"
WAIT = b"GET /wait HTTP/1.1\r\nHost: here\r\n\r\n"
SWITCH = b"GET /switch HTTP/1.1\r\nHost: here\r\n\r\n"
EOF, RESET = object(), object()

# For each transition, what the client does, one thing after another. Where nothing follows, the
# time of the connection runs out.
SCENARIOS = {
    (IDLE, HEAD): [HALF],
    (IDLE, ANSWERING): [GET],
    (IDLE, LINGERING): [b"nonsense\r\n\r\n"],
    (IDLE, CLOSING): [EOF],
    (IDLE, CLOSED): [RESET],
    (HEAD, ANSWERING): [HALF, REST],
    (HEAD, LINGERING): [HALF, b" \r\n\r\n"],
    (HEAD, CLOSING): [HALF, EOF],
    (HEAD, CLOSED): [HALF, RESET],
    (ANSWERING, IDLE): [GET],
    (ANSWERING, SKIPPING_BODY): [POST],
    (ANSWERING, LINGERING): [LARGE],
    (ANSWERING, CLOSING): [CLOSE],
    (ANSWERING, CLOSED): [WAIT, RESET],
    (ANSWERING, SWITCHED): [SWITCH],
    (SKIPPING_BODY, IDLE): [POST, b"whole"],
    (SKIPPING_BODY, LINGERING): [CHUNKED, b"nonsense"],
    (SKIPPING_BODY, CLOSING): [POST, EOF],
    (SKIPPING_BODY, CLOSED): [POST, RESET],
    (LINGERING, CLOSING): [LARGE, EOF],
    (LINGERING, CLOSED): [LARGE, RESET],
    (CLOSING, CLOSED): [EOF],
}


def named(pair):
    return "_to_".join(NAMES[state].lower() for state in pair)


def test_each_transition_of_the_table_has_a_scenario():
    pairs = {(before, after) for before in range(len(NEXT)) for after in NEXT[before]}
    assert pairs == SCENARIOS.keys()


@pytest.mark.parametrize("pair", list(itertools.product(range(len(NEXT)), repeat=2)), ids=named)
def test_check_allows_exactly_the_table(pair):
    if pair in SCENARIOS:
        check(*pair)
    else:
        with pytest.raises(IllegalTransition, match=f"{NAMES[pair[1]]} may not follow"):
            check(*pair)


class Silent(asyncio.Protocol):
    """The protocol to which a connection is handed over."""


async def handle(request, response):
    if request.path == "/wait":
        await asyncio.Event().wait()
    if request.path == "/switch":
        request.protocol.switch(Silent(), b"HTTP/1.1 101 Switching Protocols\r\n\r\n")
    response.body = "hello"


@pytest.mark.parametrize("pair", list(SCENARIOS), ids=named)
async def test_transition_happens(serve, transitions, pair):
    peer = await serve(handle)
    client = await peer.connect()
    while not transitions:
        await asyncio.sleep(0)
    (states,) = transitions.values()
    for action in SCENARIOS[pair]:
        passed = len(states)
        if action is EOF:
            client.send_eof()
        elif action is RESET:
            client.abort()
        else:
            client.send(action)
        async with asyncio.timeout(10):
            while len(states) == passed:
                await asyncio.sleep(0)
    async with asyncio.timeout(10):
        while pair not in itertools.pairwise(states):
            await asyncio.sleep(0)


# Whatever happens, in whatever order.

PIECES = [
    GET,
    GET * 3,
    CLOSE,
    HALF,
    REST,
    POST,
    b"whole",
    LARGE,
    CHUNKED,
    b"0\r\n\r\n",
    WAIT,
    SWITCH,
]
PIECES += [b"nonsense\r\n\r\n", b"\r\n", b"GET /", b"late", b"x" * 300_000]
PATHS = ["/", "/wait", "/soon", "/raise", "/read", "/read/soon", "/echo", "/stream", "/large"]
PATHS += ["/never/read", "/abort", "/switch", "/gone"]
PIECES += [
    f"POST {path} HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nha".encode() for path in PATHS
]
PIECES += [f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode() for path in PATHS]
EVENTS = ["eof", "lost", "pause", "resume", "read_expired", "write_expired", "shutdown", "cancel"]
EVENTS += ["turn", "turns"]


class Memory(asyncio.Transport):
    """A transport in memory, which behaves as asyncio's do."""

    protocol: HTTPProtocol

    def __init__(self):
        super().__init__()
        self.closing = False
        self.lost = False

    def write(self, data):
        assert data is not None

    def is_closing(self):
        return self.closing

    def can_write_eof(self):
        return True

    def write_eof(self):
        if self.lost:
            raise OSError(107, "Transport endpoint is not connected")

    def get_write_buffer_size(self):
        return 0

    def get_write_buffer_limits(self):
        return 0, 0

    def set_write_buffer_limits(self, high=None, low=None):
        pass

    def set_protocol(self, protocol):
        self.protocol = protocol

    def pause_reading(self):
        pass

    resume_reading = pause_reading

    def close(self):
        self.closing = True
        asyncio.get_running_loop().call_soon(self.lose)

    abort = close

    def lose(self):
        if not self.lost:
            self.lost = self.closing = True
            self.protocol.connection_lost(None)


class App:
    Request, Response, Cookies = Request, Response, Cookies
    limits = Limits()

    async def __call__(self, request, response):
        path = request.path
        if path == "/gone":
            request.cancel_on_disconnect = True
            await asyncio.Event().wait()
        if path == "/abort":
            request.protocol.abort()
        if path == "/raise":
            raise RuntimeError("an application's")
        if path in {"/read", "/read/soon"}:
            response.body = await request.read()
        if path in {"/soon", "/read/soon"}:
            await asyncio.sleep(0)
        if path == "/echo":
            response.body = request
        if path == "/stream":
            response.body = self.stream()
        if path == "/large":
            response.body = b"x" * 1_000_000
        await handle(request, response) if path in {"/wait", "/switch"} else None
        return response

    async def stream(self):
        for _ in range(3):
            await asyncio.sleep(0)
            yield b"x" * 70_000


async def turns(count):
    for _ in range(count):
        await asyncio.sleep(0)


async def act(protocol, transport, action):
    """Do what a loop, a client or a server may do to a connection at this moment."""
    switched = transport.protocol is not protocol
    if isinstance(action, bytes):
        if not (transport.closing or switched or protocol.gone):
            protocol.data_received(action)
    elif action == "eof":
        if not (transport.closing or switched or protocol.gone) and not protocol.eof_received():
            transport.close()
    elif action == "lost":
        transport.lose()
    elif action in {"pause", "resume"}:
        if not (transport.lost or switched):
            getattr(protocol, f"{action}_writing")()
    elif action in {"turn", "turns"}:
        await turns(1 if action == "turn" else 10)
    elif not (transport.lost and action.endswith("expired")):
        getattr(protocol, action)()


async def run(actions):
    transport = Memory()
    protocol = transport.protocol = HTTPProtocol(App())
    protocol.connection_made(transport)
    for action in actions:
        await act(protocol, transport, action)
    transport.lose()
    protocol.cancel()
    await turns(20)
    assert protocol.state in {CLOSED, SWITCHED}
    assert protocol.request is None
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:  # a handler that waits for ever, as nobody has asked it to end
        task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await asyncio.gather(*others)


@settings(max_examples=400, deadline=None)
@given(actions=st.lists(st.sampled_from(PIECES + EVENTS), max_size=12))
def test_random_events_keep_to_the_table(actions):
    faults = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(HTTPProtocol, "fail", lambda _: faults.append(True))
        asyncio.run(run(actions))
    assert faults == []
