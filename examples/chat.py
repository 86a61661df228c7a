from roll import Roll
from roll.extensions import rooms, simple_server

app = Roll()
app.rooms = rooms(app)  # with several workers: rooms(app, "redis://localhost")


@app.route("/")
async def home(request, response):
    response.redirect = "/lobby"


@app.route("/{room}")
async def page(request, response, room):
    response.html = PAGE


@app.route("/{room}/chat", protocol="websocket")
async def chat(request, ws, room):
    name = request.query.get("name", "somebody")
    async with app.rooms[room].join(ws):
        async for text in ws:
            await app.rooms[room].send_json({"from": name, "text": text})


@app.listen("room_join")
@app.listen("room_leave")
async def tell_who_is_there(room):
    names = sorted(ws.request.query.get("name", "somebody") for ws in room.members)
    await room.send_json({"present": names})


PAGE = """<!doctype html>
<meta name="viewport" content="width=device-width">
<title>Chat</title>
<style>
  body { font: 1rem/1.5 system-ui; margin: 1rem auto; max-width: 40rem; padding: 0 1rem }
  main { border: 1px solid #ccc; height: 35vh; overflow: auto; padding: 0 1rem }
  form { display: flex; gap: .5rem; margin: 1rem 0 }
  input { flex: 1; font: inherit; padding: .25rem .5rem }
  button { font: inherit }
  [hidden] { display: none }
</style>
<h1></h1>
<form id="enter"><input id="name" placeholder="Your name" required autofocus>
<button>Enter</button></form>
<div id="inside" hidden>
  <p>Here are: <b id="present"></b></p>
  <main></main>
  <form id="write"><input id="text" placeholder="A message" autocomplete="off" required>
  <button>Send</button></form>
</div>
<script>
const find = (selector) => document.querySelector(selector)
const room = location.pathname
let socket

function join() {
  const scheme = location.protocol === "https:" ? "wss:" : "ws:"
  const name = encodeURIComponent(find("#name").value)
  socket = new WebSocket(`${scheme}//${location.host}${room}/chat?name=${name}`)
  socket.onmessage = (event) => show(JSON.parse(event.data))
  socket.onclose = () => setTimeout(join, 1000)
}

function show(message) {
  if (message.present) return find("#present").textContent = message.present.join(", ")
  const line = document.createElement("div")
  line.textContent = `${message.from}: ${message.text}`
  find("main").append(line)
  find("main").scrollTop = find("main").scrollHeight
}

find("h1").textContent = decodeURIComponent(room.slice(1))
find("#enter").onsubmit = (event) => {
  event.preventDefault()
  find("#enter").hidden = true
  find("#inside").hidden = false
  find("#text").focus()
  join()
}
find("#write").onsubmit = (event) => {
  event.preventDefault()
  socket.send(find("#text").value)
  event.target.reset()
}
addEventListener("pagehide", () => socket?.close())
</script>
"""

if __name__ == "__main__":
    simple_server(app)
