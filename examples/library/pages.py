"""The pages: a list of the books, a form for a new one, and the covers."""

from http import HTTPStatus
from pathlib import Path

from jinja2 import Environment, FileSystemLoader

from roll import HttpError

from .api import add_book

TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
)
PICTURES = {b"\x89PNG": "image/png", b"\xff\xd8\xff": "image/jpeg"}
LARGEST_COVER = 5 * 2**20  # bytes


def picture_type(data):
    """Look at the first bytes: what the browser says of a file may be wrong."""
    for start, content_type in PICTURES.items():
        if data.startswith(start):
            return content_type
    raise HttpError(HTTPStatus.BAD_REQUEST, "A cover is a PNG or a JPEG")


def pages(app):
    @app.route("/")
    async def show_books(request, response):
        books = await app["shelf"].all()
        response.html = TEMPLATES.get_template("books.html").render(books=books)

    @app.route("/books", methods=["POST"], max_body=LARGEST_COVER)
    async def receive_book(request, response):
        file = request.files.get("cover", None)
        cover = file.read() if file and file.filename else None
        if cover is not None:
            picture_type(cover)
        await add_book(app, request.form.get("title"), request.form.get("author"), cover)
        response.redirect = "/", HTTPStatus.SEE_OTHER

    @app.route("/covers/{number}")
    async def show_cover(request, response, number: int):
        cover = await app["shelf"].cover(number)
        if cover is None:
            raise HttpError(HTTPStatus.NOT_FOUND)
        response.headers["Content-Type"] = picture_type(cover)
        response.body = cover
