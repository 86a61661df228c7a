import asyncio
import os
import sqlite3

from roll import HttpError, Roll, ServerSentEvent
from roll.extensions import rooms, simple_server

PAGE = """<!DOCTYPE html><meta charset="utf-8"><title>Orders</title>
<style>body { font: 1.1rem/1.5 sans-serif; margin: 3rem auto; max-width: 40rem; padding: 0 1rem }
table { text-align: left; width: 100% }</style>
<form><input name="item" placeholder="Item" required>
<input name="amount" type="number" value="1" required> <button>Order</button></form>
<table><thead><tr><th>Number</th><th>Item</th><th>Amount</th></tr></thead><tbody></tbody></table>
<script>
    const body = document.querySelector("tbody")
    let source, last = ""

    function follow() {
        source = new EventSource("/events?last=" + encodeURIComponent(last))
        source.onmessage = event => {
            last = event.lastEventId
            const row = body.insertRow(0)
            for (const value of JSON.parse(event.data)) row.insertCell().textContent = value
        }
        source.onerror = () => {
            // The browser reconnects by itself, except after an error such as a proxy's 502.
            if (source.readyState === EventSource.CLOSED) setTimeout(follow, 3000)
        }
    }
    follow()
    document.querySelector("form").onsubmit = event => {
        event.preventDefault()
        fetch("/orders", {method: "POST", body: new FormData(event.target)})
        event.target.reset()
    }
</script>
"""

COLUMNS = "id integer primary key autoincrement, item text, amount integer"
app = Roll()
app.rooms = rooms(app, os.environ.get("REDIS"))  # several workers need one: redis://localhost


@app.lifespan
async def database(app):
    app["db"] = sqlite3.connect(os.environ.get("ORDERS", ":memory:"), timeout=30)
    app["db"].execute(f"create table if not exists orders ({COLUMNS})")
    yield
    app["db"].close()


@app.route("/")
async def page(request, response):
    response.html = PAGE


async def wake_pages():
    while True:
        try:
            return await app.rooms["orders"].send("There are new orders")
        except ConnectionError:  # Redis is away
            await asyncio.sleep(1)


@app.listen("room_gap")  # Redis is back: this process may have missed a message
async def wake_own_pages(room):
    await room.send("There may be new orders", local=True)


@app.route("/orders", methods=["POST"])
async def order(request, response):
    item, amount = request.form.get("item"), request.form.int("amount")
    if not 0 < amount < 2**31:
        raise HttpError(400, "Nobody can deliver that amount")
    with app["db"] as db:
        db.execute("insert into orders (item, amount) values (?, ?)", [item, amount])
    app.create_task(wake_pages())  # the order is stored, whatever comes
    response.status = 204


async def orders_after(last):
    async with app.rooms["orders"].subscribe() as messages:  # first, so that none is missed
        while True:
            found = app["db"].execute("select * from orders where id > ?", [last])
            for row in found.fetchall():
                last = row[0]
                yield ServerSentEvent(row, id=last)
            if await anext(messages, None) is None:  # the end: the page reconnects
                return


@app.route("/events")
async def events(request, response):
    # A browser that connects again says what it has seen: nothing is lost, nothing comes twice.
    response.sse = orders_after(request.last_event_number("last"))


if __name__ == "__main__":
    simple_server(app)
