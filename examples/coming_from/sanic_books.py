from sanic import Sanic, json, text
from sanic.exceptions import NotFound
from sanic.views import HTTPMethodView

app = Sanic("books")


@app.before_server_start
async def open_database(app):
    app.ctx.books = {1: "Dune"}


@app.after_server_stop
async def close_database(app):
    app.ctx.books.clear()


@app.on_response
async def add_header(request, response):
    response.headers["X-Served-By"] = "books"


class Books(HTTPMethodView):
    async def get(self, request):
        page = int(request.args.get("page", 1))
        return json({"page": page, "books": list(request.app.ctx.books.values())})

    async def post(self, request):
        books = request.app.ctx.books
        number = len(books) + 1
        books[number] = request.json["title"]
        return json({"id": number, "title": books[number]}, status=201)


app.add_route(Books.as_view(), "/books")


@app.get("/books/<number:int>")
async def show_book(request, number):
    if number not in request.app.ctx.books:
        raise NotFound("No such book")
    return json({"id": number, "title": request.app.ctx.books[number]})


@app.post("/covers")
async def receive_cover(request):
    cover = request.files.get("cover")
    return json({"name": cover.name, "size": len(cover.body)})


@app.get("/login")
async def login(request):
    response = text("Welcome")
    response.add_cookie("user", "ada", httponly=True)
    return response


@app.get("/count")
async def count(request):
    response = await request.respond(content_type="text/plain; charset=utf-8")
    for number in range(3):
        await response.send(f"{number} ")
    await response.eof()


@app.websocket("/echo")
async def echo(request, ws):
    async for message in ws:
        await ws.send(message)
