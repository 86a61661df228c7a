"""Parse the command line, and run its subcommand."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from ..extras import MissingExtra
from .loading import BrokenModule, LoadError
from .options import parser

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line, by default that of the process, and return the exit code.

    Raises:
        SystemExit: the command line is wrong, or the server cannot listen.
    """
    given = sys.argv[1:] if arguments is None else list(arguments)
    options = parser().parse_args(given)
    options.arguments = given
    try:
        code: int = options.call(options)
    except BrokenModule as broken:
        sys.stderr.write(broken.traceback)
        return 1
    except (LoadError, MissingExtra, ValueError) as error:
        sys.stderr.write(f"roll: {error}\n")
        return 2 if isinstance(error, ValueError) else 1
    return code
