import logging

from roll import Roll
from roll.extensions import logger, simple_server

app = Roll()
logger(app, level=logging.INFO)


@app.route("/")
async def index(request, response):
    response.body = "Look at your terminal"


if __name__ == "__main__":
    simple_server(app)
