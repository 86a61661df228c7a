import sqlite3
from contextlib import closing

from roll import Roll
from roll.extensions import simple_server

app = Roll()


@app.lifespan
async def database(app):
    with closing(sqlite3.connect(":memory:")) as app["db"]:
        app["db"].execute("CREATE TABLE books (title TEXT)")
        app["db"].execute("INSERT INTO books VALUES ('Dune')")
        yield
    print("The database is closed", flush=True)


@app.route("/books")
async def books(request, response):
    rows = app["db"].execute("SELECT title FROM books")
    response.json = [title for (title,) in rows]


if __name__ == "__main__":
    simple_server(app)
