from http import HTTPStatus

from roll import HttpError, Roll
from roll.extensions import simple_server

app = Roll()


@app.route("/bridge")
async def bridge(request, response):
    raise HttpError(HTTPStatus.FORBIDDEN, "Run, you foo(l)!")


@app.listen("error")
async def as_json(request, response, error):
    if request.headers.get("ACCEPT") == "application/json":
        response.json = {"status": error.status, "message": error.message}


if __name__ == "__main__":
    simple_server(app)
