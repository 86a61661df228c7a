"""Starlette on uvicorn, with its own CORS and the access log of uvicorn."""

import itertools

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Route

ids = itertools.count()


class Ids:
    """Gives each request an id, and sends it back."""

    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        number = next(ids)
        scope["state"] = {"id": number}

        async def send_with_id(message):
            if message["type"] == "http.response.start":
                message["headers"].append((b"x-request-id", str(number).encode()))
            await send(message)

        await self.app(scope, receive, send_with_id)


async def book(request):
    return JSONResponse({"isbn": request.path_params["isbn"], "title": "Dune"})


async def plain(request):
    return PlainTextResponse("ready")


app = Starlette(
    routes=[Route("/books/{isbn}", book), Route("/plain", plain)],
    middleware=[
        Middleware(CORSMiddleware, allow_origins=["https://example.org"]),
        Middleware(Ids),
    ],
)
