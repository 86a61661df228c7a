"""`roll routes`: list the routes of an application."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable

from ..inventory import Entry, NotListed, entries, table
from .loading import LoadError, load, target_of

__all__ = ["call"]


def call(options: argparse.Namespace) -> int:
    """Print the routes, as a table or as JSON, and return the exit code.

    Raises:
        LoadError: the application does not exist, or its router cannot be listed.
    """
    app = load(target_of(options.application))
    app.add_late_routes()
    try:
        found = list(entries(app))
    except NotListed as error:
        raise LoadError(str(error)) from None
    for line in [as_json(found)] if options.json else table(found):
        sys.stdout.write(f"{line}\n")
    return 0


def as_json(found: Iterable[Entry]) -> str:
    return json.dumps([one._asdict() for one in found], indent=2, default=repr)
