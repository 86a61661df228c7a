import asyncio
import os
import sqlite3
from concurrent.futures import ThreadPoolExecutor

from roll import Roll
from roll.extensions import simple_server

app = Roll()


class Database:
    """A connection to SQLite. Queries run in one thread, in the order of the calls."""

    def __init__(self, path):
        self.path = path
        self.thread = ThreadPoolExecutor(max_workers=1)

    async def do(self, function, *args):
        return await asyncio.get_running_loop().run_in_executor(self.thread, function, *args)

    def open(self):
        self.connection = sqlite3.connect(self.path)
        self.connection.execute("PRAGMA journal_mode = WAL")
        self.connection.execute("CREATE TABLE IF NOT EXISTS notes (text TEXT NOT NULL)")

    def close(self):
        self.connection.close()

    def run(self, sql, values):
        with self.connection:  # commits, or rolls back where the query raises
            return self.connection.execute(sql, values).fetchall()

    async def query(self, sql, *values):
        return await self.do(self.run, sql, values)


@app.lifespan
async def database(app):
    app["db"] = Database(os.environ.get("NOTES", ":memory:"))
    await app["db"].do(app["db"].open)
    yield
    await app["db"].do(app["db"].close)
    app["db"].thread.shutdown()


@app.route("/notes")
class Notes:
    async def on_get(self, request, response):
        rows = await app["db"].query("SELECT text FROM notes ORDER BY rowid")
        response.json = [text for (text,) in rows]

    async def on_post(self, request, response):
        await app["db"].query("INSERT INTO notes VALUES (?)", request.form.get("text"))
        response.status = 201


if __name__ == "__main__":
    simple_server(app)
