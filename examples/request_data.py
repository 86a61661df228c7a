from http import HTTPStatus

from roll import HttpError, Roll
from roll.extensions import simple_server

app = Roll()
USERS = {"s3cr3t": "ada"}


@app.listen("request")
async def identify(request, response):
    token = request.headers.get("X-TOKEN")
    if token not in USERS:
        raise HttpError(HTTPStatus.UNAUTHORIZED, "Who are you?")
    request["user"] = USERS[token]


@app.route("/me")
async def me(request, response):
    response.body = request["user"]


if __name__ == "__main__":
    simple_server(app)
