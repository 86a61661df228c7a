from roll import ConnectionClosed, Roll
from roll.extensions import simple_server, websockets_store

app = Roll()
websockets_store(app)


@app.route("/chat", protocol="websocket")
async def chat(request, ws):
    async for message in ws:
        for peer in list(app["websockets"]):
            try:
                await peer.send(message)
            except ConnectionClosed:
                continue  # it left while we were sending to the others


if __name__ == "__main__":
    simple_server(app)
