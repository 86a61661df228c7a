from roll import Roll
from roll.extensions import simple_server

app = Roll()


@app.listen("startup")
async def open_library():
    app["books"] = ["Dune", "Emma", "Ubik"]


@app.listen("shutdown")
async def close_library():
    app["books"].clear()


@app.route("/books")
async def books(request, response):
    response.json = app["books"]


if __name__ == "__main__":
    simple_server(app)
