import os

import asyncpg

from roll import Roll
from roll.extensions import simple_server

app = Roll()


@app.lifespan
async def database(app):
    url = os.environ.get("DATABASE_URL", "postgresql://localhost/notes")
    async with asyncpg.create_pool(url, min_size=1, max_size=10, command_timeout=10) as app["db"]:
        await app["db"].execute(
            "CREATE TABLE IF NOT EXISTS notes (id SERIAL PRIMARY KEY, text TEXT NOT NULL)"
        )
        yield


@app.route("/notes")
class Notes:
    async def on_get(self, request, response):
        rows = await app["db"].fetch("SELECT text FROM notes ORDER BY id")
        response.json = [row["text"] for row in rows]

    async def on_post(self, request, response):
        await app["db"].execute("INSERT INTO notes (text) VALUES ($1)", request.form.get("text"))
        response.status = 201


@app.route("/notes/all", methods=["PUT"])
async def replace_all(request, response):
    async with app["db"].acquire() as connection, connection.transaction():
        await connection.execute("DELETE FROM notes")
        for text in request.form.list("text"):
            await connection.execute("INSERT INTO notes (text) VALUES ($1)", text)


if __name__ == "__main__":
    simple_server(app)
