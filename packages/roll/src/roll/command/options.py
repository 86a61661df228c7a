"""The command line of `roll`."""

from __future__ import annotations

import argparse
import re
from dataclasses import fields
from typing import Any, Final

from roll_http import Limits

from .. import __version__
from . import accesses, listing, production, serve

__all__ = ["parser"]

UNITS: Final = {"": 1, "K": 1024, "M": 1024**2, "G": 1024**3}

DIGITS: Final = 3
"""Maximum digits of a number of processes."""

NUMBER: Final = re.compile(r"[+-]?[0-9]{1,30}(\.[0-9]{1,30})?")

LIMIT_HELP: Final = "a number (sizes in bytes, or with K, M or G; times in seconds), or none"


def parser() -> argparse.ArgumentParser:
    """Return the parser; its results have an attribute `call`, the function to call."""
    found = argparse.ArgumentParser(
        prog="roll",
        description="Serve an application of Roll, list its routes, or check it for production.",
    )
    found.add_argument("--version", action="version", version=f"roll {__version__}")
    found.set_defaults(call=lambda _: show_help(found))
    commands = found.add_subparsers(metavar="command")
    add_run(commands)
    add_routes(commands)
    add_check(commands)
    return found


def show_help(command: argparse.ArgumentParser) -> int:
    """Show the help for a command line without a command, and return the exit code."""
    command.print_help()
    return 2


def add_target(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "application",
        nargs="?",
        help="module:app, 'module:factory()' in quotes, or folder/app.py; by default the one of"
        " app.py, main.py or core.py",
    )


def add_run(commands: Any) -> None:
    command = commands.add_parser("run", help="serve an application", allow_abbrev=False)
    command.set_defaults(call=serve.call)
    add_target(command)
    place = command.add_argument_group("where it listens")
    place.add_argument("--host", default="127.0.0.1", help="a name or an address (%(default)s)")
    place.add_argument("--port", default="3579", help="0 takes a free one (%(default)s)")
    place.add_argument("--unix", metavar="PATH", help="the path of a Unix socket")
    place.add_argument(
        "--fd", type=int, action="append", default=[], help="an open socket, as systemd passes it"
    )
    place.add_argument("--cert", metavar="FILE", help="certificate chain for TLS, in PEM")
    place.add_argument("--key", metavar="FILE", help="private key of the certificate, in PEM")
    how = command.add_argument_group("how it serves")
    how.add_argument("--workers", type=workers, default=1, metavar="N", help="processes (1)")
    how.add_argument(
        "--forwarded-allow-ips",
        metavar="LIST",
        help="proxies to be believed, by commas: addresses, networks, unix, or * (see the"
        " extension proxy_headers)",
    )
    how.add_argument(
        "--access-log",
        nargs="?",
        choices=accesses.FORMATS,
        const="text",
        help="a line for each request, on the standard output (text, unless the application"
        " logs its requests itself)",
    )
    how.add_argument("--reload", action="store_true", help="start again when the code changes")
    how.add_argument(
        "--debug",
        action="store_true",
        help="pages for exceptions, blocked loops, missing awaits; on loopback addresses only",
    )
    how.add_argument(
        "--debug-anywhere", action="store_true", help="the same on any address: shows secrets"
    )
    how.add_argument("--reloaded", action="store_true", help=argparse.SUPPRESS)
    how.add_argument("--follow", type=int, metavar="FD", help=argparse.SUPPRESS)
    add_limits(command.add_argument_group("limits", description=f"Each takes {LIMIT_HELP}."))


def add_limits(group: Any) -> None:
    for field in fields(Limits):
        group.add_argument(
            f"--limit-{field.name.replace('_', '-')}",
            type=amount,
            default=argparse.SUPPRESS,
            metavar="N",
            help=f"default {field.default}",
        )


def add_routes(commands: Any) -> None:
    command = commands.add_parser("routes", help="list the routes", allow_abbrev=False)
    command.set_defaults(call=listing.call)
    add_target(command)
    command.add_argument("--json", action="store_true", help="an array of objects")


def add_check(commands: Any) -> None:
    command = commands.add_parser(
        "check", help="find mistakes, and settings unsafe in production", allow_abbrev=False
    )
    command.set_defaults(call=production.call)
    add_target(command)


def workers(text: str) -> int:
    """Return a number of processes."""
    if not (text.isascii() and text.isdigit() and len(text) <= DIGITS and int(text)):
        raise argparse.ArgumentTypeError(f"a number from 1 to {10**DIGITS - 1}, not {text!r}")
    return int(text)


def amount(text: str) -> int | float | None:
    """Return a limit: a whole number where the text is one, else seconds; None for `none`."""
    if text.lower() == "none":
        return None
    number, unit = (text[:-1], text[-1:].upper()) if text[-1:].upper() in "KMG" else (text, "")
    if not NUMBER.fullmatch(number):
        raise argparse.ArgumentTypeError(f"{LIMIT_HELP}, not {text!r}")
    return (int(number) if number.lstrip("+-").isdigit() else float(number)) * UNITS[unit]
