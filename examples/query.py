from roll import Roll
from roll.extensions import simple_server

app = Roll()


@app.route("/search")
async def search(request, response):
    response.json = {
        "words": request.query.list("word"),
        "page": request.query.int("page", 1),
        "exact": request.query.bool("exact", False),
        "max_price": request.query.float("max_price", None),
    }


if __name__ == "__main__":
    simple_server(app)
