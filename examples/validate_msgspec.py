from http import HTTPStatus
from typing import Annotated

import msgspec

from roll import HttpError, Roll
from roll.extensions import simple_server

app = Roll()


class Book(msgspec.Struct, forbid_unknown_fields=True):
    title: Annotated[str, msgspec.Meta(min_length=1)]
    year: int
    tags: list[str] = []


def read(request, kind):
    """Return the JSON body as an object of this class; 422 tells what is wrong with it."""
    try:
        return msgspec.json.decode(request.body, type=kind)
    except msgspec.ValidationError as error:
        raise HttpError(HTTPStatus.UNPROCESSABLE_ENTITY, str(error)) from error
    except msgspec.DecodeError as error:
        raise HttpError(HTTPStatus.BAD_REQUEST, str(error)) from error


@app.route("/books", methods=["POST"])
async def add_book(request, response):
    book = read(request, Book)
    response.json = msgspec.to_builtins(book)


if __name__ == "__main__":
    simple_server(app)
