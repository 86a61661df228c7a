from roll import Roll
from roll.extensions import simple_server

app = Roll()


async def countdown():
    for number in range(3, 0, -1):
        yield f"{number}...\n"
    yield "Lift-off!\n"


@app.route("/countdown")
async def launch(request, response):
    response.body = countdown


if __name__ == "__main__":
    simple_server(app)
