"""An application of Starlette: pages, streams, a websocket, a lifespan with state."""

from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, StreamingResponse
from starlette.routing import Route, WebSocketRoute

DONE = []


class Mark(BaseHTTPMiddleware):
    """Receives and sends in separate tasks."""

    async def dispatch(self, request, call_next):
        response = await call_next(request)
        response.headers["x-middleware"] = "seen"
        return response


@asynccontextmanager
async def lifespan(app):
    yield {"started": "yes"}


async def hello(request):
    return PlainTextResponse(f"Hello {request.path_params['name']}")


async def where(request):
    return JSONResponse(
        {
            "url": str(request.url_for("hello", name="ada")),
            "root_path": request.scope["root_path"],
            "client": request.client.host,
            "scheme": request.url.scheme,
            "state": request.state.started,
        }
    )


async def echo(request):
    return PlainTextResponse(await request.body())


async def size(request):
    total = 0
    async for chunk in request.stream():
        total += len(chunk)
    return PlainTextResponse(str(total))


async def stream(request):
    async def lines():
        for number in range(3):
            yield f"line {number}\n"

    return StreamingResponse(lines(), media_type="text/plain")


async def source(request):
    return FileResponse(__file__)


async def after(request):
    return PlainTextResponse("soon", background=BackgroundTask(DONE.append, "done"))


async def done(request):
    return PlainTextResponse(" ".join(DONE))


async def fail(request):
    raise ValueError("on purpose")


async def websocket(ws):
    await ws.accept()
    async for text in ws.iter_text():
        await ws.send_text(f"{ws.state.started} {text}")


app = Starlette(
    routes=[
        Route("/hello/{name}", hello, name="hello"),
        Route("/where", where),
        Route("/echo", echo, methods=["POST"]),
        Route("/size", size, methods=["POST"]),
        Route("/stream", stream),
        Route("/source", source),
        Route("/after", after),
        Route("/done", done),
        Route("/fail", fail),
        WebSocketRoute("/ws", websocket),
    ],
    lifespan=lifespan,
    middleware=[Middleware(Mark)],
)
