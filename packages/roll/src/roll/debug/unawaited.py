"""Log the coroutines that nobody awaited."""

from __future__ import annotations

import logging
import re
import sys
import warnings
from pathlib import Path
from typing import Any, Final

__all__ = ["log_unawaited"]

logger = logging.getLogger("roll")

DEPTH: Final = 4
"""Frames that Python keeps of the stack that made a coroutine: of ours, the last ones."""

OURS: Final = str(Path(__file__).parents[1])
"""Where our own code is: the line that lacks the await is above it."""

FRAME: Final = re.compile(r'  File "[^\n]*\n(?:    [^\n]*\n?)?')
"""A frame, and its line of source."""


def log_unawaited() -> None:
    """Log at ERROR each coroutine that was never awaited, with the line that made it.

    For the whole process, and for good. Python tells of these coroutines by a warning, when they
    are collected; the line needs `sys.set_coroutine_origin_tracking_depth`, which slows each call
    of an `async def` function a little.
    """
    sys.set_coroutine_origin_tracking_depth(DEPTH)
    warnings.filterwarnings("always", "coroutine .* was never awaited", RuntimeWarning)
    show = warnings.showwarning

    def log(message: Any, category: type[Warning], *where: Any, **more: Any) -> None:
        if issubclass(category, RuntimeWarning) and "was never awaited" in str(message):
            logger.error("An await is missing: %s", with_users_line(str(message)))
        else:
            show(message, category, *where, **more)

    warnings.showwarning = log


def with_users_line(message: str) -> str:
    """Return what Python says of a coroutine, with one frame: the last one above our own code."""
    frames = FRAME.findall(message)
    theirs = [frame for frame in frames if OURS not in frame] or frames
    return FRAME.sub("", message) + "".join(theirs[-1:])
