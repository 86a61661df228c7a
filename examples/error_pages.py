from html import escape
from http import HTTPStatus

from roll import HttpError, Roll
from roll.extensions import simple_server

app = Roll()

PAGE = """<!doctype html>
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<h1>{title}</h1>
<p>{text}</p>
<p><a href="/">Home</a></p>
"""
TEXTS = {
    HTTPStatus.NOT_FOUND: "There is no such page.",
    HTTPStatus.INTERNAL_SERVER_ERROR: "This is our fault. We have been told.",
}


@app.listen("error")
async def show_error(request, response, error):
    if "text/html" in request.headers.get("ACCEPT", ""):  # a browser shows a page
        text = TEXTS.get(error.status, str(error.message))
        response.html = PAGE.format(title=error.status.phrase, text=escape(text))
    else:
        response.json = {"error": message_for_programs(request, error)}


def message_for_programs(request, error):
    unknown_path = request.route.payload is None  # the message is the path
    unexpected = error.status == HTTPStatus.INTERNAL_SERVER_ERROR  # it may hold secrets
    return error.status.phrase if unknown_path or unexpected else str(error.message)


@app.route("/")
async def home(request, response):
    response.html = "<p>Welcome</p>"


@app.route("/books/{number}")
async def show_book(request, response, number: int):
    raise HttpError(HTTPStatus.NOT_FOUND, f"There is no book {number}")


@app.route("/broken")
async def broken(request, response):
    raise OSError("The password of the database is s3cr3t")


if __name__ == "__main__":
    simple_server(app)
