"""The native core leaks no memory, and survives failed allocations."""

from __future__ import annotations

import asyncio
import gc
import os
import sys

import pytest

from roll_http import Cookies, HTTPProtocol, Limits, Request, Response, _core
from roll_http.connection.eager_tasks import ENDED

try:
    from _testcapi import remove_mem_hooks, set_nomemory
except ImportError:
    set_nomemory = remove_mem_hooks = None

if not _core.is_native:
    pytest.skip(f"the Python path is active: {_core.reason}", allow_module_level=True)

native = _core.native

REQUESTS = int(os.environ.get("ROLL_REQUESTS", "20000"))
"""How many are answered; a million in `hatch run fuzz`."""

PLAIN = b"GET /plain?a=b HTTP/1.1\r\nHost: a\r\nX-A: 1\r\nCookie: a=b\r\n\r\n"
KINDS = {
    "plain": PLAIN,
    "escaped": b"GET /%C3%A9 HTTP/1.1\r\nHost: a\r\n\r\n",
    "body": b"POST /body HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
    "json": b"GET /json HTTP/1.1\r\nHost: a\r\n\r\n",
    "fields": b"GET /fields HTTP/1.1\r\nHost: a\r\nX-A: 1\r\nx-a: 2\r\n\r\n",
    "cookies": b"GET /cookies HTTP/1.1\r\nHost: a\r\nCookie: a=b; c=d\r\n\r\n",
    "echo": b'POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 13\r\n\r\n{"a": [1, 2]}',
    "bad json": b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n[1,",
    "waits": b"GET /waits HTTP/1.1\r\nHost: a\r\n\r\n",
    "fails late": b"GET /fails-late HTTP/1.1\r\nHost: a\r\n\r\n",
    "fails": b"GET /fails HTTP/1.1\r\nHost: a\r\n\r\n",
    "pipelined": 8 * PLAIN,
    "not common": b"GET /plain HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, a\r\n\r\n",
    "refused by llhttp": b"GET /plain HTTP/1.1\r\nHost: a\r\nX: \x00\r\n\r\n",
}


class App:
    Request, Response, Cookies = Request, Response, Cookies

    def __init__(self) -> None:
        self.limits = Limits()

    async def __call__(self, request, response):
        if request.path == "/json":
            response.json = {"a": [1, "b", None, 1.5, True]}
        elif request.path == "/fields":
            response.headers["X-Fields"] = " ".join(request.headers)
            response.cookies.set("a", "b")
            response.headers["X-Number"] = len(response.headers)
        elif request.path == "/cookies":
            response.cookies.set("c", request.cookies["c"])
        elif request.path == "/echo":
            response.json = request.json
        elif request.path == "/waits":
            await asyncio.sleep(0)
            response.body = "waited"
        elif request.path == "/fails-late":
            await asyncio.sleep(0)
            raise KeyError
        elif request.path == "/fails":
            raise KeyError
        else:
            response.body = request._whole or "text"
        return response


class Memory(asyncio.Transport):
    written = 0

    def write(self, data):
        self.written += 1

    def get_write_buffer_size(self):
        return 0

    def can_write_eof(self):
        return False

    def is_closing(self):
        return False

    def pause_reading(self):
        pass

    def resume_reading(self):
        pass

    def close(self):
        pass

    abort = close


def connection():
    protocol = HTTPProtocol(App())
    protocol.connection_made(Memory())
    return protocol


async def deliver(protocol, data, times):
    loop = asyncio.get_running_loop()
    done = loop.create_future()

    def call(left):
        while left and protocol.request is None:
            protocol.data_received(data)
            left -= 1
        if left or protocol.request is not None:
            loop.call_soon(call, left)
        else:
            done.set_result(None)

    loop.call_soon(call, times)
    await done


def counted():
    """The blocks of memory in use, and the references to what the core shares."""
    gc.collect()
    shared = (
        None,
        True,
        False,
        "",
        b"",
        "1.1",
        "GET",
        ENDED,
        Request,
        Response,
        _core.bases.UNSET,
    )
    return sys.getallocatedblocks(), [sys.getrefcount(one) for one in shared]


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "refused by llhttp"])
async def test_memory_and_references_stay_the_same_over_many_requests(kind, caplog):
    caplog.set_level(1000, "roll_http")
    protocol = connection()
    await deliver(protocol, KINDS[kind], 200)
    blocks, references = counted()
    await deliver(protocol, KINDS[kind], REQUESTS // len(KINDS))
    more_blocks, more_references = counted()
    assert more_blocks - blocks < 200
    # References that tests, caches and the interpreter come to hold are few; a lost one a request
    # would be thousands. From 3.12 on, the constants have no count.
    growth = [after - before for before, after in zip(references, more_references, strict=True)]
    assert max(map(abs, growth)) < 200, growth


def set_one():
    cookies = Response(None, None).cookies
    cookies.set("a", "b", httponly=True)
    return cookies


@pytest.mark.skipif(set_nomemory is None, reason="the interpreter has no _testcapi")
def test_parsing_and_rendering_survive_each_failed_allocation():
    limits = Limits()
    data = KINDS["fields"]
    response = Response(None, None)
    response.headers["X-A"] = "1"
    response.body = "text"
    cookies = set_one()
    value = {"a": [1, "b" * 300, None, 1.5, True]}
    work = [
        lambda: native.parse(data, limits),
        lambda: native.serialize(response, "Date: now\r\n"),
        lambda: native.encode_json(value),
        lambda: native.read_cookies(b"Cookie: a=b; c=d\r\n\r\n"),
        lambda: native.cookie_line(cookies["a"]),
        lambda: str(set_one()["a"]),
        # Many, as the interpreter keeps some of the dicts that were freed.
        lambda: [make(None, None) for make in (Request, Response) * 100],
    ]
    failed = 0
    for call in work:
        expected = call()
        for start in range(1, 400):
            set_nomemory(start, start + 1)
            result = None
            try:
                result = call()
            except MemoryError:
                pass
            finally:
                remove_mem_hooks()
            # None leaves a response to Python, which then meets the failure.
            assert result is None or result == expected or isinstance(result[0], Request)
            failed += result is None
        again = call()
        assert again == expected or isinstance(expected[0], Request)
    # Not of each: the interpreter keeps what was freed, and may need no memory for some of them.
    assert failed > 0


@pytest.mark.skipif(set_nomemory is None, reason="the interpreter has no _testcapi")
@pytest.mark.parametrize(
    "kind", ["plain", "body", "pipelined", "fields", "cookies", "echo", "waits"]
)
async def test_a_connection_survives_or_ends_at_each_failed_allocation(kind, caplog):
    caplog.set_level(1000, "roll_http")
    loop = asyncio.get_running_loop()
    data = KINDS[kind]
    warm = connection()
    await deliver(warm, data, 3)
    for start in range(1, 250):
        protocol = connection()
        done = loop.create_future()

        def call(protocol=protocol, start=start):
            gc.disable()  # whose callbacks, of tests, would meet the failure
            set_nomemory(start, start + 1)
            try:
                protocol.data_received(data)
            except MemoryError:
                pass
            finally:
                remove_mem_hooks()
                gc.enable()

        loop.call_soon(call)
        loop.call_soon(done.set_result, None)
        await done
        assert protocol.state in range(8)
        assert asyncio.current_task() is not None  # the one of the test is still the current one
    await deliver(warm, data, 1)
    assert warm.transport.written > 3
