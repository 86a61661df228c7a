import sqlite3
from contextlib import closing

from roll import Roll
from roll.extensions import named_url, simple_server

SIZE = 10  # of a page
LARGEST = 2**63 - 1  # SQLite refuses larger numbers

app = Roll()
url_for = named_url(app)


@app.lifespan
async def database(app):
    with closing(sqlite3.connect(":memory:")) as app["db"]:
        app["db"].execute("CREATE TABLE books (id INTEGER PRIMARY KEY, title TEXT)")
        titles = [(f"Book {number}",) for number in range(1, 26)]
        app["db"].executemany("INSERT INTO books (title) VALUES (?)", titles)
        yield


@app.route("/books")
async def books(request, response):
    after = max(0, min(request.query.int("after", 0), LARGEST))
    rows = app["db"].execute(
        "SELECT id, title FROM books WHERE id > ? ORDER BY id LIMIT ?", [after, SIZE + 1]
    )
    found = rows.fetchall()  # one more than is shown says whether there is a next page
    shown = found[:SIZE]
    following = None
    if len(found) > SIZE:
        following = url_for("books", after=shown[-1][0])
        response.headers["Link"] = f'<{following}>; rel="next"'
    response.json = {"books": [title for _, title in shown], "next": following}


if __name__ == "__main__":
    simple_server(app)
