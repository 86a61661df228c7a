from roll import Roll
from roll.extensions import simple_server

app = Roll()


@app.route("/sum", methods=["POST"])
async def add(request, response):
    numbers = request.json["numbers"]
    response.json = {"numbers": numbers, "sum": sum(numbers)}


if __name__ == "__main__":
    simple_server(app)
