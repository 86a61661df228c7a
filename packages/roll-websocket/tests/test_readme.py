"""The examples of the README run."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

README = (Path(__file__).parent.parent / "README.md").read_text()
EXAMPLES = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


async def test_the_first_example_echoes(capsys: pytest.CaptureFixture[str]) -> None:
    example = EXAMPLES[0].replace("8765", "0")
    assert "asyncio.run(main())" in example
    namespace: dict[str, Any] = {"__name__": "readme"}
    exec(compile(example, "README.md", "exec"), namespace)
    served = asyncio.get_running_loop().create_future()
    namespace["print"] = served.set_result
    task = asyncio.ensure_future(namespace["main"]())
    async with connect(str(await served), proxy=None) as client:
        await client.send("hello")
        assert await client.recv() == "hello"
    task.cancel()
    await asyncio.wait([task])


async def test_the_second_example_tells_all(wire: Any) -> None:
    namespace: dict[str, Any] = {"__name__": "readme"}
    exec(compile(EXAMPLES[1], "README.md", "exec"), namespace)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(namespace["listener"], "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    url = f"ws://{host}:{port}"
    async with connect(url, proxy=None) as ada, connect(url, proxy=None) as bob:
        await wire.until(lambda: len(namespace["peers"]) == 2)
        await ada.send("hello")
        assert [await ada.recv(), await bob.recv()] == ["hello", "hello"]
    await wire.until(lambda: not namespace["peers"])
    server.close()
    await namespace["listener"].stop()


@contextlib.asynccontextmanager
async def serving(number: int) -> AsyncIterator[str]:
    """Serve the `listener` of an example; its URL."""
    namespace: dict[str, Any] = {"__name__": "readme"}
    exec(compile(EXAMPLES[number], "README.md", "exec"), namespace)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(namespace["listener"], "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    yield f"ws://{host}:{port}"
    server.close()
    await namespace["listener"].stop()


async def test_the_third_example_streams_both_ways() -> None:
    async with serving(2) as url:
        async with connect(f"{url}/upload", proxy=None) as client:
            await client.send(["a" * 600_000, "b" * 600_000])
            assert await client.recv() == '{"bytes":1200000}'
        async with connect(f"{url}/download", proxy=None) as client:
            assert (await client.recv()).split() == list(map(str, range(1000)))


async def test_the_fourth_example_knows_its_users() -> None:
    async with serving(3) as url:
        async with connect(f"{url}/greet?secret", proxy=None) as client:
            assert await client.recv() == "Hello Ada"
        for path, status in (("/greet", 403), ("/", 404)):
            with pytest.raises(InvalidStatus) as caught:
                await connect(url + path, proxy=None)
            assert caught.value.response.status_code == status


def test_each_example_has_its_test() -> None:
    assert len(EXAMPLES) == 5


async def test_the_last_example_takes_a_connection_over() -> None:
    namespace: dict[str, Any] = {"__name__": "readme"}
    exec(compile(EXAMPLES[-1], "README.md", "exec"), namespace)
    refusals: list[Any] = []
    tasks: list[asyncio.Task[None]] = []

    async def handler(request: Any, ws: Any) -> None:
        await ws.send(f"{ws.subprotocol} {await ws.recv()}")

    class Server(asyncio.Protocol):
        def connection_made(self, transport: Any) -> None:
            self.transport = transport

        def data_received(self, data: bytes) -> None:
            head, rest = data.split(b"\r\n\r\n", 1)
            lines = [line.split(": ", 1) for line in head.decode().split("\r\n")[1:]]
            headers = {name.upper(): value for name, value in lines}
            request = SimpleNamespace(method="GET", version="1.1", headers=headers)
            tasks.append(asyncio.ensure_future(self.answer(request, rest)))

        async def answer(self, request: Any, rest: bytes) -> None:
            refusal = await namespace["upgrade"](request, self.transport, rest, handler)
            if refusal:
                refusals.append(refusal)
                self.transport.close()

    server = await asyncio.get_running_loop().create_server(Server, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    async with connect(f"ws://{host}:{port}", proxy=None, subprotocols=["chat"]) as client:
        assert client.response.headers["Set-Cookie"] == "seen=1"
        await client.send("hello")
        assert await client.recv() == "chat hello"
    reader, writer = await asyncio.open_connection(host, port)
    writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert await reader.read() == b""
    writer.close()
    assert [status for status, _, _ in refusals] == [426]
    server.close()
    await asyncio.gather(*tasks)
