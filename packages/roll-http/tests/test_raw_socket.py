"""Bytes that are sent past a transport stay in order with bytes that are sent through it."""

import asyncio
import socket

import pytest

from roll_http.connection.raw_socket import RawSocket, unacknowledged

PARTS = (b"before", memoryview(b"the chunk"), b"after")


class Transport(asyncio.Transport):
    """A transport over one end of a pair of sockets, that holds what the test says."""

    def __init__(self, sock, held=b"", closing=False, **extra):
        super().__init__({"socket": sock, **extra})
        self.data = held
        self.closing = closing

    def get_write_buffer_size(self):
        return len(self.data)

    def is_closing(self):
        return self.closing

    def write(self, data):
        self.data += data


@pytest.fixture
def ends():
    ends = socket.socketpair()
    for end in ends:
        end.setblocking(False)
    yield ends
    for end in ends:
        end.close()


def test_parts_are_written_to_the_socket(ends):
    transport = Transport(ends[0])
    RawSocket.of(transport).write(*PARTS)
    assert (ends[1].recv(100), transport.data) == (b"beforethe chunkafter", b"")


@pytest.mark.parametrize("state", [{"held": b"head"}, {"closing": True}], ids=["held", "closing"])
def test_parts_are_written_after_the_transport_s_buffer(ends, state):
    transport = Transport(ends[0], **state)
    RawSocket.of(transport).write(*PARTS)
    assert transport.data == state.get("held", b"") + b"beforethe chunkafter"
    with pytest.raises(BlockingIOError):
        ends[1].recv(100)


def test_parts_that_the_socket_does_not_take_go_to_the_transport(ends):
    large = bytes(10_000_000)
    transport = Transport(ends[0])
    RawSocket.of(transport).write(b"1", large, b"2")
    assert 0 < len(transport.data) < len(large)
    assert transport.data.endswith(b"2")
    taken = len(large) + 2 - len(transport.data)
    received = 0
    while received < taken:
        received += len(ends[1].recv(taken))


@pytest.mark.parametrize("sent", range(len(b"beforethe chunkafter") + 1))
def test_rest_behind_any_byte_goes_to_the_transport(ends, monkeypatch, sent):
    transport = Transport(ends[0])
    monkeypatch.setattr("os.writev", lambda descriptor, parts: sent)
    RawSocket.of(transport).write(*PARTS)
    assert transport.data == b"beforethe chunkafter"[sent:]


def test_the_transport_finds_out_that_the_client_has_gone(ends):
    ends[1].close()
    transport = Transport(ends[0])
    RawSocket.of(transport).write(*PARTS)
    assert transport.data == b"beforethe chunkafter"


def test_tls_and_systems_without_sendfile_have_no_raw_socket(ends, monkeypatch):
    assert RawSocket.of(Transport(None)) is None
    assert RawSocket.of(Transport(ends[0], sslcontext=object())) is None
    monkeypatch.delattr("os.sendfile")
    assert RawSocket.of(Transport(ends[0])) is None


async def test_bytes_that_the_peer_has_not_confirmed_are_counted():
    loop = asyncio.get_running_loop()
    listener = socket.create_server(("127.0.0.1", 0))
    listener.setblocking(False)
    accepting = loop.create_task(loop.sock_accept(listener))
    with listener, socket.create_connection(listener.getsockname()) as client:
        server, _ = await accepting
        transport = Transport(server)
        with server:
            server.setblocking(False)
            assert unacknowledged(transport) == 0
            sent = 0
            with pytest.raises(BlockingIOError):
                while True:
                    sent += server.send(bytes(65536))
            assert 0 < unacknowledged(transport) < sent
            received = 0
            while received < sent:
                received += len(client.recv(65536))
            async with asyncio.timeout(10):
                while unacknowledged(transport):
                    await asyncio.sleep(0)


def test_without_a_socket_nothing_is_unconfirmed():
    assert unacknowledged(Transport(None)) == 0
