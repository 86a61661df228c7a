"""BlackSheep on uvicorn, with its own CORS and the access log of uvicorn."""

import itertools

from blacksheep import Application, json, text

ids = itertools.count()
app = Application()
app.use_cors(allow_methods="GET", allow_origins="https://example.org", allow_headers="*")


async def with_id(request, handler):
    number = next(ids)
    response = await handler(request)
    response.add_header(b"X-Request-Id", str(number).encode())
    return response


app.middlewares.append(with_id)


@app.router.get("/books/{isbn}")
async def book(request):
    return json({"isbn": request.route_values["isbn"], "title": "Dune"})


@app.router.get("/plain")
async def plain(request):
    return text("ready")
