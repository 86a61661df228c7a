"""The error that answers a request."""

from __future__ import annotations

import copy
from http import HTTPStatus

import pytest

from roll_http import HttpError, Limits


def test_an_error_has_a_status_and_its_phrase():
    error = HttpError(404)
    assert error.status is HTTPStatus.NOT_FOUND
    assert error.message == "Not Found"
    assert error.context is None
    assert str(error) == "404 Not Found"


def test_message_and_context_are_what_was_given():
    error = HttpError(HTTPStatus.BAD_REQUEST, {"field": "name"}, context=1)
    assert (error.message, error.context) == ({"field": "name"}, 1)


@pytest.mark.parametrize("empty", [None, "", b"", {}], ids=repr)
def test_an_empty_message_is_the_phrase(empty):
    assert HttpError(400, empty).message == "Bad Request"


def test_context_that_is_an_exception_is_the_errors_context():
    cause = KeyError("name")
    error = HttpError(400, "m", context=cause)
    assert (error.__context__, error.context) == (cause, cause)
    assert HttpError(400, "m", context="form").__context__ is None


def test_an_error_may_be_copied():
    error = copy.copy(HttpError(http_code=409, message="taken", context=1))
    assert (error.status, error.message, error.context) == (409, "taken", 1)
    assert error.args == (409, "taken")


def test_an_unknown_status_is_refused():
    with pytest.raises(ValueError, match="999"):
        HttpError(999)


def test_a_subclass_needs_no_constructor():
    class Teapot(HttpError):
        def __init__(self):
            self.status = 418
            self.message = "short and stout"

    assert Teapot().status is HTTPStatus.IM_A_TEAPOT
    assert Teapot().context is None


class Base:
    status = 409


class Missing(HttpError):
    status = 404


class MissingBook(Missing):
    message = "No such book"


class Mixed(Base, HttpError):
    pass


class Moved(Missing):
    status = HTTPStatus.GONE


class Computed(HttpError):
    @property
    def status(self):
        return HTTPStatus.CONFLICT


@pytest.mark.parametrize(
    ("kind", "status", "message"),
    [
        (Missing, 404, "Not Found"),
        (MissingBook, 404, "No such book"),
        (Mixed, 409, "Conflict"),
        (Moved, 410, "Gone"),
        (Computed, 409, "Conflict"),
    ],
)
def test_a_status_in_the_body_of_a_class_is_that_of_its_errors(kind, status, message):
    error = kind()
    assert isinstance(error.status, HTTPStatus)
    assert (error.status, error.message) == (status, message)
    assert str(error) == f"{status} {message}"
    assert kind(message="mine").message == "mine"


def test_an_error_may_have_another_status_than_its_class():
    assert Missing(410).status is HTTPStatus.GONE
    error = MissingBook()
    error.status = 410
    assert error.status is HTTPStatus.GONE
    assert (Missing.status, MissingBook().status) == (404, 404)


def test_a_copy_of_an_error_whose_class_has_its_status_is_the_same():
    error = copy.copy(Missing(message="gone", context=1))
    assert (error.status, error.message, error.context) == (404, "gone", 1)


def test_error_without_any_status_says_what_is_missing():
    with pytest.raises(TypeError, match="HttpError needs a status code"):
        HttpError()

    class Silent(HttpError):
        def __init__(self):
            """Set nothing."""

    with pytest.raises(AttributeError, match="Silent has no status"):
        _ = Silent().status


def test_an_unknown_status_of_a_class_is_refused_where_it_is_defined():
    with pytest.raises(ValueError, match="999"):
        type("Bad", (HttpError,), {"status": 999})


def test_limits_can_not_change_and_know_their_shortest_timeout():
    limits = Limits(linger_timeout=0.5)
    assert limits.shortest_timeout == 0.5
    with pytest.raises(AttributeError):
        limits.head = 1


class Gone(HttpError):
    status = 410
    message = "moved away"


def test_the_class_of_an_error_may_have_its_status_and_message():
    error = Gone()
    assert (error.status, error.message) == (HTTPStatus.GONE, "moved away")
    assert Gone(message="away").message == "away"
    assert Gone(404).status is HTTPStatus.NOT_FOUND


def test_http_error_without_a_status_is_a_type_error():
    with pytest.raises(TypeError, match="HttpError needs a status"):
        HttpError()


def test_a_context_that_is_an_exception_is_the_context():
    cause = ValueError("why")
    assert HttpError(400, context=cause).__context__ is cause


def test_class_with_a_status_takes_a_message_alone():
    class NotFound(HttpError):
        status = 404

    assert (NotFound("no page").status, NotFound("no page").message) == (404, "no page")
    assert NotFound(410, "gone").status == 410
    with pytest.raises(ValueError, match="'text' is not an HTTP status"):
        HttpError("text")
