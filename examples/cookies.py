from datetime import timedelta

from roll import Roll
from roll.extensions import simple_server

app = Roll()


@app.route("/login/{name}")
async def login(request, response, name):
    a_week = int(timedelta(days=7).total_seconds())
    response.cookies.set("user", name, max_age=a_week, httponly=True, samesite="Lax")


@app.route("/me")
async def me(request, response):
    response.body = request.cookies.get("user", "nobody")


@app.route("/logout")
async def logout(request, response):
    response.cookies.set("user", "", max_age=0)


if __name__ == "__main__":
    simple_server(app)
