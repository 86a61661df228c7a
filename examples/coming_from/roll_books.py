from roll import HttpError, Roll

app = Roll()


@app.lifespan
async def database(app):
    app["books"] = {1: "Dune"}
    yield
    app["books"].clear()


@app.listen("response")
async def add_header(request, response):
    response.headers["X-Served-By"] = "books"


@app.route("/books")
class Books:
    async def on_get(self, request, response):
        page = request.query.int("page", 1)
        response.json = {"page": page, "books": list(app["books"].values())}

    async def on_post(self, request, response):
        number = len(app["books"]) + 1
        app["books"][number] = request.json["title"]
        response.status = 201
        response.json = {"id": number, "title": app["books"][number]}


@app.route("/books/{number}")
async def show_book(request, response, number: int):
    if number not in app["books"]:
        raise HttpError(404, "No such book")
    response.json = {"id": number, "title": app["books"][number]}


@app.route("/covers", methods=["POST"])
async def receive_cover(request, response):
    cover = request.files.get("cover")
    response.json = {"name": cover.filename, "size": len(cover.read())}


@app.route("/login")
async def login(request, response):
    response.cookies.set("user", "ada", httponly=True)
    response.body = "Welcome"


@app.route("/count")
async def count(request, response):
    async def numbers():
        for number in range(3):
            yield f"{number} "

    response.headers["Content-Type"] = "text/plain; charset=utf-8"
    response.body = numbers()


@app.route("/echo", protocol="websocket")
async def echo(request, ws):
    async for message in ws:
        await ws.send(message)
