from pathlib import Path

from jinja2 import Environment, FileSystemLoader

from roll import Roll
from roll.extensions import simple_server

app = Roll()
templates = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
)


def render(response, template, /, **context):
    response.headers["Content-Type"] = "text/html; charset=utf-8"
    response.body = templates.get_template(template).render(context)


@app.route("/hello/{name}")
async def hello(request, response, name):
    render(response, "hello.html", name=name)


if __name__ == "__main__":
    simple_server(app)
