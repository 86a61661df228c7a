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
    assert HttpError(400, "").message == "Bad Request"


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


def test_limits_can_not_change_and_know_their_shortest_timeout():
    limits = Limits(linger_timeout=0.5)
    assert limits.shortest_timeout == 0.5
    with pytest.raises(AttributeError):
        limits.head = 1
