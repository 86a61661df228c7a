"""The echo servers under measure: `python servers.py NAME LOOP` prints its port and serves.

Each is written as its documentation would have it, with messages of up to a MiB and no access
log; pings are off, and compression unless NAME ends in `+deflate`. `bare` is the floor: the
Sans-I/O layer of `websockets` on an asyncio.Protocol, without a task, a check, a limit or a
timeout.
"""

import asyncio
import socket
import sys
from collections.abc import Awaitable, Callable
from typing import Any, cast

DEFLATE = sys.argv[1].endswith("+deflate")


async def bare(sock: socket.socket) -> None:
    from websockets.extensions.permessage_deflate import enable_server_permessage_deflate
    from websockets.frames import Frame, Opcode
    from websockets.server import Request, ServerProtocol

    class Bare(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            self.transport = cast(asyncio.Transport, transport)
            extensions = enable_server_permessage_deflate(None) if DEFLATE else None
            self.wire = ServerProtocol(extensions=extensions)

        def data_received(self, data: bytes) -> None:
            wire = self.wire
            wire.receive_data(data)
            for event in wire.events_received():
                if isinstance(event, Request):
                    wire.send_response(wire.accept(event))
                elif isinstance(event, Frame) and event.opcode is Opcode.TEXT:
                    wire.send_text(event.data)
                elif isinstance(event, Frame) and event.opcode is Opcode.BINARY:
                    wire.send_binary(event.data)
            for chunk in wire.data_to_send():
                if chunk:
                    self.transport.write(chunk)
                else:
                    self.transport.close()

    server = await asyncio.get_running_loop().create_server(Bare, sock=sock)
    await server.serve_forever()


async def roll_websocket(sock: socket.socket) -> None:
    from roll_websocket import Listener, WSProtocol

    async def echo(_: Any, ws: WSProtocol) -> None:
        async for message in ws:
            await ws.send(message)

    listener = Listener(echo, compression=DEFLATE, ping_interval=None)
    server = await asyncio.get_running_loop().create_server(listener, sock=sock)
    await server.serve_forever()


async def websockets(sock: socket.socket) -> None:
    from websockets.asyncio.server import ServerConnection, serve

    async def echo(ws: ServerConnection) -> None:
        async for message in ws:
            await ws.send(message)

    async with serve(
        echo, sock=sock, compression="deflate" if DEFLATE else None, ping_interval=None
    ) as server:
        await server.serve_forever()


async def uvicorn(sock: socket.socket) -> None:
    import uvicorn

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.accept"})
            while (event := await receive())["type"] == "websocket.receive":
                if event.get("text") is not None:
                    await send({"type": "websocket.send", "text": event["text"]})
                else:
                    await send({"type": "websocket.send", "bytes": event["bytes"]})

    config = uvicorn.Config(
        app,
        loop="none",
        log_level="error",
        ws_per_message_deflate=DEFLATE,
        lifespan="off",
        ws_ping_interval=None,
    )
    await uvicorn.Server(config).serve(sockets=[sock])


async def aiohttp(sock: socket.socket) -> None:
    from aiohttp import WSMsgType, web

    async def echo(request: web.Request) -> web.WebSocketResponse:
        ws = web.WebSocketResponse(compress=DEFLATE)
        await ws.prepare(request)
        async for message in ws:
            if message.type is WSMsgType.TEXT:
                await ws.send_str(message.data)
            elif message.type is WSMsgType.BINARY:
                await ws.send_bytes(message.data)
        return ws

    app = web.Application()
    app.router.add_get("/", echo)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.SockSite(runner, sock).start()
    await asyncio.Event().wait()


async def roll(sock: socket.socket) -> None:
    from roll import Roll

    app = Roll()

    @app.route("/", protocol="websocket", compression=DEFLATE, ping_interval=None)
    async def echo(_: Any, ws: Any) -> None:
        async for message in ws:
            await ws.send(message)

    app.loop = asyncio.get_running_loop()
    await app.startup()
    server = await app.loop.create_server(app.factory, sock=sock)
    await server.serve_forever()


SERVERS: dict[str, Callable[[socket.socket], Awaitable[None]]] = {
    "bare": bare,
    "roll-websocket": roll_websocket,
    "websockets": websockets,
    "uvicorn": uvicorn,
    "aiohttp": aiohttp,
    "roll": roll,
}


async def main(name: str) -> None:
    sock = socket.create_server(("127.0.0.1", 0), backlog=4096)
    print(sock.getsockname()[1], flush=True)
    await SERVERS[name.removesuffix("+deflate")](sock)


if __name__ == "__main__":
    if sys.argv[2] == "uvloop":
        import uvloop

        uvloop.run(main(sys.argv[1]))
    else:
        asyncio.run(main(sys.argv[1]))
