import hashlib
from http import HTTPStatus

from roll import HttpError, Roll
from roll.extensions import simple_server

app = Roll()


def digest(token):
    return hashlib.sha256(token.encode()).hexdigest()


# Keep the digests of tokens, never the tokens: whoever reads the table can then use none of them.
CLIENTS = {digest("t0ken"): "the shop"}

# Every method of these paths is open to all.
PUBLIC = {"/health"}


@app.listen("headers")
async def identify(request, response):
    if request.route.payload is None or request.route_path in PUBLIC:
        return
    scheme, _, token = request.headers.get("AUTHORIZATION", "").partition(" ")
    client = CLIENTS.get(digest(token)) if scheme.lower() == "bearer" else None
    if client is None:
        response.headers["WWW-Authenticate"] = "Bearer"
        raise HttpError(HTTPStatus.UNAUTHORIZED)
    request["client"] = client


@app.route("/orders")
async def orders(request, response):
    response.body = f"Orders of {request['client']}"


@app.route("/health")
async def health(request, response):
    response.body = "fine"


if __name__ == "__main__":
    simple_server(app)
