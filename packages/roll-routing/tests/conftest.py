"""What several tests use."""

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest


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

    return count
