"""An application of Quart, with a websocket."""

from quart import Quart, Response, request, url_for, websocket

app = Quart(__name__)


@app.before_serving
async def startup():
    app.config["STARTED"] = "yes"


@app.get("/hello/<name>")
async def hello(name):
    return Response(f"Hello {name}", content_type="text/plain")


@app.get("/where")
async def where():
    return {
        "url": url_for("hello", name="ada", _external=True),
        "root_path": request.root_path,
        "client": request.remote_addr,
        "scheme": request.scheme,
        "state": app.config["STARTED"],
    }


@app.post("/echo")
async def echo():
    return Response(await request.get_data(), content_type="text/plain")


@app.get("/stream")
async def stream():
    async def lines():
        for number in range(3):
            yield f"line {number}\n".encode()

    return lines(), 200, {"Content-Type": "text/plain"}


@app.get("/fail")
async def fail():
    raise ValueError("on purpose")


@app.websocket("/ws")
async def ws():
    while True:
        await websocket.send(f"{app.config['STARTED']} {await websocket.receive()}")
