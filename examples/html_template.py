from pathlib import Path

from jinja2 import Environment, FileSystemLoader

from roll import Roll
from roll.extensions import named_url, simple_server, static

HERE = Path(__file__).parent

app = Roll()
static(app, root=HERE / "public")
templates = Environment(loader=FileSystemLoader(HERE / "templates"), autoescape=True)
templates.globals["url_for"] = named_url(app)


def render(template, /, **context):
    return templates.get_template(template).render(context)


@app.route("/hello/{name}")
async def hello(request, response, name):
    response.html = render("hello.html", name=name)


if __name__ == "__main__":
    simple_server(app)
