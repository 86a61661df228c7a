from aiohttp import WSMsgType, web

routes = web.RouteTableDef()
BOOKS = web.AppKey("books", dict)


async def database(app):
    app[BOOKS].update({1: "Dune"})
    yield
    app[BOOKS].clear()


async def add_header(request, response):
    response.headers["X-Served-By"] = "books"


@routes.view("/books")
class Books(web.View):
    async def get(self):
        books = self.request.app[BOOKS]
        page = int(self.request.query.get("page", "1"))
        return web.json_response({"page": page, "books": list(books.values())})

    async def post(self):
        books = self.request.app[BOOKS]
        number = len(books) + 1
        books[number] = (await self.request.json())["title"]
        return web.json_response({"id": number, "title": books[number]}, status=201)


@routes.get(r"/books/{number:\d+}")
async def show_book(request):
    number = int(request.match_info["number"])
    if number not in request.app[BOOKS]:
        raise web.HTTPNotFound(text="No such book")
    return web.json_response({"id": number, "title": request.app[BOOKS][number]})


@routes.post("/covers")
async def receive_cover(request):
    form = await request.post()
    cover = form["cover"]
    return web.json_response({"name": cover.filename, "size": len(cover.file.read())})


@routes.get("/login")
async def login(request):
    response = web.Response(text="Welcome")
    response.set_cookie("user", "ada", httponly=True)
    return response


@routes.get("/count")
async def count(request):
    response = web.StreamResponse(headers={"Content-Type": "text/plain; charset=utf-8"})
    await response.prepare(request)
    for number in range(3):
        await response.write(f"{number} ".encode())
    return response


@routes.get("/echo")
async def echo(request):
    ws = web.WebSocketResponse()
    await ws.prepare(request)
    async for message in ws:
        if message.type == WSMsgType.TEXT:
            await ws.send_str(message.data)
    return ws


def make_app():
    app = web.Application()
    app[BOOKS] = {}
    app.cleanup_ctx.append(database)
    app.on_response_prepare.append(add_header)
    app.add_routes(routes)
    return app


async def app():
    return make_app()
