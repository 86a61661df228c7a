from roll import Roll
from roll.extensions import content_negociation, simple_server

app = Roll()
content_negociation(app)


@app.route("/weather", accepts=["text/html", "application/json"])
async def weather(request, response):
    if request.headers["ACCEPT"] == "application/json":
        response.json = {"weather": "sunny"}
    else:
        response.html = "<h1>Sunny</h1>"


if __name__ == "__main__":
    simple_server(app)
