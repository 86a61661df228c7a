"""Open pages show a new book at once."""

from roll.extensions import rooms


def live(app, redis=None):
    app.rooms = rooms(app, redis)

    @app.listen("book_added")
    async def tell_readers(book):
        await app.rooms["books"].send_json(book)

    @app.route("/live")
    async def send_books(request, response):
        response.sse = app.rooms["books"]
