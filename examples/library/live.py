"""Open pages show a new book at once."""

import asyncio

from roll import ServerSentEvent
from roll.extensions import rooms


def live(app, redis=None):
    app.rooms = rooms(app, redis)

    async def wake_pages():
        while True:
            try:
                return await app.rooms["books"].send("There are new books")
            except ConnectionError:  # Redis is away
                await asyncio.sleep(1)

    @app.listen("book_added")
    async def tell_pages(book):
        app.create_task(wake_pages())

    @app.listen("room_gap")  # Redis is back: this worker may have missed a message
    async def wake_own_pages(room):
        await room.send("There may be new books", local=True)

    async def books_after(last):
        async with app.rooms["books"].subscribe() as messages:
            woken = True
            while woken:
                for book in await app["shelf"].after(last):
                    last = book["id"]
                    yield ServerSentEvent(book, id=last)
                woken = await anext(messages, None)  # None at the end

    @app.route("/live")
    async def send_books(request, response):
        response.sse = books_after(request.last_event_number("last"))
