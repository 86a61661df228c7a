import orjson

from roll import Roll
from roll.extensions import simple_server


class FastRoll(Roll):
    JSON = orjson


app = FastRoll()


@app.route("/echo", methods=["POST"])
async def echo(request, response):
    response.json = request.json


if __name__ == "__main__":
    simple_server(app)
