from pathlib import Path

from roll import HttpError, Roll
from roll.extensions import simple_server, static

NOTES = {1: "Buy milk", 2: "Read a book"}

app = Roll()

# Every path that is neither a file nor a route is the page, which shows what the path says.
static(app, "/", Path(__file__).parent / "notes", fallback="index.html")
api = app.group("/api")


@api.route("/notes")
async def list_notes(request, response):
    response.json = [{"number": number, "text": text} for number, text in NOTES.items()]


@api.route("/notes", methods=["POST"])
async def add_note(request, response):
    number = len(NOTES) + 1
    NOTES[number] = str(request.json["text"])
    response.status = 201
    response.json = {"number": number, "text": NOTES[number]}


@api.route("/notes/{number}")
async def show_note(request, response, number: int):
    if number not in NOTES:
        raise HttpError(404, "There is no such note")
    response.json = {"number": number, "text": NOTES[number]}


if __name__ == "__main__":
    simple_server(app)
