from roll import Roll
from roll.extensions import simple_server

app = Roll()

PAGE = """<!doctype html>
<title>Echo</title>
<form><input name="message" value="Is anybody there?"><button>Send</button></form>
<ul></ul>
<script>
  const form = document.querySelector("form");
  const list = document.querySelector("ul");
  const socket = new WebSocket(`ws://${location.host}/echo`);
  form.onsubmit = (event) => {
    event.preventDefault();
    socket.send(form.message.value);
  };
  socket.onmessage = (event) => {
    const item = document.createElement("li");
    item.textContent = event.data;
    list.append(item);
  };
</script>
"""


@app.route("/")
async def page(request, response):
    response.html = PAGE


@app.route("/echo", protocol="websocket")
async def echo(request, ws):
    async for message in ws:
        await ws.send(message)


if __name__ == "__main__":
    simple_server(app)
