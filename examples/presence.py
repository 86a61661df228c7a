import asyncio

from roll import ConnectionClosed, Roll
from roll.extensions import simple_server, websockets_store

PATIENCE = 1  # seconds that one peer may hold up the others

app = Roll()
websockets_store(app)


async def tell(peer, message):
    try:
        await asyncio.wait_for(peer.send(message), timeout=PATIENCE)
    except TimeoutError:
        app["websockets"].discard(peer)
        await peer.close(1008, "You do not read")
    except ConnectionClosed:
        pass  # it left while we were sending to the others


@app.route("/chat", protocol="websocket")
async def chat(request, ws):
    async for message in ws:
        await asyncio.gather(*(tell(peer, message) for peer in app["websockets"]))


if __name__ == "__main__":
    simple_server(app)
