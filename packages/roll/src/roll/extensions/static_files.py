"""`static`: serve the files of a folder."""

from __future__ import annotations

import asyncio
import os
from functools import partial
from pathlib import Path
from typing import Any, Final

from roll_http import HttpError

from ..application import Roll
from ..files import FoundFile, answer
from ..places import check_index
from ..settings import advise_on_extras, check_flag
from .checks import check_folder, check_reading, check_text
from .static_policy import Policy, cache_control, check_policy

__all__ = ["static"]

# Two uses without a name may share this one, as long as `named_url` is not used.
DEFAULT_NAME: Final = "static"

OPTIONS: Final = (
    "default_index",
    "dotfiles",
    "fallback",
    "immutable",
    "max_age",
    "precompressed",
    "prefix",
    "root",
)


def static(
    app: Roll,
    prefix: str = "/static/",
    root: Path | str = Path(),
    default_index: str = "",
    name: str = DEFAULT_NAME,
    *,
    dotfiles: bool = False,
    precompressed: bool = False,
    max_age: int | None = None,
    immutable: bool = False,
    fallback: str = "",
    **extras: Any,
) -> None:
    """Serve the files in `root` at `prefix`, from startup on.

    A directory is answered with its `default_index`, if one is given. A path outside of `root`,
    with links resolved, is answered with 400. A path that is not a file, or a file that may not be
    read, is answered with 404. A file has exactly one path: `a.txt/`, `css//a.txt`, `./a.txt` and
    `css/../a.txt` are 404. Unless `dotfiles` is set, paths with a name that begins with a dot,
    such as `.env` or `.git/config`, are 404, also after links are resolved. `.well-known` (RFC
    8615) is always served. Preconditions and single ranges are supported (RFC 9110 13 and 14).
    Extras are passed to the route. The startup raises a `ValueError` if `root` is not a folder or
    may not be entered.

    With `precompressed`, clients that accept it get `a.css.br`, `a.css.zst` or `a.css.gz` in place
    of `a.css`, unless that file is older. Caches keep files for `max_age` seconds. With
    `immutable` they never revalidate, and `max_age` is a year by default. `fallback`, such as
    "index.html", is the file that is sent when a browser navigates to a path without a file.
    Caches always revalidate the fallback.

    Raises:
        ValueError: an option has the wrong type or value, the prefix does not begin with a "/" or
            has placeholders, or a route with these extras cannot serve files.
    """
    check_folder("root", root)
    check_text("name", name, DEFAULT_NAME)
    check_flag("dotfiles", dotfiles)
    if default_index not in ("", None):
        check_text("default_index", default_index, "index.html")
        check_index(default_index, dotfiles)
    advise_on_extras(extras, OPTIONS)
    folder = Path(root).resolve()
    check_policy(precompressed, max_age, immutable, fallback, dotfiles)
    policy = Policy(
        folder, default_index, dotfiles, precompressed, cache_control(max_age, immutable), fallback
    )
    if name != DEFAULT_NAME:
        extras["name"] = name
    # Report mistakes in prefix and extras here, not at startup.
    check_prefix(prefix)
    group = app.group(prefix.rstrip("/"), **extras)
    check_reading(extras)

    async def serve(request: Any, response: Any, path: str) -> None:
        def look() -> FoundFile:
            with policy.find(path, request) as file:
                return answer(file, request)

        try:
            # Use one thread for all steps: the switch to a thread is most of the cost of a small
            # file.
            found = await asyncio.to_thread(look)
        except HttpError as error:
            policy.vary(response, error)
            raise
        found.set(request, response)

    serve.__name__ = name

    app.at_startup(partial(check_root, folder))
    app.route_at_startup(lambda: group.route("/{path:any}")(serve))


def check_prefix(prefix: Any) -> None:
    check_text("prefix", "/" if prefix == "" else prefix, "/static/")
    if prefix.startswith("*"):  # as a path, "*" is the target of `OPTIONS *`
        raise ValueError(f"`prefix` begins with a '/', as '/static/' does, not {prefix!r}")
    if "{" in prefix or "}" in prefix:
        raise ValueError(f"The prefix of `static` has no placeholders: {prefix!r} cannot be used")


def check_root(folder: Path) -> None:
    """Check that files of a folder can be opened.

    Raises:
        ValueError: the folder does not exist, or may not be entered.
    """
    try:
        os.stat(f"{folder}/.")  # noqa: PTH116 - a `Path` drops the dot, which checks for a folder
    except OSError as error:
        raise ValueError(
            f"The root {str(folder)!r} of `static` cannot be served: {error.strerror}"
        ) from error
