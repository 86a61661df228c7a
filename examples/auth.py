from base64 import b64decode
from functools import wraps
from http import HTTPStatus

from roll import Roll
from roll.extensions import simple_server


def is_allowed(authorization):
    scheme, _, credentials = authorization.partition(" ")
    try:
        # An example: real passwords are hashed, and compared in constant time.
        return scheme == "Basic" and b64decode(credentials) == b"user:pwd"
    except ValueError:
        return False  # these credentials were not base64


def auth_required(func):
    @wraps(func)
    async def wrapper(request, response, *args, **kwargs):
        if is_allowed(request.headers.get("AUTHORIZATION", "")):
            await func(request, response, *args, **kwargs)
        else:
            response.status = HTTPStatus.UNAUTHORIZED
            response.headers["WWW-Authenticate"] = "Basic"

    return wrapper


app = Roll()


@app.route("/hello/")
@auth_required
async def hello(request, response):
    response.body = "Welcome in"


if __name__ == "__main__":
    simple_server(app)
