"""The echo servers the suite is run against: `python server.py leaf|roll uvloop|asyncio`.

They print their port. Compression is on, and messages may have 16 MiB: the suite's largest.
"""

import asyncio
import socket
import sys
from typing import Any

MAX_SIZE = 16 * 2**20


async def echo(request: Any, ws: Any) -> None:
    async for message in ws:
        await ws.send(message)


async def leaf(sock: socket.socket) -> None:
    from roll_websocket import Listener

    listener = Listener(echo, max_size=MAX_SIZE)
    server = await asyncio.get_running_loop().create_server(listener, sock=sock)
    await server.serve_forever()


async def roll(sock: socket.socket) -> None:
    from roll import Roll

    app = Roll()
    app.route("/", protocol="websocket", max_size=MAX_SIZE)(echo)
    await app.startup()
    server = await asyncio.get_running_loop().create_server(app.factory, sock=sock)
    await server.serve_forever()


async def main(name: str) -> None:
    sock = socket.create_server(("127.0.0.1", 0))
    sys.stdout.write(f"{sock.getsockname()[1]}\n")
    sys.stdout.flush()
    await {"leaf": leaf, "roll": roll}[name](sock)


if __name__ == "__main__":
    if sys.argv[2] == "uvloop":
        import uvloop

        uvloop.run(main(sys.argv[1]))
    else:
        asyncio.run(main(sys.argv[1]))
