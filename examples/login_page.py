import os
import re
import secrets
from html import escape
from http import HTTPStatus
from urllib.parse import quote

from login import is_right  # of the example above

from roll import HttpError, Roll
from roll.extensions import csrf, sessions, simple_server

app = Roll()
csrf(app)
sessions(app, secret=os.environ.get("SECRET") or secrets.token_urlsafe(32))

PUBLIC = {"/login", "/health"}  # all other paths need a login

PAGE = """<!doctype html>
<meta name="viewport" content="width=device-width">
<title>Log in</title>
<p>{message}</p>
<form method="post">
  <p><label>Name <input name="user" value="{user}" required autofocus></label>
  <p><label>Password <input name="password" type="password" required></label>
  <p><button>Log in</button>
</form>
"""


@app.listen("headers")
async def require_login(request, response):
    if request.path in PUBLIC or "user" in request.session:
        return None
    if request.method not in {"GET", "HEAD"}:
        raise HttpError(HTTPStatus.UNAUTHORIZED, "Log in first")  # the body is never read
    wanted = quote(request.url.decode(), safe="")
    response.redirect = f"/login?next={wanted}", HTTPStatus.SEE_OTHER
    return True  # the answer is there: nothing else runs


def next_page(request):
    """Return the page that the user wanted: a path of this site, never another site."""
    wanted = request.query.get("next", "/")
    return wanted if re.fullmatch(r"/(?![/\\])[!-\[\]-~]*", wanted) else "/"


@app.route("/login")
class Login:
    async def on_get(self, request, response):
        response.html = PAGE.format(message="", user="")

    async def on_post(self, request, response):
        user = request.form.get("user")
        if is_right(user, request.form.get("password")):
            request.session.renew()
            request.session["user"] = user
            response.redirect = next_page(request), HTTPStatus.SEE_OTHER
        else:
            response.status = HTTPStatus.UNPROCESSABLE_ENTITY
            response.html = PAGE.format(message="Wrong name or password", user=escape(user))


@app.route("/logout", methods=["POST"])
async def logout(request, response):
    request.session.clear()
    response.redirect = "/login", HTTPStatus.SEE_OTHER


@app.route("/")
async def home(request, response):
    user = escape(request.session["user"])
    response.html = (
        f'<p>Hello {user} <form action="/logout" method="post"><button>Log out</button>'
    )


@app.route("/orders")
class Orders:
    async def on_get(self, request, response):
        response.body = f"Orders of {request.session['user']}, page {request.query.int('page', 1)}"

    async def on_post(self, request, response):
        response.body = f"{len(request.body)} bytes"


if __name__ == "__main__":
    simple_server(app)
