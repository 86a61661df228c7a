from roll import Roll
from roll.extensions import simple_server, websockets_store
from roll.websocket import broadcast

app = Roll()
websockets_store(app)


@app.route("/chat", protocol="websocket")
async def chat(request, ws):
    async for message in ws:
        broadcast(app["websockets"], message)


if __name__ == "__main__":
    simple_server(app)
