from http import HTTPStatus

from pydantic import BaseModel, Field, ValidationError

from roll import HttpError, Roll
from roll.extensions import simple_server

app = Roll()


class Book(BaseModel, extra="forbid"):
    title: str = Field(min_length=1)
    year: int
    tags: list[str] = []


def read(request, model):
    """Return the JSON body as an object of this model; 422 tells what is wrong with it."""
    try:
        return model.model_validate_json(request.body)
    except ValidationError as error:
        raise HttpError(HTTPStatus.UNPROCESSABLE_ENTITY) from error


@app.listen("error")
def explain(request, response, error):
    if isinstance(error.__context__, ValidationError):
        found = error.__context__.errors(include_url=False, include_input=False)
        response.json = [{"where": fault["loc"], "problem": fault["msg"]} for fault in found]


@app.route("/books", methods=["POST"])
async def add_book(request, response):
    book = read(request, Book)
    response.json = book.model_dump()


if __name__ == "__main__":
    simple_server(app)
