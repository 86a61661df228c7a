"""Files as bodies: sent by the system if possible, and read otherwise."""

import asyncio
import contextlib
import errno
import gc
import io
import os
import re
import socket
import sys
from io import FileIO

import pytest

from roll_http import FileBody, files
from roll_http.connection import writer
from roll_http.files import CHUNK

MIB = 1024 * 1024
GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
LAST = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
SIZE = 3 * CHUNK + 5


def open_descriptors():
    return {os.readlink(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd") if alive(fd)}


def alive(fd):
    return os.path.lexists(f"/proc/self/fd/{fd}")


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "large.bin"
    path.write_bytes(os.urandom(1024) * (SIZE // 1024) + os.urandom(SIZE % 1024))
    return path


@pytest.fixture
def endless(tmp_path):
    """More than any socket holds."""
    path = tmp_path / "endless.bin"
    with path.open("wb") as file:
        file.truncate(256 * MIB)
    return path


@pytest.fixture
def sent(monkeypatch):
    """The sizes that were sent by sendfile."""
    sizes = []
    sendfile = os.sendfile

    def counted(out, source, offset, count):
        size = sendfile(out, source, offset, count)
        sizes.append(size)
        return size

    monkeypatch.setattr(os, "sendfile", counted)
    return sizes


def giving(path, start=0, length=None, announced=None):
    """A handler that answers with a part of a file."""
    length = path.stat().st_size - start if length is None else length

    async def handler(request, response):
        response.body = FileBody(path, start, length)
        response.headers["Content-Length"] = length if announced is None else announced

    return handler


async def body_of(connection):
    return (await connection.rest()).partition(b"\r\n\r\n")[2]


async def ask(peer, **options):
    connection = await peer.connect(**options)
    connection.send(LAST)
    return await body_of(connection)


@pytest.mark.parametrize(("start", "length"), [(0, SIZE), (1, SIZE - 1), (CHUNK, 10), (7, 0)])
async def test_a_part_of_a_file_is_sent_without_being_read(serve, file, sent, start, length):
    peer = await serve(giving(file, start, length))
    assert await ask(peer) == file.read_bytes()[start : start + length]
    assert sum(sent) == length


async def test_a_large_file_is_sent_in_pieces(serve, file, sent, monkeypatch):
    monkeypatch.setattr(writer, "PIECE", 1000)
    peer = await serve(giving(file))
    assert await ask(peer) == file.read_bytes()
    assert max(sent) == 1000


async def test_files_follow_one_another_on_a_connection(serve, file, sent):
    peer = await serve(giving(file))
    connection = await peer.connect()
    connection.send(GET + GET)
    for _ in range(2):
        await connection.head()
        assert await connection.exactly(SIZE) == file.read_bytes()
    connection.send(LAST)
    assert await body_of(connection) == file.read_bytes()
    assert sum(sent) == 3 * SIZE


def would_block(*args):
    raise BlockingIOError


@pytest.mark.parametrize("without", ["", "sendfile"], ids=["sent", "read"])
@pytest.mark.parametrize(
    ("owner", "name", "value"),
    [(files, "NOWAIT", None), (os, "preadv", would_block)],
    ids=["another system", "a disk to be waited for"],
)
async def test_a_file_is_sent_even_where_the_system_lacks_calls(
    serve, file, monkeypatch, without, owner, name, value
):
    monkeypatch.setattr(owner, name, value, raising=False)
    if without:
        monkeypatch.delattr(os, without)
    peer = await serve(giving(file, 3))
    assert await ask(peer) == file.read_bytes()[3:]


async def test_over_tls_a_file_is_read(serve, tls, file, sent):
    server, client = tls
    peer = await serve(giving(file), tls=server)
    assert await ask(peer, ssl=client, server_hostname="localhost") == file.read_bytes()
    assert sent == []


async def test_without_a_length_a_file_is_read(serve, file, sent):
    async def handler(request, response):
        response.body = FileBody(file, 0, SIZE)

    peer = await serve(handler)
    connection = await peer.connect()
    connection.send(LAST)
    assert "Transfer-Encoding: chunked" in await connection.head()
    assert (await connection.rest()).endswith(b"0\r\n\r\n")
    assert sent == []


async def test_a_file_that_cannot_be_sent_is_read(serve, file, monkeypatch):
    def refuse(*args):
        raise OSError(22, "Invalid argument")

    monkeypatch.setattr(os, "sendfile", refuse)
    peer = await serve(giving(file))
    assert await ask(peer) == file.read_bytes()


async def test_a_socket_that_takes_nothing_is_waited_for(serve, file, monkeypatch):
    sendfile = os.sendfile
    answers = iter([would_block, sendfile, would_block])
    monkeypatch.setattr(writer, "PIECE", SIZE // 2)

    def in_turn(*args):
        return next(answers, sendfile)(*args)

    monkeypatch.setattr(os, "sendfile", in_turn)
    peer = await serve(giving(file))
    assert await ask(peer) == file.read_bytes()


async def test_a_file_body_can_be_iterated(file):
    body = FileBody(file, 5, SIZE)
    assert b"".join([chunk async for chunk in body]) == file.read_bytes()[5:]
    assert str(file) not in open_descriptors()


async def test_an_open_file_is_sent_though_another_took_its_path(serve, file, sent, tmp_path):
    content = file.read_bytes()

    async def handler(request, response):
        response.body = FileBody(FileIO(file), 1, SIZE - 1)
        response.headers["Content-Length"] = SIZE - 1
        (tmp_path / "other").write_bytes(bytes(SIZE))
        (tmp_path / "other").replace(file)

    peer = await serve(handler)
    assert await ask(peer) == content[1:]
    assert sum(sent) == SIZE - 1


async def test_an_open_file_that_was_never_sent_is_closed(file):
    opened = FileIO(file)
    body = FileBody(opened, 0, SIZE)
    assert body.open() is opened
    del body
    gc.collect()
    assert opened.closed


async def test_a_closed_file_is_not_opened_again(file):
    body = FileBody(FileIO(file), 0, SIZE)
    await body.aclose()
    assert [chunk async for chunk in body] == []


async def test_a_file_that_was_never_sent_is_closed(file):
    body = FileBody(file, 0, SIZE)
    assert body.open() is body.open()
    assert str(file) in open_descriptors()
    del body
    gc.collect()
    assert str(file) not in open_descriptors()


async def test_a_head_request_never_opens_the_file(serve, tmp_path):
    async def handler(request, response):
        response.headers["Content-Length"] = 5
        response.body = FileBody(tmp_path / "nowhere", 0, 5)

    peer = await serve(handler)
    answer = await peer.exchange(LAST.replace(b"GET", b"HEAD"))
    assert "Content-Length: 5" in answer


@pytest.mark.parametrize("announced", [SIZE - 1, SIZE + 1])
async def test_a_wrong_content_length_of_a_file_is_a_500(serve, file, caplog, announced):
    peer = await serve(giving(file, announced=announced))
    assert (await peer.exchange(LAST)).startswith("HTTP/1.1 500 ")
    assert f"gives {SIZE} bytes from 0 on, the Content-Length says {announced}" in caplog.text


def cut(file):
    os.truncate(file, SIZE // 2)


def gone(file):
    file.unlink()


def folder(file):
    file.unlink()
    file.mkdir()


def pipe(file):
    file.unlink()
    os.mkfifo(file)


def socket_(file):
    file.unlink()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(file))


def device(file):
    file.unlink()
    file.symlink_to("/dev/zero")


def empty(file):
    file.write_bytes(b"")


def shorter(file):
    """There is nothing at its start any more."""
    file.write_bytes(b"ab")


BAD_FILES = [
    (cut, "gives .* bytes from 3 on, the Content-Length says"),
    (gone, "FileNotFoundError: .* No such file or directory"),
    (folder, "IsADirectoryError: .* Is a directory"),
    (pipe, "large.bin'\\) is not a regular file"),
    (socket_, "OSError: .* No such device or address"),
    (device, "large.bin'\\) is not a regular file"),
    (empty, "has 0 bytes: it has none at 3"),
    (shorter, "has 2 bytes: it has none at 3"),
]


@pytest.mark.parametrize("announced", [True, False])
@pytest.mark.parametrize(("spoil", "message"), BAD_FILES)
async def test_a_file_that_can_not_be_sent_is_a_500_that_says_why(
    serve, file, caplog, spoil, message, announced
):
    """The fault is found before the head is sent; without a length, a shorter file is allowed."""
    spoil(file)

    async def handler(request, response):
        response.body = FileBody(file, 3, SIZE - 3)
        if announced:
            response.headers["Content-Length"] = SIZE - 3

    answer = await (await serve(handler)).exchange(LAST + LAST)
    if spoil is cut and not announced:
        assert answer.startswith("HTTP/1.1 200 ")
        return
    assert answer.startswith("HTTP/1.1 500 ")
    assert answer.count("HTTP/1.1") == 1
    assert len(caplog.records) == 1
    assert re.search(message, caplog.text)


async def test_open_pipe_is_refused_as_a_file(serve, caplog):
    reading, writing = os.pipe()

    async def handler(request, response):
        response.body = FileBody(FileIO(reading), 0, 5)
        response.headers["Content-Length"] = 5

    with FileIO(writing, "w"):
        answer = await (await serve(handler)).exchange(LAST)
    assert answer.startswith("HTTP/1.1 500 ")
    assert "is not a regular file" in caplog.text
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(reading)


@pytest.mark.parametrize("announced", [True, False], ids=["sent", "chunked"])
async def test_a_file_that_is_cut_while_it_is_sent_resets_the_connection(
    serve, endless, caplog, announced
):
    size = endless.stat().st_size

    async def handler(request, response):
        response.body = FileBody(endless, 0, size)
        if announced:
            response.headers["Content-Length"] = size

    connection = await (await serve(handler)).connect(limit=1024)
    connection.send(LAST)
    await connection.head()
    os.truncate(endless, 10)
    with pytest.raises(ConnectionError):
        while await connection.reader.read(MIB):
            pass
    assert len(caplog.records) == 1
    assert re.search(r"was cut while it was read: \d+ bytes are missing", caplog.text)


async def test_a_file_that_is_cut_while_it_is_iterated_is_an_error(file):
    body = FileBody(file, 0, SIZE)
    assert await anext(body)
    os.truncate(file, 10)
    with pytest.raises(ValueError, match="was cut while it was read"):
        [chunk async for chunk in body]
    assert [chunk async for chunk in body] == []
    assert str(file) not in open_descriptors()


async def test_a_part_that_begins_at_the_end_is_empty(file):
    assert [chunk async for chunk in FileBody(file, SIZE, 5)] == []
    assert str(file) not in open_descriptors()


class Doubled(FileBody):
    """Gives other bytes than the file has."""

    async def __anext__(self):
        return 2 * await super().__anext__()


async def test_overridden_anext_supplies_the_bytes(serve, file, sent):
    content = file.read_bytes()[:10]

    async def handler(request, response):
        response.body = Doubled(file, 0, 10)
        response.headers["Content-Length"] = 20

    assert (await (await serve(handler)).exchange(LAST)).endswith((2 * content).decode("latin-1"))
    assert sent == []


@pytest.mark.parametrize(
    ("arguments", "kind", "message"),
    [
        (("a", -1, 3), ValueError, "start of a FileBody is below 0"),
        (("a", 0, -1), ValueError, "length of a FileBody is below 0"),
        (("a", 10**30, 1), ValueError, f"start of a FileBody is at most {sys.maxsize} bytes"),
        (("a", 0, 10**30), ValueError, f"length of a FileBody is at most {sys.maxsize} bytes"),
        (("a", "0", 1), TypeError, "start of a FileBody is a number of bytes, not str"),
        (("a", 0, None), TypeError, "length of a FileBody is a number of bytes, not NoneType"),
        (("a", 0, 1.0), TypeError, "not float"),
        (("a", True, 1), TypeError, "not bool"),
        ((5, 0, 1), TypeError, "takes a path or an open io.FileIO, not int"),
        ((None, 0, 1), TypeError, "not NoneType"),
        ((io.BytesIO(b"a"), 0, 1), TypeError, "not BytesIO$"),
    ],
)
def test_invalid_part_of_a_file_is_refused(arguments, kind, message):
    with pytest.raises(kind, match=message):
        FileBody(*arguments)


def test_a_buffered_file_is_refused_with_an_advice_and_stays_open(file):
    with file.open("rb") as opened:
        with pytest.raises(TypeError, match="not BufferedReader: give its `raw`"):
            FileBody(opened, 0, 1)
        with pytest.raises(ValueError, match="below 0"):
            FileBody(opened.raw, -1, 1)
        assert opened.read(1)


@pytest.fixture
def ask_slowly(serve, endless):
    """A client that has read the head of an answer, and hardly anything else; and its server."""

    async def ask_slowly(**limits):
        peer = await serve(giving(endless), **limits)
        connection = await peer.connect(limit=1024)
        connection.send(LAST)
        await connection.head()
        protocol = next(peer.server.connections)
        async with asyncio.timeout(10):
            while not (protocol.writer.body_sent or protocol.writer.lost):
                await asyncio.sleep(0)
        return peer, connection, protocol

    return ask_slowly


async def until_closed(path):
    async with asyncio.timeout(10):
        while str(path) in open_descriptors():
            await asyncio.sleep(0.01)


async def test_a_client_that_stops_reading_a_file_is_aborted(ask_slowly, endless):
    _, connection, _ = await ask_slowly(write_timeout=0.05)
    await until_closed(endless)
    with pytest.raises(ConnectionError):
        await connection.rest()


async def test_a_client_that_reads_slowly_gets_the_whole_file(ask_slowly, endless):
    _, connection, protocol = await ask_slowly()
    begin = protocol.registry.now + 1
    assert protocol.writer.stalled_for(begin) == 0  # something went out since
    assert protocol.writer.stalled_for(begin + 2) == 2
    size = 0
    while data := await connection.reader.read(MIB):
        size += len(data)
    assert size == 256 * MIB
    await until_closed(endless)


@pytest.mark.parametrize("way", ["abort", "close"])
async def test_a_client_that_disconnects_during_a_file_is_noticed(
    ask_slowly, endless, way, caplog
):
    _, connection, _ = await ask_slowly()
    connection.abort() if way == "abort" else connection.writer.close()
    await until_closed(endless)
    assert caplog.text == ""


async def test_a_server_stop_aborts_a_file(ask_slowly, endless):
    peer, connection, _ = await ask_slowly()
    await peer.server.stop(0.01)
    await until_closed(endless)
    with pytest.raises(ConnectionError):
        await connection.rest()


async def test_a_connection_may_be_lost_during_a_disk_read(serve, endless, monkeypatch, caplog):
    peer = await serve(giving(endless))
    fetch = FileBody.fetch

    async def lose(self, size):
        next(peer.server.connections).transport.abort()
        return await fetch(self, size)

    monkeypatch.setattr(FileBody, "fetch", lose)
    connection = await peer.connect()
    connection.send(LAST)
    with contextlib.suppress(ConnectionError):
        await connection.rest()
    await until_closed(endless)
    assert caplog.text == ""


async def test_file_is_sent_through_the_transport_when_no_descriptor_is_left(
    serve, endless, monkeypatch
):
    tried = []

    def refuse(fd):
        tried.append(fd)
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(os, "dup", refuse)
    size = 32 * MIB
    peer = await serve(giving(endless, length=size))
    assert len(await ask(peer, limit=1024)) == size
    assert tried
