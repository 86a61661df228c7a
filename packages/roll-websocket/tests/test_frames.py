"""Valid and invalid frames, from a client on a plain socket."""

import zlib
from typing import Any

import pytest

TEXT, BINARY, CONTINUATION, CLOSE, PING, PONG = 1, 2, 0, 8, 9, 10


def deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return (packer.compress(data) + packer.flush(zlib.Z_SYNC_FLUSH))[:-4]


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65535, 65536, 100_000])
@pytest.mark.parametrize("kind", [TEXT, BINARY])
async def test_messages_of_any_length_come_back(
    serve: Any, wire: Any, kind: int, size: int
) -> None:
    raw = await (await serve()).raw()
    raw.send(wire.frame(kind, b"x" * size))
    assert await raw.frame() == (0x80 | kind, b"x" * size)


async def test_bytes_in_the_packet_of_the_handshake_are_processed(serve: Any, wire: Any) -> None:
    raw = await (await serve()).raw(after=wire.frame(TEXT, b"early"))
    assert await raw.frame() == (0x81, b"early")


async def test_fragments_become_one_message(serve: Any, wire: Any) -> None:
    raw = await (await serve()).raw()
    euro = "\u20ac".encode()
    raw.send(wire.frame(TEXT, euro[:1], first=0x01) + wire.frame(CONTINUATION, b"", first=0x00))
    raw.send(wire.frame(PING, b"between") + wire.frame(CONTINUATION, euro[1:]))
    assert await raw.frame() == (0x8A, b"between")
    assert await raw.frame() == (0x81, euro)


async def test_binary_fragments_need_not_be_text(serve: Any, wire: Any) -> None:
    raw = await (await serve()).raw()
    raw.send(wire.frame(BINARY, b"\xff", first=0x02) + wire.frame(CONTINUATION, b"\xfe"))
    assert await raw.frame() == (0x82, b"\xff\xfe")


@pytest.mark.parametrize(
    ("kind", "payload", "options", "code"),
    [
        (TEXT, b"x", {"masked": False}, 1002),
        (TEXT, b"\xff", {}, 1007),
        (TEXT, b"\xed\xa0\x80", {}, 1007),
        (TEXT, b"\xff", {"first": 0x01}, 1007),
        (TEXT, b"x", {"first": 0xC1}, 1002),
        (TEXT, b"x", {"first": 0xA1}, 1002),
        (TEXT, b"x", {"first": 0x91}, 1002),
        (3, b"x", {}, 1002),
        (11, b"", {}, 1002),
        (CONTINUATION, b"x", {}, 1002),
        (PING, b"x", {"first": 0x09}, 1002),
        (PING, b"x" * 126, {}, 1002),
        (CLOSE, b"\x03", {}, 1002),
        (CLOSE, b"\x03\xed", {}, 1002),
        (CLOSE, b"\x03\xe8\xff", {}, 1007),
        (BINARY, b"x" * 1001, {}, 1009),
        (BINARY, b"x" * 200_000, {}, 1009),
    ],
)
async def test_a_bad_frame_fails_the_connection(
    serve: Any, wire: Any, kind: int, payload: bytes, options: dict[str, Any], code: int
) -> None:
    site = await serve(max_size=1000)
    raw = await site.raw()
    raw.send(wire.frame(kind, payload, **options))
    assert await raw.close_code() == code
    assert await raw.rest() == b""
    (error,) = await site.ended()
    assert error is not None
    assert error.code == code


async def test_a_message_of_the_limit_passes(serve: Any, wire: Any) -> None:
    raw = await (await serve(max_size=1000)).raw()
    raw.send(wire.frame(BINARY, b"x" * 1000))
    assert await raw.frame() == (0x82, b"x" * 1000)


async def test_a_message_too_big_in_fragments_is_refused(serve: Any, wire: Any) -> None:
    raw = await (await serve(max_size=1000)).raw()
    raw.send(wire.frame(BINARY, b"x" * 600, first=0x02) + wire.frame(CONTINUATION, b"x" * 401))
    assert await raw.close_code() == 1009


async def test_length_of_a_frame_alone_refuses_it_if_too_large(serve: Any) -> None:
    raw = await (await serve()).raw()
    raw.send(b"\x82\xff" + (2**40).to_bytes(8))
    assert await raw.close_code() == 1009


LENGTHS = [
    (126, 0),
    (126, 1),
    (126, 125),
    (127, 0),
    (127, 125),
    (127, 126),
    (127, 65535),
    (127, 1 << 63),
    (127, (1 << 63) + 5),
    (127, (1 << 64) - 1),
]
"""The forms of an extended length, with lengths that no frame may have in them."""


