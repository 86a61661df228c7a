from roll import Roll
from roll.extensions import named_url, simple_server

app = Roll()
url_for = named_url(app)


@app.route("/books/{isbn}", name="book")
async def show_book(request, response, isbn):
    response.body = f"Book {isbn}"


@app.route("/newest")
async def newest(request, response):
    response.redirect = url_for("book", isbn="9780441013593"), 302


if __name__ == "__main__":
    simple_server(app)
