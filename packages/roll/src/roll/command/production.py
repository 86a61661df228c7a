"""`roll check`: mistakes, and settings that are unsafe in production."""

from __future__ import annotations

import argparse
import itertools
import math
import sys
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import fields
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, NamedTuple

from roll_routing import Routes, variables

from ..advice import RollWarning
from ..extensions.sessions.keepers import CookieKeeper, StoreKeeper
from ..extensions.sessions.stores import MemoryStore
from ..inventory import Entry, NotListed, entries, extensions_of
from ..settings import PARAMETERS
from .loading import load, target_of

__all__ = ["Finding", "call", "findings"]

VALUES: Final = (
    *("1", "a", "a-1", "A", "a.txt", "a/b", "2026-01-31", "12:30", "1.5", "aa", "0123", "fr"),
    "00000000-0000-4000-8000-000000000000",
)
"""Values for placeholders, to test which route answers."""

MOST_TRIED: Final = 20_000
"""Maximum number of paths per route: enough for four placeholders with the last value."""


class Finding(NamedTuple):
    """A finding; only problems make the command fail."""

    problem: bool
    text: str

    def __str__(self) -> str:
        return f"{'problem' if self.problem else 'note'}: {self.text}"


def call(options: argparse.Namespace) -> int:
    """Print the findings; return 1 if one of them is a problem."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always", RollWarning)
        app = load(target_of(options.application))
        app.add_late_routes()
    found = [*from_warnings(told), *findings(app)]
    for one in found:
        sys.stdout.write(f"{one}\n")
    problems = sum(one.problem for one in found)
    sys.stdout.write(f"{count(problems, 'problem')}, {count(len(found) - problems, 'note')}\n")
    return 1 if problems else 0


def count(number: int, word: str) -> str:
    return f"{number or 'no'} {word}{'' if number == 1 else 's'}"


def from_warnings(told: Iterable[warnings.WarningMessage]) -> Iterator[Finding]:
    for one in told:
        if issubclass(one.category, RollWarning):
            file = Path(one.filename)
            shown = file.relative_to(Path.cwd()) if file.is_relative_to(Path.cwd()) else file
            yield Finding(True, f"{shown}:{one.lineno}: {one.message}")


def findings(app: Any) -> Iterator[Finding]:
    """Yield the findings about an application."""
    try:
        listed = list(entries(app))
    except NotListed as error:
        yield Finding(False, str(error))
        listed = []
    yield from names_twice(listed)
    yield from extras_of_some_methods(listed)
    yield from shadowed(app)
    yield from unlimited(app)
    yield from extension_findings(app)
    yield from session_findings(app)
    if "csrf" not in extensions_of(app):  # it refuses the handshakes of other sites
        yield from websocket_findings(listed)
    if find_spec("uvloop") is None and sys.platform != "win32":
        yield Finding(False, 'uvloop is not installed: `pip install "roll[fast]"` is faster')


def names_twice(listed: Iterable[Entry]) -> Iterator[Finding]:
    paths: dict[str, str] = {}
    for one in listed:
        if one.name is not None and paths.setdefault(one.name, one.path) != one.path:
            yield Finding(True, f"{one.path} has the name {one.name!r} of {paths[one.name]}")


def extras_of_some_methods(listed: Iterable[Entry]) -> Iterator[Finding]:
    """Yield the extras that the routes of one path do not share, although its payload has them."""
    paths: dict[str, list[dict[str, Any]]] = {}
    for one in listed:
        paths.setdefault(one.path, []).append(one.extras)
    for path, extras in paths.items():
        for name in sorted({name for each in extras for name in each} - {*PARAMETERS}):
            if not all(name in each and each[name] == extras[0][name] for each in extras):
                yield Finding(
                    False,
                    f"the extra {name!r} of {path} is not the same for all methods, and"
                    " `request.route.payload` has it for all",
                )


def shadowed(app: Any) -> Iterator[Finding]:
    """Yield the routes whose paths all go to another route."""
    if not isinstance(app.routes, Routes):
        return
    paths = {id(route.payload): route.path for route in app.routes}
    for route in app.routes:
        answering = [app.routes.match(path)[0] for path in samples(app.routes, route.path)]
        if answering and not any(payload is route.payload for payload in answering):
            others = sorted({paths.get(id(payload), "another route") for payload in answering})
            yield Finding(True, f"{route.path} is never reached: {' or '.join(others)} answers")


def samples(routes: Routes, pattern: str) -> Iterator[str]:
    """Yield paths that a pattern matches, built from likely values."""
    names = variables(pattern)
    tries = itertools.product(VALUES, repeat=len(names))
    for values in itertools.islice(tries, MOST_TRIED):
        try:
            yield routes.build(pattern, **dict(zip(names, values, strict=True)))
        except ValueError:  # a placeholder does not match its value
            continue


def unlimited(app: Any) -> Iterator[Finding]:
    """Yield the limits that are lifted."""
    for field in fields(app.limits):
        value = getattr(app.limits, field.name)
        lifted = value is None and field.default is not None
        if lifted or (value is not None and math.isinf(value)):
            yield Finding(True, f"the limit {field.name!r} is lifted (default {field.default})")


def extension_findings(app: Any) -> Iterator[Finding]:
    used = extensions_of(app)
    if "traceback" in used:
        yield Finding(True, "the extension `traceback` sends the text of exceptions to clients")
    elif not app.log_errors:
        yield Finding(True, "`log_errors` is False: unexpected exceptions are not logged")


def session_findings(app: Any) -> Iterator[Finding]:
    for keeper in (getattr(one, "__self__", None) for one in app.hooks.get("headers", ())):
        if not isinstance(keeper, CookieKeeper | StoreKeeper):
            continue
        if not keeper.settings.secure:
            text = "the cookie of `sessions` goes over plain HTTP too: leave out `secure=False`"
            yield Finding(True, text)
        if isinstance(keeper, StoreKeeper) and isinstance(keeper.store, MemoryStore):
            text = "sessions are in the memory of one process: `RedisStore` is for several"
            yield Finding(False, text)


def websocket_findings(listed: Iterable[Entry]) -> Iterator[Finding]:
    for one in listed:
        if one.protocol == "websocket" and "origins" not in one.extras:
            text = "has no `origins`: pages of any site may connect, with your users' cookies"
            yield Finding(False, f"the websocket {one.path} {text}")
