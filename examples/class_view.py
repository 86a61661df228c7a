from http import HTTPStatus

from roll import Roll
from roll.extensions import simple_server

app = Roll()


@app.route("/notes")
class Notes:
    def __init__(self):
        self.notes = []

    def on_get(self, request, response):
        response.json = self.notes

    async def on_post(self, request, response):
        self.notes.append(request.json)
        response.status = HTTPStatus.CREATED


if __name__ == "__main__":
    simple_server(app)
