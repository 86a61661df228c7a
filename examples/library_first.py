from http import HTTPStatus

from roll import HttpError, Roll
from roll.extensions import simple_server

app = Roll()
BOOKS = [{"title": "Dune", "author": "Frank Herbert"}]


def text_of(data, name):
    value = data.get(name) if isinstance(data, dict) else None
    if not isinstance(value, str) or not value.strip():
        raise HttpError(HTTPStatus.BAD_REQUEST, f"{name} must be a text")
    return value.strip()


@app.route("/api/books")
class Books:
    async def on_get(self, request, response):
        response.json = BOOKS

    async def on_post(self, request, response):
        book = {name: text_of(request.json, name) for name in ("title", "author")}
        BOOKS.append(book)
        response.status = HTTPStatus.CREATED
        response.json = book


if __name__ == "__main__":
    simple_server(app)
