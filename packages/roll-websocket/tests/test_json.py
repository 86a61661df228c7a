"""Messages that are JSON."""

import json
from functools import partial
from typing import Any

import pytest

from roll_websocket import (
    ConnectionClosed,
    InvalidMessage,
    StrictJSON,
    WSProtocol,
    check_protocol,
    codec,
)

VALUES = [
    None,
    True,
    0,
    -1.5,
    "h\u00e9\u20ac",
    [],
    {"a": [1, {"b": None}]},
    "x" * 70_000,
]


async def mirror(request: Any, ws: WSProtocol) -> None:
    async for value in ws.iter_json():
        await ws.send_json(value)


async def test_values_come_back(serve: Any, wire: Any) -> None:
    site = await serve(mirror)
    client = await site.connect()
    for value in VALUES:
        for data in (json.dumps(value), json.dumps(value, ensure_ascii=False).encode()):
            await client.send(data)
            assert json.loads(await client.recv()) == value
    await client.close()
    assert await site.ended() == [None]
    other = await site.connect()
    await other.close(4000)
    (_, error) = await site.ended(2)
    assert isinstance(error, ConnectionClosed)


async def test_json_is_sent_compact_as_text(serve: Any) -> None:
    async def handler(request: Any, ws: WSProtocol) -> None:
        await ws.send_json({"hello": ["w\u00f6rld", 1]})

    raw = await (await serve(handler)).raw()
    assert await raw.frame() == (0x81, '{"hello":["w\u00f6rld",1]}'.encode())


@pytest.mark.parametrize("text", ['"\\ud800"', '{"\\udfff":["\u00e9"]}'])
async def test_lone_surrogate_is_sent_back_escaped(serve: Any, text: str) -> None:
    client = await (await serve(mirror)).connect()
    await client.send(text)
    assert await client.recv() == text


NO_JSON = [
    b"",
    b"{",
    b"nope",
    b"NaN",
    b"[Infinity]",
    b"-Infinity",
    b"1e999",
    b"-1e999",
    b'{"a": 1} x',
    b"\xff\xfe1\x00",
    b'"\xed\xa0\x80"',
    b"[" * 100_000,
]


@pytest.mark.parametrize("data", NO_JSON)
async def test_malformed_json_closes_with_1007_and_is_not_logged(
    serve: Any, wire: Any, data: bytes, log: pytest.LogCaptureFixture
) -> None:
    site = await serve(mirror)
    raw = await site.raw()
    raw.send(wire.frame(2, data))
    assert await raw.close_code() == 1007
    raw.writer.close()
    (error,) = await site.ended()
    assert isinstance(error, InvalidMessage)
    assert isinstance(error, ValueError)
    await wire.until(lambda: not site.listener.running)
    assert log.records == []


@pytest.mark.parametrize("how", ["coroutine", "generator"])
async def test_codec_that_decodes_to_what_never_ran_is_an_error(
    serve: Any, wire: Any, how: str
) -> None:
    async def later() -> bool:
        return False

    class Late(StrictJSON):
        def loads(self, data: bytes) -> Any:
            return later() if how == "coroutine" else (x for x in data)

    async def handler(request: Any, ws: WSProtocol) -> None:
        ws.JSON = Late()  # type: ignore[misc]  # a class attribute, for all connections
        with pytest.raises(TypeError, match=r"`loads` of a JSON codec returned .*, which never"):
            await ws.recv_json()
        await ws.send("told")

    raw = await (await serve(handler)).raw()
    raw.send(wire.frame(1, b"false"))
    assert await raw.frame() == (0x81, b"told")


async def test_handler_may_continue_after_malformed_json(serve: Any, wire: Any) -> None:
    async def handler(request: Any, ws: WSProtocol) -> None:
        with pytest.raises(InvalidMessage, match="not JSON"):
            await ws.recv_json()
        await ws.send_json(await ws.recv_json())

    raw = await (await serve(handler)).raw()
    raw.send(wire.frame(1, b"nope") + wire.frame(1, b"1"))
    assert await raw.frame() == (0x81, b"1")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {1, 2}, object()])
async def test_value_that_json_cannot_encode_is_an_error_and_sends_nothing(
    serve: Any, value: Any
) -> None:
    async def handler(request: Any, ws: WSProtocol) -> None:
        with pytest.raises((TypeError, ValueError)):
            await ws.send_json(value)
        await ws.send_json("still open")

    raw = await (await serve(handler)).raw()
    assert await raw.frame() == (0x81, b'"still open"')


async def test_the_codec_may_be_another(serve: Any, wire: Any) -> None:
    class Codec:
        """One that gives bytes, as orjson does."""

        def dumps(self, value: Any) -> bytes:
            return f"<{value}>".encode()

        def loads(self, data: bytes) -> Any:
            assert isinstance(data, bytes)
            return data.decode().strip("<>")

    site = await serve(mirror, constants={"JSON": Codec()})
    raw = await site.raw()
    raw.send(wire.frame(1, b"<one>") + wire.frame(2, b"<two>"))
    assert [await raw.frame() for _ in range(2)] == [(0x81, b"<one>"), (0x81, b"<two>")]
    site = await serve(mirror, constants={"JSON": json})
    raw = await site.raw()
    raw.send(wire.frame(1, b'{"a": 1}'))
    assert await raw.frame() == (0x81, b'{"a": 1}')