@pytest.mark.parametrize("first", [0x81, 0x82, 0x02, 0x89, 0x88, 0xC2])
@pytest.mark.parametrize(("form", "length"), LENGTHS)
async def test_length_in_more_bytes_than_needed_or_with_top_bit_is_1002(
    serve: Any, first: int, form: int, length: int
) -> None:
    raw = await (await serve()).raw()
    extended = length.to_bytes(2 if form == 126 else 8)
    payload = bytes(4 + length) if length < 1 << 16 else b""
    raw.send(bytes([first, 0x80 | form]) + extended + payload)
    assert await raw.close_code() == 1002


@pytest.mark.parametrize(("form", "length"), LENGTHS)
async def test_invalid_length_is_refused_within_fragmented_message(
    serve: Any, wire: Any, form: int, length: int
) -> None:
    raw = await (await serve()).raw()
    raw.send(wire.frame(TEXT, b"half", first=0x01))
    raw.send(bytes([0x80, 0x80 | form]) + length.to_bytes(2 if form == 126 else 8))
    assert await raw.close_code() == 1002


@pytest.mark.parametrize(("form", "length"), [(126, 126), (126, 65535), (127, 65536)])
async def test_shortest_length_of_each_form_is_accepted(
    serve: Any, wire: Any, form: int, length: int
) -> None:
    raw = await (await serve()).raw()
    extended = length.to_bytes(2 if form == 126 else 8)
    raw.send(bytes([0x82, 0x80 | form]) + extended + bytes(4) + b"x" * length)
    assert await raw.frame() == (0x82, b"x" * length)


async def test_without_a_limit_any_message_passes(serve: Any, wire: Any) -> None:
    raw = await (await serve(constants={"MAX_SIZE": None})).raw()
    raw.send(wire.frame(BINARY, b"x" * 600, first=0x02) + wire.frame(CONTINUATION, b"x"))
    assert await raw.frame() == (0x82, b"x" * 601)


@pytest.mark.parametrize("size", [100, 99, 1, 0])
async def test_a_ping_within_a_nearly_full_message_is_answered(
    serve: Any, wire: Any, size: int
) -> None:
    raw = await (await serve(max_size=100)).raw()
    raw.send(wire.frame(BINARY, b"x" * size, first=0x02) + wire.frame(PING, b"p" * 125))
    assert await raw.frame() == (0x8A, b"p" * 125)
    raw.send(wire.frame(CONTINUATION, b"x" * (100 - size)))
    assert await raw.frame() == (0x82, b"x" * 100)


async def test_a_close_within_a_fragmented_message_is_clean(serve: Any, wire: Any) -> None:
    site = await serve()
    raw = await site.raw()
    raw.send(wire.frame(TEXT, b"half", first=0x01) + wire.frame(CLOSE, b"\x03\xe8bye"))
    assert await raw.frame() == (0x88, b"\x03\xe8bye")
    assert await raw.rest() == b""
    assert await site.ended() == [None]


DEFLATE = "Sec-WebSocket-Extensions: permessage-deflate"


async def test_compressed_messages_come_back_compressed(serve: Any, wire: Any) -> None:
    raw = await (await serve()).raw(DEFLATE)
    for _ in range(2):
        raw.send(wire.frame(TEXT, deflate(b"a" * 1000), first=0xC1))
        first, payload = await raw.frame()
        assert first == 0xC1
        assert len(payload) < 100


async def test_a_decompression_bomb_is_refused(serve: Any, wire: Any) -> None:
    raw = await (await serve()).raw(DEFLATE)
    raw.send(wire.frame(BINARY, deflate(bytes(2**24)), first=0xC2))
    assert await raw.close_code() == 1009


async def test_a_bomb_in_fragments_is_refused(serve: Any, wire: Any) -> None:
    raw = await (await serve(max_size=1000)).raw(DEFLATE)
    bomb = deflate(bytes(100_000))
    raw.send(wire.frame(BINARY, bomb[:8], first=0x42) + wire.frame(CONTINUATION, bomb[8:]))
    assert await raw.close_code() == 1009


@pytest.mark.parametrize("kind", [TEXT, BINARY])
async def test_compressed_garbage_fails_the_connection(serve: Any, wire: Any, kind: int) -> None:
    raw = await (await serve()).raw(DEFLATE)
    raw.send(wire.frame(kind, b"\xff" * 20, first=0xC0 | kind))
    assert await raw.close_code() in {1002, 1007}


async def test_compressed_text_must_be_text(serve: Any, wire: Any) -> None:
    raw = await (await serve()).raw(DEFLATE)
    raw.send(wire.frame(TEXT, deflate(b"\xff\xff"), first=0xC1))
    assert await raw.close_code() == 1007
