import asyncio

from roll import Roll
from roll.extensions import simple_server

IDLE = 20  # seconds without a message before we ask whether the peer is there
PATIENCE = 10  # seconds that it has to answer

app = Roll()


@app.route("/live", protocol="websocket", ping_interval=None)
async def keep_me_alive(request, ws, **params):
    while True:
        try:
            message = await asyncio.wait_for(ws.recv(), timeout=IDLE)
        except TimeoutError:
            try:
                pong = await ws.ping()
                await asyncio.wait_for(pong, timeout=PATIENCE)
            except TimeoutError:
                break  # nobody there: returning closes the connection
        else:
            await ws.send(f"Got {message}")


if __name__ == "__main__":
    simple_server(app)
