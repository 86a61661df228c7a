import orjson

from roll import HttpError, Request, Response, Roll
from roll.extensions import simple_server


class FastRequest(Request):
    @property
    def json(self):
        try:
            return orjson.loads(self.body)
        except orjson.JSONDecodeError as error:
            raise HttpError(400, "Unparsable JSON body") from error


class FastResponse(Response):
    def json(self, value):
        self.headers["Content-Type"] = "application/json; charset=utf-8"
        self.body = orjson.dumps(value)

    json = property(None, json)


class FastRoll(Roll):
    Request = FastRequest
    Response = FastResponse


app = FastRoll()


@app.route("/echo", methods=["POST"])
async def echo(request, response):
    response.json = request.json


if __name__ == "__main__":
    simple_server(app)
