"""Old public names still work, and warn with the new name."""

from __future__ import annotations

import pytest

import roll_http
from roll_http import HTTPProtocol, throttle_accept_errors


@pytest.fixture
def protocol(hello):
    return HTTPProtocol(hello)


def test_last_reads_must_close_and_warns(protocol):
    protocol.must_close = True
    with pytest.warns(DeprecationWarning, match="last is now must_close") as caught:
        assert protocol.last is True
    assert caught[0].filename == __file__


def test_setting_last_sets_must_close_and_warns(protocol):
    with pytest.warns(DeprecationWarning, match="last is now must_close") as caught:
        protocol.last = True
    assert protocol.must_close is True
    assert caught[0].filename == __file__


async def test_retire_drains_and_warns(serve):
    peer = await serve()
    with pytest.warns(DeprecationWarning, match="retire is now Server.drain") as caught:
        await peer.server.retire(0)
    assert caught[0].filename == __file__
    answer = await peer.exchange(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n")
    assert "Connection: close" in answer


def test_thin_accept_errors_is_throttle_accept_errors_and_warns():
    with pytest.warns(DeprecationWarning, match="is now throttle_accept_errors") as caught:
        assert roll_http.thin_accept_errors is throttle_accept_errors
    assert caught[0].filename == __file__


def test_unknown_name_of_the_package_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'thick_accept_errors'"):
        _ = roll_http.thick_accept_errors
