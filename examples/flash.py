import os
import secrets
from http import HTTPStatus

from jinja2 import DictLoader, Environment

from roll import Roll
from roll.extensions import csrf, sessions, simple_server

PAGE = """<!doctype html>
<meta name="viewport" content="width=device-width">
<title>Notes</title>
{% for text in flashes %}<p role="status">{{ text }}</p>{% endfor %}
<ul>{% for note in notes %}<li>{{ note }}</li>{% endfor %}</ul>
<form method="post"><input name="note" required> <button>Keep</button></form>
"""
templates = Environment(loader=DictLoader({"notes.html": PAGE}), autoescape=True)

app = Roll()
app["notes"] = []
csrf(app)
sessions(app, secret=os.environ.get("SECRET") or secrets.token_urlsafe(32))


def flash(request, text):
    """Keep a message for the next page that this user sees."""
    request.session["flashes"] = [*request.session.get("flashes", []), text]


def take_flashes(request):
    """Return the messages, each once."""
    return request.session.pop("flashes", [])


@app.route("/")
class Notes:
    async def on_get(self, request, response):
        values = {"notes": app["notes"], "flashes": take_flashes(request)}
        response.html = templates.get_template("notes.html").render(values)

    async def on_post(self, request, response):
        note = request.form.get("note")
        app["notes"].append(note)
        flash(request, f"“{note}” is kept")
        response.redirect = "/", HTTPStatus.SEE_OTHER


if __name__ == "__main__":
    simple_server(app)
