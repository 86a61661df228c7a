"""Requests as they arrive on the open internet, and the allowed responses: `cases/`."""

# What is sent byte by byte is bounded: a large body would take too long.
DRIPPED_AT_MOST = 3000
WANTED = {"test_answer_byte_by_byte": lambda case: len(case.sent) < DRIPPED_AT_MOST}


def test_answer(probe, case):
    probe.judge(case, probe.whole)


def test_answer_byte_by_byte(probe, case):
    probe.judge(case, probe.drip)


def test_probe_has_enough_questions(cases):
    assert len(cases) >= 200
    assert len({case.sent for case in cases}) > 0.95 * len(cases)
