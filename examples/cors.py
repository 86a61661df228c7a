from roll import Roll
from roll.extensions import simple_server


def cors(app, value="*"):
    @app.listen("response")
    async def add_cors_headers(response, request):
        response.headers["Access-Control-Allow-Origin"] = value


app = Roll()
cors(app, value="https://example.org")


@app.route("/")
async def index(request, response):
    response.body = "Open to one neighbour"


if __name__ == "__main__":
    simple_server(app)
