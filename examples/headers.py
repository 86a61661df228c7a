from roll import Roll
from roll.extensions import simple_server

app = Roll()


@app.route("/")
async def index(request, response):
    response.json = {
        "agent": request.headers.get("USER-AGENT"),
        "language": request.headers.get("ACCEPT-LANGUAGE", "en"),
        "asks again": "IF-NONE-MATCH" in request.headers,
    }


if __name__ == "__main__":
    simple_server(app)
