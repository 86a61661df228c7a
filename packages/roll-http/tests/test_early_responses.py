"""`respond` sends a response while the application still runs, without effect on others."""

from __future__ import annotations

import asyncio

import pytest

from roll_http import Cookies, HTTPProtocol, Limits, Request, Response


class App:
    Request, Response, Cookies = Request, Response, Cookies

    def __init__(self):
        self.limits = Limits()
        self.first = asyncio.Event()
        self.second = asyncio.Event()
        self.ended = asyncio.Event()

    async def __call__(self, request, response):
        if request.path == "/second":
            await self.second.wait()
            response.body = "second"
            return response
        response.body = "first"
        if request.path.startswith("/waits"):
            await asyncio.sleep(0)
        assert request.protocol.respond(response) is None
        await self.first.wait()
        self.ended.set()
        if request.path.endswith("/raises"):
            raise ZeroDivisionError
        return response


class Memory(asyncio.Transport):
    def __init__(self):
        super().__init__()
        self.written = b""
        self.wrote = asyncio.Event()

    def write(self, data):
        self.written += data
        self.wrote.set()

    def get_write_buffer_size(self):
        return 0

    def is_closing(self):
        return False

    def pause_reading(self):
        pass

    resume_reading = close = abort = pause_reading


@pytest.fixture
async def protocol():
    protocol = HTTPProtocol(App())
    protocol.connection_made(Memory())
    yield protocol
    protocol.connection_lost(None)


async def ask(protocol, path):
    """Deliver a request in a callback of the loop, as a socket does."""
    delivered = asyncio.get_running_loop().create_future()

    def call():
        protocol.data_received(b"GET %s HTTP/1.1\r\nHost: a\r\n\r\n" % path)
        delivered.set_result(None)

    asyncio.get_running_loop().call_soon(call)
    await delivered


async def answer(transport):
    """Return what is written next."""
    await transport.wrote.wait()
    transport.wrote.clear()
    written, transport.written = transport.written, b""
    return written


@pytest.mark.parametrize(
    "path", [b"/returns", b"/raises", b"/waits/returns", b"/waits/raises"], ids=bytes.decode
)
async def test_end_of_an_application_after_respond_does_not_affect_the_next_request(
    protocol, path, caplog
):
    app, transport = protocol.app, protocol.transport
    await ask(protocol, path)
    assert (await answer(transport)).endswith(b"\r\n\r\nfirst")
    await ask(protocol, b"/second")
    request = protocol.request
    app.first.set()
    await app.ended.wait()
    await asyncio.sleep(0)
    assert transport.written == b""
    assert protocol.request is request
    assert ("raised after its response" in caplog.text) is path.endswith(b"raises")
    app.second.set()
    assert (await answer(transport)).endswith(b"\r\n\r\nsecond")
    assert protocol.request is None


class AtOnce(App):
    """Responds in the call itself, before its coroutine begins."""

    def __call__(self, request, response):
        if request.path == "/second":
            return super().__call__(request, response)
        response.body = "first"
        assert request.protocol.respond(response) is None
        return self._run_on(request, response)

    async def _run_on(self, request, response):
        await self.first.wait()
        self.ended.set()
        if request.path == "/raises":
            raise ZeroDivisionError
        return response


@pytest.mark.parametrize("path", [b"/returns", b"/raises"], ids=bytes.decode)
async def test_an_application_may_respond_before_its_coroutine_begins(protocol, path, caplog):
    protocol.app = AtOnce()
    await test_end_of_an_application_after_respond_does_not_affect_the_next_request(
        protocol, path, caplog
    )
