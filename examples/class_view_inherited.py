from roll import Roll
from roll.extensions import simple_server

app = Roll()


class Readable:
    items = ()

    async def on_get(self, request, response):
        response.json = list(self.items)


@app.route("/colours")
class Colours(Readable):
    items = ("red", "green", "blue")


@app.route("/fruits")
class Fruits(Readable):
    def __init__(self):
        self.items = ["fig"]

    async def on_post(self, request, response):
        self.items.append(request.json)


if __name__ == "__main__":
    simple_server(app)
