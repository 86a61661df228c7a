"""Requests as they come on the open internet, and what may come back: the tables of `cases/`."""

import pytest

WHOLE, DRIPPED = "whole", "byte by byte"
# What is sent byte by byte is bounded: a large body would take too long.
DRIPPED_AT_MOST = 3000


@pytest.mark.parametrize("how", [WHOLE, DRIPPED])
def test_answer(probe, case, how):
    """The tables say what comes back, however the bytes arrive."""
    if how == DRIPPED and len(case.sent) > DRIPPED_AT_MOST:
        return
    send = type(probe).drip if how == DRIPPED else type(probe).whole
    probe.judge(case, send)


def test_enough_is_asked(cases):
    assert len(cases) >= 200
    assert len({case.sent for case in cases}) > 0.95 * len(cases)
