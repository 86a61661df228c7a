import asyncio
import os
import sqlite3

from roll import Roll, ServerSentEvent
from roll.extensions import simple_server

PAGE = """<!DOCTYPE html>
<meta charset="utf-8">
<title>Orders</title>
<style>
    body { font: 1.1rem/1.5 sans-serif; margin: 3rem auto; max-width: 40rem; padding: 0 1rem }
    table { border-collapse: collapse; width: 100% }
    td, th { border-bottom: 1px solid #ccc; padding: .3rem; text-align: left }
</style>
<form>
    <input name="item" placeholder="Item" required>
    <input name="amount" type="number" value="1" required>
    <button>Order</button>
</form>
<table>
    <thead><tr><th>Number</th><th>Item</th><th>Amount</th></tr></thead>
    <tbody></tbody>
</table>
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

app = Roll()


@app.listen("startup")
def open_database():
    app["changed"] = asyncio.Event()
    app["db"] = sqlite3.connect(os.environ.get("ORDERS", ":memory:"))  # the path of a file
    columns = "id integer primary key autoincrement, item text, amount integer"
    app["db"].execute(f"create table if not exists orders ({columns})")


@app.listen("shutdown")
def close_database():
    app["db"].close()


@app.route("/")
async def page(request, response):
    response.html = PAGE


@app.route("/orders", methods=["POST"])
async def order(request, response):
    values = request.form.get("item"), request.form.int("amount")
    with app["db"] as db:
        db.execute("insert into orders (item, amount) values (?, ?)", values)
    # Wake all who wait for this change; the next one is another event.
    app["changed"].set()
    app["changed"] = asyncio.Event()
    response.status = 204


@app.route("/events")
async def events(request, response):
    async def rows(last):
        while True:
            changed = app["changed"]  # first, so that no change falls between
            found = app["db"].execute("select * from orders where id > ?", [last])
            for row in found.fetchall():
                last = row[0]
                yield ServerSentEvent(row, id=last)
            await changed.wait()

    # A browser that connects again says what it has seen: nothing is lost, nothing comes twice.
    response.sse = rows(request.last_event_number("last"))


if __name__ == "__main__":
    simple_server(app)
