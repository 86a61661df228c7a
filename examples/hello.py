from roll import Roll
from roll.extensions import simple_server

app = Roll()


@app.route("/")
async def index(request, response):
    response.json = {"hello": "world"}


@app.route("/hello/{name}")
async def hello(request, response, name):
    response.body = f"Hello {name}"


if __name__ == "__main__":
    simple_server(app)
