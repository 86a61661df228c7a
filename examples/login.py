import hashlib
import hmac
import os
import secrets
from functools import wraps
from http import HTTPStatus

from roll import HttpError, Roll
from roll.extensions import csrf, sessions, simple_server

app = Roll()
csrf(app)
sessions(app, secret=os.environ.get("SECRET") or secrets.token_urlsafe(32))


def hashed(password, salt):
    return hashlib.scrypt(password.encode(), salt=salt, n=2**14, r=8, p=1)


SALT = secrets.token_bytes(16)  # one for each user, kept beside the hash
USERS = {"ada": (SALT, hashed("engine", SALT))}
NOBODY = (SALT, hashed(secrets.token_urlsafe(), SALT))


def is_right(user, password):
    """Compare in constant time, and take as long for users that do not exist."""
    salt, wanted = USERS.get(user, NOBODY)
    return hmac.compare_digest(hashed(password, salt), wanted)


def login_required(view):
    @wraps(view)
    async def guarded(request, response, **kwargs):
        if "user" not in request.session:
            raise HttpError(HTTPStatus.UNAUTHORIZED, "Log in first")
        await view(request, response, **kwargs)

    return guarded


@app.route("/login", methods=["POST"])
async def login(request, response):
    user = request.form.get("user")
    if not is_right(user, request.form.get("password")):
        raise HttpError(HTTPStatus.UNAUTHORIZED, "Wrong name or password")
    request.session.renew()  # a new identity, so that nobody can plant a session
    request.session["user"] = user


@app.route("/logout", methods=["POST"])
async def logout(request, response):
    request.session.clear()


@app.route("/me")
@login_required
async def me(request, response):
    response.body = f"You are {request.session['user']}"


if __name__ == "__main__":
    simple_server(app)
