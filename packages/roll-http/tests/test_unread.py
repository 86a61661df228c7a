"""Clients that do not read their last response: the write timeout ends the connection."""

from __future__ import annotations

import asyncio
import contextlib
import socket

import pytest

from roll_http.h1.state import CLOSING

GET = b"GET /%d HTTP/1.1\r\nHost: here\r\n\r\n"
LAST = b"GET /%d HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n"
POST = b"POST /%d HTTP/1.1\r\nHost: here\r\nContent-Length: 9\r\n\r\n"


async def as_asked(request, response):
    response.body = b"x" * int(request.path[1:])


async def connected(address):
    """Connect a client whose system keeps few bytes for it."""
    client = socket.socket()
    client.setblocking(False)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2304)
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536)
    await asyncio.get_running_loop().sock_connect(client, address)
    return client


async def no_connection(server):
    async with asyncio.timeout(20):
        while any(server.connections):
            await asyncio.sleep(0.01)


async def unread_answers(peer, client):
    """Send requests, one after another, until a part of an answer waits in the server."""
    loop = asyncio.get_running_loop()
    while not any(each.transport.get_write_buffer_size() for each in peer.server.connections):
        await loop.sock_sendall(client, GET % 15_000)
        await until_idle(peer.server)


async def until_idle(server):
    await asyncio.sleep(0.01)  # the request arrives
    while any(each.request is not None for each in server.connections):
        await asyncio.sleep(0)


@pytest.mark.parametrize("behind", [b"", b"GET", POST % 1])
async def test_client_that_half_closes_and_reads_nothing_is_aborted(serve, behind):
    """Before, it kept its connection for ever, and each stop took its whole time."""
    peer = await serve(as_asked, write_timeout=0.3, linger_silence=0.05)
    with await connected(peer.address) as client:
        await unread_answers(peer, client)
        await asyncio.get_running_loop().sock_sendall(client, behind)
        client.shutdown(socket.SHUT_WR)
        await no_connection(peer.server)


@pytest.mark.parametrize("half_closed", [False, True])
@pytest.mark.parametrize("size", [300_000, 400_000, 500_000])
async def test_client_that_does_not_read_the_end_of_its_last_response_is_aborted(
    serve, half_closed, size
):
    """Before, it was no longer watched once it had read all but 16 KiB."""
    peer = await serve(as_asked, write_timeout=0.3, linger_silence=0.05)
    loop = asyncio.get_running_loop()
    with await connected(peer.address) as client:
        await loop.sock_sendall(client, LAST % size)
        if half_closed:
            client.shutdown(socket.SHUT_WR)
        protocol = await sending(peer.server)
        with contextlib.suppress(ConnectionError):  # a slow machine has let the time pass already
            while protocol.state < CLOSING or (
                protocol.writer.paused and not protocol.writer.lost
            ):
                await loop.sock_recv(client, 512)
                await asyncio.sleep(0)
        await no_connection(peer.server)


async def sending(server):
    """Return the connection of the only client, once it waits for the client to read."""
    while not any(each.writer.paused for each in server.connections):
        await asyncio.sleep(0)
    return next(server.connections)
