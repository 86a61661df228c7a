from roll import Roll
from roll.extensions import rooms, simple_server

PAGE = """<!doctype html>
<meta name="viewport" content="width=device-width">
<title>News</title>
<p>You are <b id="state">offline</b></p>
<form><input name="text" required> <button>Tell</button></form>
<ol></ol>
<script>
const find = (selector) => document.querySelector(selector)
const SHORTEST = 500, LONGEST = 30_000  // milliseconds between two attempts
let socket, timer, wait = SHORTEST, last = 0

function open() {
  const scheme = location.protocol === "https:" ? "wss:" : "ws:"
  // The server sends what came after the last message that we have.
  socket = new WebSocket(`${scheme}//${location.host}/live?after=${last}`)
  socket.onopen = () => { find("#state").textContent = "online"; wait = SHORTEST }
  socket.onmessage = (event) => show(JSON.parse(event.data))
  socket.onclose = () => {
    find("#state").textContent = "offline"
    timer = setTimeout(open, wait * (0.5 + Math.random()))  // not all clients at once
    wait = Math.min(wait * 2, LONGEST)
  }
}

function close() {
  clearTimeout(timer)
  socket.onclose = null
  socket.close()
}

function show(news) {
  if (news.number <= last) return  // we have it
  last = news.number
  const item = document.createElement("li")
  item.textContent = news.text
  find("ol").append(item)
}

find("form").onsubmit = (event) => {
  event.preventDefault()
  fetch("/news", {method: "POST", body: new FormData(event.target)})
  event.target.reset()
}
// A page that the user has left may be kept for the back button.
addEventListener("pageshow", open)
addEventListener("pagehide", close)
</script>
"""

NEWS: list[str] = []  # in an application of yours, a table of the database

app = Roll()
app.rooms = rooms(app)


@app.route("/")
async def page(request, response):
    response.html = PAGE


@app.route("/news", methods=["POST"])
async def tell(request, response):
    NEWS.append(request.form.get("text"))
    await app.rooms["news"].send_json({"number": len(NEWS), "text": NEWS[-1]})
    response.status = 204


@app.route("/live", protocol="websocket")
async def live(request, ws):
    after = max(0, request.query.int("after", 0))
    async with app.rooms["news"].join(ws):
        for number, text in enumerate(NEWS[after:], after + 1):
            await ws.send_json({"number": number, "text": text})
        async for _ in ws:
            pass  # until the page leaves


if __name__ == "__main__":
    simple_server(app)
