"""The JSON API."""

from http import HTTPStatus

from roll import HttpError


def text_of(data, name):
    value = data.get(name) if isinstance(data, dict) else None
    if not isinstance(value, str) or not value.strip():
        raise HttpError(HTTPStatus.BAD_REQUEST, f"{name} must be a text")
    return value.strip()


async def add_book(app, title, author, cover=None):
    """Add a book, and tell those who listen."""
    book = await app["shelf"].add(title, author, cover)
    await app.hook("book_added", book=book)
    return book


def api(app):
    books = app.group("/api/books")

    @books.route("")
    class Books:
        async def on_get(self, request, response):
            response.json = await app["shelf"].all()

        async def on_post(self, request, response):
            title, author = (text_of(request.json, name) for name in ("title", "author"))
            response.json = await add_book(app, title, author)
            response.status = HTTPStatus.CREATED

    @books.route("/{number}")
    async def show_book(request, response, number: int):
        book = await app["shelf"].get(number)
        if book is None:
            raise HttpError(HTTPStatus.NOT_FOUND, "There is no such book")
        response.json = book
