from quart import Quart, Response, abort, request, websocket

app = Quart(__name__)
books = {}


@app.while_serving
async def database():
    books[1] = "Dune"
    yield
    books.clear()


@app.after_request
async def add_header(response):
    response.headers["X-Served-By"] = "books"
    return response


@app.get("/books")
async def list_books():
    page = request.args.get("page", 1, type=int)
    return {"page": page, "books": list(books.values())}


@app.post("/books")
async def add_book():
    number = len(books) + 1
    books[number] = (await request.get_json())["title"]
    return {"id": number, "title": books[number]}, 201


@app.get("/books/<int:number>")
async def show_book(number):
    if number not in books:
        abort(404, "No such book")
    return {"id": number, "title": books[number]}


@app.post("/covers")
async def receive_cover():
    cover = (await request.files)["cover"]
    return {"name": cover.filename, "size": len(cover.read())}


@app.get("/login")
async def login():
    response = Response("Welcome", content_type="text/plain")
    response.set_cookie("user", "ada", httponly=True)
    return response


@app.get("/count")
async def count():
    async def numbers():
        for number in range(3):
            yield f"{number} "

    return Response(numbers(), content_type="text/plain")


@app.websocket("/echo")
async def echo():
    while True:
        await websocket.send(await websocket.receive())
