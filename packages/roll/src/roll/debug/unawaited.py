"""Log coroutines that were never awaited."""

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
"""The number of frames that Python keeps of the stack that made a coroutine."""

OURS: Final = str(Path(__file__).parents[1])
"""The folder of Roll's code: the line without the await is in a frame above it."""

FRAME: Final = re.compile(r'  File "[^\n]*\n(?:    [^\n]*\n?)?')
"""A frame and its line of source."""


def log_unawaited() -> None:
    """Log at ERROR each coroutine that was never awaited, with the line that made it.

    This holds for the whole process until it ends. Python warns of such a coroutine when it is
    garbage-collected. To know the line, this calls `sys.set_coroutine_origin_tracking_depth`,
    which makes each call of an `async def` function slightly slower.
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
    """Return Python's message with a single frame: the last one above Roll's code."""
    frames = FRAME.findall(message)
    theirs = [frame for frame in frames if OURS not in frame] or frames
    return FRAME.sub("", message) + "".join(theirs[-1:])
