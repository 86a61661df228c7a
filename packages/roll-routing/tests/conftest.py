"""Shared fixtures of the tests."""

import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

import pytest


@pytest.fixture(scope="module", params=["with autoroutes", "without"])
def either(request: pytest.FixtureRequest) -> Iterator[None]:
    """Run the tests of a module with autoroutes, if it is installed, and without."""
    if request.param == "with autoroutes":
        pytest.importorskip("autoroutes")
        yield
        return
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr("roll_routing._autoroutes.autoroutes", None)
        yield


@pytest.fixture
def work() -> Callable[[Callable[[], Any]], int]:
    """Count the bytecode instructions that a call takes: a measure that no machine sways."""

    def count(call: Callable[[], Any]) -> int:
        total = 0

        def trace(frame: FrameType, event: str, arg: Any) -> Any:
            nonlocal total
            frame.f_trace_opcodes = True
            total += event == "opcode"
            return trace

        before = sys.gettrace()
        sys.settrace(trace)
        try:
            call()
        finally:
            sys.settrace(before)
        return total

    count(lambda: None)  # Python 3.12 counts from the second trace on that asks for instructions.
    assert count(lambda: None) > 0
    return count


def seconds(call: Callable[[], Any]) -> float:
    """Return the least CPU time of some calls."""
    times = []
    for _ in range(5):
        start = time.thread_time()
        call()
        times.append(time.thread_time() - start)
    return min(times)


def peak(call: Callable[[], Any]) -> int:
    """Return the most bytes that a call holds at a time."""
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.fixture
def check_growth() -> Callable[[Callable[[int], Callable[[], Any]], int], None]:
    """Check that CPU time and memory grow in proportion to the size at most, to 4 and 16 times it.

    What grows with the square takes 16 and 256 times as much: the margin of 2.5 is for machines
    that are busy and for memory that Python keeps. A call has an allowance beside its size.
    """

    def check(make: Callable[[int], Callable[[], Any]], size: int) -> None:
        small, *larger = [make(size * factor) for factor in (1, 4, 16)]
        small()
        time_of_small, peak_of_small = seconds(small) + 0.0002, peak(small) + 4096
        for factor, call in zip((4, 16), larger, strict=True):
            assert seconds(call) <= 2.5 * factor * time_of_small
            assert peak(call) <= 2.5 * factor * peak_of_small

    return check
