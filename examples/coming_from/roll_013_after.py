from roll import HttpError, Roll

app = Roll()


@app.lifespan
async def database(app):
    app["books"] = {1: "Dune"}
    yield


@app.listen("error")
async def as_json(request, response, error):
    response.json = {"error": error.message}


@app.route("/books/{number}")
async def show_book(request, response, number: int):
    if number not in app["books"]:
        raise HttpError(404, "No such book")
    response.json = {"title": app["books"][number]}


@app.route("/page")
async def page(request, response):
    response.html = "<h1>Books</h1>"


@app.route("/covers", methods=["POST"])
async def receive_cover(request, response):
    cover = request.files.get("cover")
    response.json = {"type": cover.content_type, "size": len(cover.read())}
