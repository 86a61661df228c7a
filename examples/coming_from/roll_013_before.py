from roll import HttpError, Roll

app = Roll()


@app.listen("startup")
async def open_database():
    app["books"] = {1: "Dune"}


@app.listen("error")
async def as_json(request, response, error):
    response.json = {"error": error.message}


@app.route("/books/{number}")
async def show_book(request, response, number):
    if not number.isdigit() or int(number) not in app["books"]:
        raise HttpError(404, "No such book")
    response.json = {"title": app["books"][int(number)]}


@app.route("/page")
async def page(request, response):
    response.body = "<h1>Books</h1>"


@app.route("/covers", methods=["POST"])
async def receive_cover(request, response):
    cover = request.files.get("cover")
    content_type = cover.content_type.decode()
    response.json = {"type": content_type, "size": len(cover.read())}
