import tempfile
from http import HTTPStatus

from roll import HttpError, Roll
from roll.extensions import simple_server

app = Roll()


@app.route("/images", methods=["POST"], lazy_body=True)
async def receive(request, response):
    # The body still waits in the socket: refusing it here costs nothing.
    if request.headers.get("AUTHORIZATION") != "Dummy OK":
        raise HttpError(HTTPStatus.UNAUTHORIZED)
    with tempfile.TemporaryFile() as image:
        async for chunk in request:
            image.write(chunk)
        response.json = {"received": image.tell()}


if __name__ == "__main__":
    simple_server(app)
