from roll import Roll
from roll.extensions import simple_server

app = Roll()

PAGE = """<!doctype html>
<title>Who are you?</title>
<form action="/hello" method="post">
  <label>Name <input name="name"></label>
  <label>Age <input name="age" type="number"></label>
  <button>Send</button>
</form>
"""


@app.route("/")
async def ask(request, response):
    response.html = PAGE


@app.route("/hello", methods=["POST"])
async def greet(request, response):
    name = request.form.get("name")
    age = request.form.int("age", 0)
    response.body = f"Hello {name}, you will be {age + 1}"


if __name__ == "__main__":
    simple_server(app)
