"""An application of Flask, which WSGI serves: a2wsgi makes one of ASGI of it."""

from a2wsgi import WSGIMiddleware
from flask import Flask, Response, request, url_for

flask = Flask(__name__)


@flask.get("/hello/<name>")
def hello(name):
    return Response(f"Hello {name}", content_type="text/plain")


@flask.get("/where")
def where():
    return {
        "url": url_for("hello", name="ada", _external=True),
        "root_path": request.root_path,
        "client": request.remote_addr,
        "scheme": request.scheme,
    }


@flask.post("/echo")
def echo():
    return Response(request.get_data(), content_type="text/plain")


@flask.get("/stream")
def stream():
    return Response((f"line {number}\n" for number in range(3)), content_type="text/plain")


@flask.get("/fail")
def fail():
    raise ValueError("on purpose")


app = WSGIMiddleware(flask)
