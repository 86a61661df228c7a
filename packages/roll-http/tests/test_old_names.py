"""Names of the connection of 0.13 that nothing calls any more are errors, never ignored."""

from __future__ import annotations

import re

import pytest

from roll_http import HTTPProtocol, Limits
from roll_http.connection.gone import INSTEAD


@pytest.mark.parametrize("name", INSTEAD)
@pytest.mark.parametrize("where", ["itself", "a mixin"])
def test_a_subclass_that_defines_a_name_that_is_gone_is_refused(name, where):
    body = {name: lambda *_: None}
    bases = (HTTPProtocol,) if where == "itself" else (type("Mixin", (), body), HTTPProtocol)
    message = f"Mine defines `{name}`: since 0.14 nothing calls or sets it; {INSTEAD[name]}"
    with pytest.raises(ValueError, match=re.escape(message)):
        type("Mine", bases, body if where == "itself" else {})


def test_other_names_of_a_subclass_are_its_own():
    class Mine(HTTPProtocol):
        colour = "red"

        def connection_made(self, transport):
            """Take nothing."""

    assert Mine(type("App", (), {"limits": Limits()})()).colour == "red"


@pytest.mark.parametrize("name", INSTEAD)
def test_reading_an_old_name_says_what_to_use(name):
    protocol = HTTPProtocol(type("App", (), {"limits": Limits()})())
    with pytest.raises(AttributeError, match=re.escape(INSTEAD[name])):
        getattr(protocol, name)


def test_reading_any_other_missing_name_is_an_attribute_error():
    protocol = HTTPProtocol(type("App", (), {"limits": Limits()})())
    with pytest.raises(AttributeError, match=r"'HTTPProtocol' object has no attribute 'colour'$"):
        _ = protocol.colour
    assert (protocol.request, protocol.response) == (None, None)
