"""The books, in SQLite."""

import asyncio
import sqlite3
from concurrent.futures import ThreadPoolExecutor

SCHEMA = """
CREATE TABLE IF NOT EXISTS books (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    title TEXT NOT NULL,
    author TEXT NOT NULL,
    cover BLOB
)
"""
BOOK = "SELECT id, title, author, cover IS NOT NULL AS has_cover FROM books"


class Shelf:
    """The books. Queries run in one thread, so that the event loop never waits for the disk."""

    def __init__(self, path):
        self.path = path
        self.thread = ThreadPoolExecutor(max_workers=1)

    async def _do(self, function, *args):
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self.thread, function, *args)

    async def open(self):
        await self._do(self._open)

    def _open(self):
        self.connection = sqlite3.connect(self.path)
        self.connection.row_factory = sqlite3.Row
        self.connection.execute("PRAGMA journal_mode = WAL")
        self.connection.execute(SCHEMA)

    async def close(self):
        await self._do(self.connection.close)
        self.thread.shutdown()

    async def query(self, sql, *values):
        """Return the rows of a query, and keep what it has changed."""

        def run():
            try:
                with self.connection:
                    return self.connection.execute(sql, values).fetchall()
            except OverflowError:  # a number of more than 64 bits, which no row has
                return []

        return await self._do(run)

    async def all(self):
        return [dict(row) for row in await self.query(f"{BOOK} ORDER BY title")]

    async def after(self, number):
        return [dict(row) for row in await self.query(f"{BOOK} WHERE id > ? ORDER BY id", number)]

    async def get(self, number):
        rows = await self.query(f"{BOOK} WHERE id = ?", number)
        return dict(rows[0]) if rows else None

    async def add(self, title, author, cover=None):
        sql = "INSERT INTO books (title, author, cover) VALUES (?, ?, ?) RETURNING id"
        ((number,),) = await self.query(sql, title, author, cover)
        return await self.get(number)

    async def cover(self, number):
        rows = await self.query("SELECT cover FROM books WHERE id = ?", number)
        return rows[0]["cover"] if rows else None


def shelf(app, path):
    """Give the application its shelf, from startup to shutdown."""

    @app.lifespan
    async def opened(app):
        app["shelf"] = Shelf(path)
        await app["shelf"].open()
        yield
        await app["shelf"].close()