def test_default_codec_refuses_invalid_json_both_ways() -> None:
    codec = StrictJSON()
    assert codec.loads(codec.dumps(VALUES).encode()) == VALUES
    for data in NO_JSON:
        with pytest.raises((ValueError, RecursionError)):
            codec.loads(data)


SHAPES = {"lists": ("[", "]", ""), "dicts": ('{"a":', "}", "1"), "both": ('[{"a":', "}]", "0")}


def nested(shape: str, depth: int) -> bytes:
    before, after, inner = SHAPES[shape]
    return (before * depth + inner + after * depth).encode()


def is_read(codec: StrictJSON, data: bytes) -> bool:
    try:
        codec.loads(data)
    except RecursionError:
        return False
    return True


@pytest.mark.parametrize("shape", SHAPES)
def test_json_that_is_read_can_be_written_again_however_deep(shape: str) -> None:
    codec = StrictJSON()
    taken, refused = 1, 200_000
    while refused - taken > 1:
        depth = (taken + refused) // 2
        data = nested(shape, depth)
        taken, refused = (depth, refused) if is_read(codec, data) else (taken, depth)
    assert taken > 100
    for depth in range(taken - 20, taken + 1):
        data = nested(shape, depth)
        assert called_deeper(codec.dumps, codec.loads(data)).encode() == data


def called_deeper(call: Any, value: Any, calls: int = 4) -> Any:
    """Call from some calls below: those that C makes count for its own recursion."""
    if not calls:
        return call(value)
    (found,) = map(partial(called_deeper, call, calls=calls - 1), [value])
    return found


@pytest.fixture(params=["read_within_room", "read_within_limit"])
def either_reader(request: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Read deep texts as Python 3.11 to 3.13 do, then as Python 3.14 does."""
    monkeypatch.setattr(codec, "read_deep", getattr(codec, request.param))


@pytest.mark.parametrize("shape", ["lists", "dicts"])
def test_from_python_3_14_on_500_levels_are_read(
    monkeypatch: pytest.MonkeyPatch, shape: str
) -> None:
    monkeypatch.setattr(codec, "read_deep", codec.read_within_limit)
    assert StrictJSON().loads(nested(shape, 500)) == json.loads(nested(shape, 500))
    for depth in (501, 600):
        with pytest.raises(RecursionError, match="more than 500 levels deep"):
            StrictJSON().loads(nested(shape, depth))


@pytest.mark.usefixtures("either_reader")
def test_wide_text_is_not_deep() -> None:
    value = [{"a": [[number], "x"], "b": {}} for number in range(3000)]
    assert StrictJSON().loads(json.dumps(value).encode()) == value


@pytest.mark.usefixtures("either_reader")
@pytest.mark.parametrize("text", ["%s],[%s", "%s]", "[%s", "%s,%s", "%s]]],[[[%s", "{}%s"])
def test_unbalanced_brackets_in_long_text_are_an_error(text: str) -> None:
    data = text.replace("%s", "[" + ",".join(["[]"] * 300) + "]").encode()
    with pytest.raises(json.JSONDecodeError) as expected:
        json.loads(data)
    with pytest.raises(json.JSONDecodeError) as raised:
        StrictJSON().loads(data)
    assert str(raised.value) == str(expected.value)


@pytest.mark.parametrize("grouped", [False, True])
async def test_a_handler_may_call_a_message_invalid(
    serve: Any, wire: Any, log: pytest.LogCaptureFixture, grouped: bool
) -> None:
    async def handler(request: Any, ws: WSProtocol) -> None:
        await ws.recv()
        error = InvalidMessage("no such command")
        raise ExceptionGroup("", [error]) if grouped else error

    site = await serve(handler)
    raw = await site.raw()
    raw.send(wire.frame(1, b"x"))
    assert await raw.close_code() == 1007
    raw.writer.close()
    await wire.until(lambda: not site.listener.running)
    assert log.records == []


class Unbound:
    def dumps(self, value):
        return json.dumps(value)

    def loads(self, data):
        return json.loads(data)


async def later(value):
    """A method that nothing awaits."""


@pytest.mark.parametrize("name", ["dumps", "loads"])
@pytest.mark.parametrize("method", [later, partial(later)])
def test_an_async_codec_is_refused_where_it_is_given(name, method):
    """Before, each message ended its connection, and the log did not say why."""
    methods = {"dumps": json.dumps, "loads": json.loads, name: method}
    codec = type("Codec", (), {key: staticmethod(call) for key, call in methods.items()})()
    kind = type("Kind", (WSProtocol,), {"JSON": codec})
    with pytest.raises(ValueError, match=f"`JSON.{name}` is never awaited"):
        check_protocol(kind)


def test_a_class_in_place_of_a_codec_is_refused():
    kind = type("Kind", (WSProtocol,), {"JSON": Unbound})
    with pytest.raises(ValueError, match=r"`JSON\.dumps` is called with one argument"):
        check_protocol(kind)
    kind.JSON = Unbound()
    check_protocol(kind)


def test_a_module_is_a_codec():
    check_protocol(type("Kind", (WSProtocol,), {"JSON": json}))
