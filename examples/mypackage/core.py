from roll import Roll

app = Roll()


@app.route("/")
async def index(request, response):
    response.body = "Served by gunicorn"
